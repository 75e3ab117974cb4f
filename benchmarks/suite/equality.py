"""No speed without equality: what two stores answer to the same ops, made comparable.

Ids become names, times go, and what has no order is sorted. What was written is read back by name.
"""

from itertools import pairwise
from typing import Any

from benchmarks.suite.fixture import Fixture
from benchmarks.suite.requests import TYPES
from benchmarks.suite.targets import Op
from benchmarks.suite.workloads import Workload
from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_service_pb2 as service

SAMPLE = 5
"""Ops of each workload whose answers are compared."""

ORDERED = {"GetArtifacts", "GetExecutions"}
"""Calls whose answers are asked for in an order."""


class Different(Exception):
    """Two stores answered the same question in different ways."""


class Reader:
    """Makes the answers of one store comparable."""

    def __init__(self, fixture: Fixture) -> None:
        self._fixture = fixture
        self._types = {of_type: name for name, of_type in fixture.types.items()}
        self._names: dict[tuple[str, int], str] = {}

    def answers(self, workload: Workload) -> list[Any]:
        """Return what the store answers to the first ops; for writes, what is read back."""
        ops = workload.build(self._fixture, f"check-{workload.name}", min(SAMPLE, workload.count))
        found = self._fixture.target.answers(ops)
        if workload.writes == "artifacts":
            return [self._stored("artifact", name) for name in self._written(workload, len(ops))]
        if workload.writes == "steps":
            return [self._stored_step(name) for name in self._written(workload, len(ops))]
        return [self._read(op, answer) for op, answer in zip(ops, found, strict=True)]

    def _written(self, workload: Workload, ops: int) -> list[str]:
        """Return the names of what the first and the last op wrote first and last."""
        size = workload.units if workload.writes == "steps" else int(workload.name.split()[1])
        places = {(number, at) for number in (0, ops - 1) for at in (0, size - 1)}
        return [f"check-{workload.name}-{number}-{at}" for number, at in sorted(places)]

    def _read(self, op: Op, answers: list[bytes]) -> Any:
        [(method, _)], [answer] = op, answers
        if method == "Lookup":
            return self._outputs(cache_pb2.LookupResponse.FromString(answer))
        if method == "@tfx":
            return self._nodes(service.GetArtifactsByIDResponse.FromString(answer).artifacts)
        if method.startswith("/"):
            return answer
        response = getattr(service, f"{method}Response").FromString(answer)
        if method == "GetEventsByExecutionIDs":
            return self._events(response.events)
        filled = [pair for pair in response.ListFields() if pair[0].name != "next_page_token"]
        if not filled:
            raise Different(f"{method} found nothing, so there is nothing to compare")
        [(field, value)] = filled
        nodes = [self._node(node) for node in (value if field.is_repeated else [value])]
        return nodes if method in ORDERED else sorted(nodes, key=repr)

    def _outputs(self, response: Any) -> Any:
        [result] = response.results
        return self._nodes(output.artifact for output in result.hit.outputs)

    def _nodes(self, nodes: Any) -> Any:
        return sorted((self._node(node) for node in nodes), key=repr)

    def _node(self, node: Any) -> Any:
        kept = {
            field.name: value
            for field, value in node.ListFields()
            if field.name not in ("id", "type_id", "properties")
            and not field.name.endswith("_time_since_epoch")
        }
        kept["of"] = self._types[node.type_id]
        kept["properties"] = {name: str(value) for name, value in sorted(node.properties.items())}
        return kept

    def _events(self, events: Any) -> Any:
        return sorted(
            (
                self._name("artifact", event.artifact_id),
                self._name("execution", event.execution_id),
                event.type,
                str(event.path),
            )
            for event in events
        )

    def _name(self, kind: str, of: int) -> str:
        if (kind, of) not in self._names:
            plural = f"{kind}s"
            method = f"Get{plural.title()}ByID"
            request = getattr(service, f"{method}Request")(**{f"{kind}_ids": [of]})
            [node] = getattr(self._fixture.target.call(method, request), plural)
            self._names[kind, of] = node.name
        return self._names[kind, of]

    def _stored(self, kind: str, name: str) -> Any:
        return self._node(self._find(kind, name))

    def _find(self, kind: str, name: str) -> Any:
        method = f"Get{kind.title()}ByTypeAndName"
        request = getattr(service, f"{method}Request")(
            **{"type_name": TYPES[kind], f"{kind}_name": name}
        )
        return getattr(self._fixture.target.call(method, request), kind)

    def _stored_step(self, name: str) -> Any:
        target, execution = self._fixture.target, self._find("execution", name)
        asked = service.GetEventsByExecutionIDsRequest(execution_ids=[execution.id])
        in_contexts = service.GetContextsByExecutionRequest(execution_id=execution.id)
        outputs = [self._find("artifact", f"{name}-out{number}") for number in range(2)]
        of_output = service.GetContextsByArtifactRequest(artifact_id=outputs[0].id)
        return {
            "execution": self._node(execution),
            "events": self._events(target.call("GetEventsByExecutionIDs", asked).events),
            "contexts": self._nodes(target.call("GetContextsByExecution", in_contexts).contexts),
            "outputs": self._nodes(outputs),
            "of output": self._nodes(target.call("GetContextsByArtifact", of_output).contexts),
        }

    def count_steps(self, tag: str) -> int:
        """Return how many steps of a workload the store has."""
        find = service.GetContextByTypeAndNameRequest(
            type_name=TYPES["run"], context_name=f"run-of-{tag}"
        )
        target = self._fixture.target
        request = service.GetExecutionsByContextRequest(
            context_id=target.call("GetContextByTypeAndName", find).context.id
        )
        request.options.max_result_size = 100
        count = 0
        while True:
            page = target.call("GetExecutionsByContext", request)
            count += len(page.executions)
            if not page.next_page_token:
                return count
            request.options.next_page_token = page.next_page_token


def compare(workload: Workload, readers: dict[str, Reader]) -> None:
    """Let all stores do a few ops of a workload.

    Raises:
        Different: Their answers differ.
    """
    answers = {name: reader.answers(workload) for name, reader in readers.items()}
    for first, other in pairwise(answers):
        if answers[first] != answers[other]:
            raise Different(
                f"{workload.name}: {first} and {other} answer differently:\n"
                f"{first_difference(answers[first], answers[other])}"
            )


def first_difference(left: list[Any], right: list[Any]) -> str:
    for one, other in zip(left, right, strict=False):
        if one != other:
            return f"{str(one)[:2000]}\n{str(other)[:2000]}"
    return f"{len(left)} and {len(right)} answers"
