"""What is measured: each workload makes its ops for a store, and says how many units one op is.

All stores get the same ops but for ids. Ops that write have names of their own for each `tag`,
that is, for each turn; ops that read choose among what the fixture put.
"""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.suite.fixture import Fixture, loose_name
from benchmarks.suite.requests import TYPES, chance, describe, digest_of, encoded, fill
from benchmarks.suite.targets import Op
from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service

STEPS = 32
"""Steps in one call, where there are many."""


@dataclass(frozen=True)
class Workload:
    """One thing to be done over and over.

    Attributes:
        name: What it is called in results and on the command line.
        build: Makes that many ops.
        count: Ops in one repeat; those that read run over and over for a while.
        writes: What it writes: "artifacts", "steps", or nothing.
        units: How many of what is counted one op is.
        ours_only: ML Metadata has nothing like it.
    """

    name: str
    build: Callable[[Fixture, str, int], list[Op]]
    count: int
    writes: str = ""
    units: int = 1
    ours_only: bool = False


def puts(size: int) -> Callable[[Fixture, str, int], list[Op]]:
    def build(fixture: Fixture, tag: str, count: int) -> list[Op]:
        ops = []
        for number in range(count):
            request = service.PutArtifactsRequest()
            for at in range(size):
                name = f"{tag}-{number}-{at}"
                request.artifacts.append(fixture.artifact(name, chance(name)))
            ops.append(encoded("PutArtifacts", request))
        return ops

    return build


def steps(fixture: Fixture, tag: str, count: int) -> list[Op]:
    return [
        encoded("PutExecution", fixture.step(f"{tag}-{n}-0", f"run-of-{tag}", fixture.artifacts))
        for n in range(count)
    ]


def subgraphs(fixture: Fixture, tag: str, count: int) -> list[Op]:
    return [
        encoded("PutLineageSubgraph", subgraph(fixture, tag, number)) for number in range(count)
    ]


def subgraph(fixture: Fixture, tag: str, number: int) -> service.PutLineageSubgraphRequest:
    """Return many steps in one call."""
    request = service.PutLineageSubgraphRequest(contexts=fixture.contexts(f"run-of-{tag}"))
    for at in range(STEPS):
        name = f"{tag}-{number}-{at}"
        draw = chance(name)
        request.executions.append(fixture.execution(name, draw))
        for place, artifact_id in enumerate(draw.sample(fixture.artifacts, 3)):
            edge = request.event_edges.add(execution_index=at)
            edge.event.artifact_id = artifact_id
            describe(edge.event, pb.Event.INPUT, f"in{place}")
        for place, artifact in enumerate(fixture.outputs(name, draw)):
            edge = request.event_edges.add(execution_index=at)
            edge.artifact_index = len(request.artifacts)
            request.artifacts.append(artifact)
            describe(edge.event, pb.Event.OUTPUT, f"out{place}")
    request.options.reuse_context_if_already_exist = True
    return request


def recorded_steps(fixture: Fixture, tag: str, count: int) -> list[Op]:
    """Return many steps in one call, each recorded by itself; ML Metadata gets a subgraph."""
    if not fixture.target.variant.is_ours:
        return subgraphs(fixture, tag, count)
    return [encoded("RecordSteps", records(fixture, tag, number)) for number in range(count)]


def records(fixture: Fixture, tag: str, number: int) -> cache_pb2.RecordStepsRequest:
    request = cache_pb2.RecordStepsRequest()
    for at in range(STEPS):
        name = f"{tag}-{number}-{at}"
        draw = chance(name)
        step = request.steps.add(key=name, contexts=fixture.contexts(f"run-of-{tag}"))
        step.execution.CopyFrom(fixture.execution(name, draw))
        for place, artifact_id in enumerate(draw.sample(fixture.artifacts, 3)):
            step.inputs.add(name=f"in{place}", index=0).artifact.id = artifact_id
        for place, artifact in enumerate(fixture.outputs(name, draw)):
            step.outputs.add(name=f"out{place}", index=0, artifact=artifact)
    return request


def gets(size: int) -> Callable[[Fixture, str, int], list[Op]]:
    def build(fixture: Fixture, tag: str, count: int) -> list[Op]:
        draw = chance("get", size)
        asked = [draw.sample(fixture.artifacts, size) for _ in range(count)]
        return [
            encoded("GetArtifactsByID", service.GetArtifactsByIDRequest(artifact_ids=ids))
            for ids in asked
        ]

    return build


def by_name(fixture: Fixture, tag: str, count: int) -> list[Op]:
    return [
        encoded(
            "GetArtifactByTypeAndName",
            service.GetArtifactByTypeAndNameRequest(
                type_name=TYPES["artifact"], artifact_name=loose_name(number)
            ),
        )
        for number in range(count)
    ]


def filtered(
    method: str, text: Callable[[Fixture, int], str]
) -> Callable[[Fixture, str, int], list[Op]]:
    def build(fixture: Fixture, tag: str, count: int) -> list[Op]:
        ops = []
        for number in range(count):
            request = getattr(service, f"{method}Request")()
            request.options.max_result_size = 20
            request.options.filter_query = text(fixture, number)
            request.options.order_by_field.field = pb.ListOperationOptions.OrderByField.ID
            ops.append(encoded(method, request))
        return ops

    return build


def loose_value(number: int) -> str:
    """Return a property that an artifact of the fixture has."""
    found: str = fill(pb.Artifact(), chance("loose", number)).properties["p0"].string_value
    return found


def newest(fixture: Fixture, tag: str, count: int) -> list[Op]:
    request = service.GetArtifactsRequest()
    request.options.max_result_size = 100
    request.options.order_by_field.field = pb.ListOperationOptions.OrderByField.ID
    request.options.order_by_field.is_asc = False
    return [encoded("GetArtifacts", request)] * count


def of_contexts(fixture: Fixture, tag: str, count: int) -> list[Op]:
    return [
        encoded("GetArtifactsByContext", service.GetArtifactsByContextRequest(context_id=run))
        for run in (fixture.runs[number % len(fixture.runs)] for number in range(count))
    ]


def events(fixture: Fixture, tag: str, count: int) -> list[Op]:
    draw = chance("events")
    asked = [draw.sample(fixture.executions, 10) for _ in range(count)]
    return [
        encoded(
            "GetEventsByExecutionIDs", service.GetEventsByExecutionIDsRequest(execution_ids=ids)
        )
        for ids in asked
    ]


def four_calls(fixture: Fixture, tag: str, count: int) -> list[Op]:
    names = [fixture.fingerprints[n % len(fixture.fingerprints)] for n in range(count)]
    return [[("@tfx", name.encode())] for name in names]


def decisions(key: Callable[[str], cache_pb2.CacheKey]) -> Callable[[Fixture, str, int], list[Op]]:
    """Return what makes cache decisions: ML Metadata takes four calls, ours takes one."""

    def build(fixture: Fixture, tag: str, count: int) -> list[Op]:
        if not fixture.target.variant.is_ours:
            return four_calls(fixture, tag, count)
        names = [fixture.fingerprints[n % len(fixture.fingerprints)] for n in range(count)]
        return [encoded("Lookup", cache_pb2.LookupRequest(keys=[key(name)])) for name in names]

    return build


def empty(fixture: Fixture, tag: str, count: int) -> list[Op]:
    """Return calls that do nothing: what the wire alone costs."""
    return [[("/grpc.health.v1.Health/Check", b"")]] * count


def by_digest(name: str) -> cache_pb2.CacheKey:
    return cache_pb2.CacheKey(digest=digest_of(name))


def by_fingerprint(name: str) -> cache_pb2.CacheKey:
    return cache_pb2.CacheKey(fingerprint=name)


READS = (
    Workload("get 1", gets(1), 100),
    Workload("get 100", gets(100), 20),
    Workload("by name", by_name, 100),
    Workload(
        "filter: name",
        filtered("GetArtifacts", lambda _, n: f"name = '{loose_name(n)}'"),
        50,
    ),
    Workload(
        "filter: property",
        filtered("GetArtifacts", lambda _, n: f"properties.p0.string_value = '{loose_value(n)}'"),
        50,
    ),
    Workload(
        "filter: context",
        filtered(
            "GetExecutions", lambda fixture, n: f"contexts_a.name = 'run-{n % len(fixture.runs)}'"
        ),
        50,
    ),
    Workload("list 100", newest, 1),
    Workload("artifacts of a context", of_contexts, 20),
    Workload("events of 10 executions", events, 20),
    Workload("cache decision", decisions(by_digest), 50),
    Workload("cache decision by fingerprint", decisions(by_fingerprint), 50),
    Workload("cache look-up in four calls", four_calls, 50),
    Workload("empty call", empty, 1, ours_only=True),
)

WRITES = (
    Workload("put 1", puts(1), 100, "artifacts"),
    Workload("put 100", puts(100), 8, "artifacts"),
    Workload("put 1000", puts(1000), 2, "artifacts"),
    Workload("step", steps, 100, "steps"),
    Workload("32 steps", subgraphs, 6, "steps", STEPS),
    Workload("32 steps recorded", recorded_steps, 6, "steps", STEPS),
)

WORKLOADS = {workload.name: workload for workload in (*READS, *WRITES)}
MIXED = "mixed"
"""8 writers of steps beside 2 readers of 100 nodes; made of two workloads at once."""
