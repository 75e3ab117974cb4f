"""The nodes and steps that workloads put, the same for every store but for ids.

The shape is that of ML Metadata's own benchmark: nodes with 1 to 10 string properties of 1 to 10
bytes. Everything is drawn from the name of what it is for.
"""

import hashlib
import random
import string
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.suite.targets import Op
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service

PROPERTIES = [f"p{number}" for number in range(10)]

TYPES = {
    "artifact": "BenchArtifact",
    "execution": "BenchExecution",
    "run": "BenchRun",
    "pipeline": "BenchPipeline",
    "cache": "execution_cache",
}
"""Names of types by what they are for; the last is TFX's."""


def declared_types() -> service.PutTypesRequest:
    """Return the request that declares TYPES, in their order."""
    declared = dict.fromkeys(PROPERTIES, pb.STRING)
    request = service.PutTypesRequest(can_add_fields=True)
    request.artifact_types.add(name=TYPES["artifact"], properties=declared)
    request.execution_types.add(name=TYPES["execution"], properties=declared)
    for name in ("run", "pipeline", "cache"):
        request.context_types.add(name=TYPES[name])
    return request


def declared_ids(answer: Any) -> dict[str, int]:
    """Return the ids of TYPES from the answer to `declared_types`."""
    ids = [*answer.artifact_type_ids, *answer.execution_type_ids, *answer.context_type_ids]
    return dict(zip(TYPES, ids, strict=True))


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


def describe(event: pb.Event, kind: Any, name: str) -> None:
    """Give an event its type and its path, as TFX does."""
    event.type = kind
    event.path.steps.add(key=name)
    event.path.steps.add(index=0)


def encoded(method: str, request: Any) -> Op:
    """Return a call as an op."""
    return [(method, request.SerializeToString())]


class Requests:
    """Makes requests for one store.

    Args:
        types: Ids of its types, by what they are for.
    """

    def __init__(self, types: Mapping[str, int]) -> None:
        self.types = types

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
        self, name: str, run: str, inputs: Sequence[int], fingerprint: str | None = None
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
