"""What every store holds before it is measured, and the nodes that workloads add.

The shape is that of ML Metadata's own benchmark: nodes with 1 to 10 string properties of 1 to 10
bytes. Everything is drawn from the name of what it is for, so that all stores get the same requests
but for the ids of what they hold.
"""

import hashlib
import random
import string
from typing import Any

from benchmarks.suite.targets import Op, Target
from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service

PROPERTIES = [f"p{number}" for number in range(10)]
STEPS_OF_RUN, STEPS_OF_FINGERPRINT = 20, 3
LOOSE = 300
"""Artifacts that no step wrote."""

TYPES = {
    "artifact": "BenchArtifact",
    "execution": "BenchExecution",
    "run": "BenchRun",
    "pipeline": "BenchPipeline",
    "cache": "execution_cache",
}


def chance(*of: object) -> random.Random:
    """Return a source of random numbers that is the same in each run, for the same purpose."""
    return random.Random(repr(of))


def fill(node: Any, draw: random.Random) -> Any:
    for name in PROPERTIES[: draw.randint(1, len(PROPERTIES))]:
        node.properties[name].string_value = word(draw)
    return node


def word(draw: random.Random) -> str:
    return "".join(draw.choices(string.ascii_letters, k=draw.randint(1, 10)))


def digest_of(fingerprint: str) -> bytes:
    """Return the key under which our own cache knows what a fingerprint stands for."""
    return hashlib.sha256(fingerprint.encode()).digest()


class Fixture:
    """What one store holds.

    Attributes:
        target: The store.
        types: Ids of types by what they are for.
        artifacts: Ids of artifacts, those that no step wrote first.
        executions: Ids of executions, oldest first.
        runs: Ids of the contexts of runs, oldest first.
        fingerprints: Names of the contexts of cached steps, oldest first.
    """

    def __init__(self, target: Target, steps: int) -> None:
        self.target = target
        self.types = self._put_types()
        self.artifacts: list[int] = []
        self.executions: list[int] = []
        self.names: list[str] = []
        self._put_loose()
        self.fingerprints = [f"fingerprint-{n}" for n in range(steps // STEPS_OF_FINGERPRINT)]
        self._put_steps(steps)
        self.runs = [self._run_id(f"run-{n}") for n in range(steps // STEPS_OF_RUN)]
        if target.variant.is_ours:
            self._publish()

    def _put_types(self) -> dict[str, int]:
        declared = dict.fromkeys(PROPERTIES, pb.STRING)
        request = service.PutTypesRequest(can_add_fields=True)
        request.artifact_types.add(name=TYPES["artifact"], properties=declared)
        request.execution_types.add(name=TYPES["execution"], properties=declared)
        for name in ("run", "pipeline", "cache"):
            request.context_types.add(name=TYPES[name])
        answer = self.target.call("PutTypes", request)
        ids = [*answer.artifact_type_ids, *answer.execution_type_ids, *answer.context_type_ids]
        return dict(zip(TYPES, ids, strict=True))

    def _put_loose(self) -> None:
        request = service.PutArtifactsRequest()
        for number in range(LOOSE):
            draw = chance("loose", number)
            request.artifacts.append(self.artifact(f"loose-{number}", draw))
        self.names += [artifact.name for artifact in request.artifacts]
        self.artifacts += self.target.call("PutArtifacts", request).artifact_ids

    def _put_steps(self, count: int) -> None:
        inputs = list(self.artifacts)
        for number in range(count):
            at = min(number // STEPS_OF_FINGERPRINT, len(self.fingerprints) - 1)
            run = f"run-{number // STEPS_OF_RUN}"
            request = self.step(f"seed-{number}", run, inputs, self.fingerprints[at])
            answer = self.target.call("PutExecution", request)
            self.executions.append(answer.execution_id)
            self.artifacts += answer.artifact_ids[3:]

    def _run_id(self, name: str) -> int:
        request = service.GetContextByTypeAndNameRequest(type_name=TYPES["run"], context_name=name)
        return int(self.target.call("GetContextByTypeAndName", request).context.id)

    def _publish(self) -> None:
        """Make the newest step of each fingerprint known to our own cache, too."""
        steps = cache_pb2.RecordStepsRequest()
        for at, fingerprint in enumerate(self.fingerprints):
            newest = self.executions[self._newest(at)]
            step = steps.steps.add()
            step.execution.id = newest
            step.execution.last_known_state = pb.Execution.COMPLETE
            step.cache.digest = digest_of(fingerprint)
        [[answer]] = self.target.answers([[("RecordSteps", steps.SerializeToString())]])
        refused = [
            result.error_message
            for result in cache_pb2.RecordStepsResponse.FromString(answer).results
            if result.error_code
        ]
        if refused:
            raise RuntimeError(f"{self.target.name} refused to publish: {refused[0]}")

    def _newest(self, fingerprint: int) -> int:
        """Return the place of the newest execution that a fingerprint has."""
        if fingerprint == len(self.fingerprints) - 1:
            return len(self.executions) - 1
        return (fingerprint + 1) * STEPS_OF_FINGERPRINT - 1

    def artifact(self, name: str, draw: random.Random) -> pb.Artifact:
        made = pb.Artifact(type_id=self.types["artifact"], name=name, uri=f"s3://bucket/{name}")
        made.state = pb.Artifact.LIVE
        filled: pb.Artifact = fill(made, draw)
        return filled

    def execution(self, name: str, draw: random.Random) -> pb.Execution:
        made = pb.Execution(type_id=self.types["execution"], name=name, external_id=name)
        made.last_known_state = pb.Execution.COMPLETE
        filled: pb.Execution = fill(made, draw)
        return filled

    def contexts(self, run: str) -> list[pb.Context]:
        return [
            pb.Context(type_id=self.types["pipeline"], name="pipeline"),
            pb.Context(type_id=self.types["run"], name=run),
        ]

    def outputs(self, name: str, draw: random.Random) -> list[pb.Artifact]:
        return [self.artifact(f"{name}-out{number}", draw) for number in range(2)]

    def step(
        self, name: str, run: str, inputs: list[int], fingerprint: str | None = None
    ) -> service.PutExecutionRequest:
        """Return what an orchestrator records of a step: 3 inputs, 2 outputs, 2 contexts."""
        draw = chance(name)
        request = service.PutExecutionRequest(contexts=self.contexts(run))
        request.execution.CopyFrom(self.execution(name, draw))
        for number, place in enumerate(draw.sample(range(len(inputs)), 3)):
            pair = request.artifact_event_pairs.add()
            describe(pair.event, pb.Event.INPUT, f"in{number}")
            pair.event.artifact_id = inputs[place]
        for number, artifact in enumerate(self.outputs(name, draw)):
            pair = request.artifact_event_pairs.add(artifact=artifact)
            describe(pair.event, pb.Event.OUTPUT, f"out{number}")
        if fingerprint is not None:
            request.contexts.add(type_id=self.types["cache"], name=fingerprint)
        request.options.reuse_context_if_already_exist = True
        return request


def describe(event: pb.Event, kind: Any, name: str) -> None:
    """Give an event its type and its path, as TFX does."""
    event.type = kind
    event.path.steps.add(key=name)
    event.path.steps.add(index=0)


def encoded(method: str, request: Any) -> Op:
    """Return a call as an op."""
    return [(method, request.SerializeToString())]
