"""Everything upstream or downstream of an artifact, as the input of other computations."""

from dataclasses import dataclass, field

from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.lineage.budget import Meter
from lineage_store.engine.lineage.known_then import check_known
from lineage_store.engine.lineage.progress import Progress
from lineage_store.engine.lineage.selection import check_exist
from lineage_store.engine.lineage.sources import GraphSources
from lineage_store.engine.lineage.walks import Bounded, graph
from lineage_store.kinds import ARTIFACT, EXECUTION, NodeKind
from lineage_store.lineage.rules import Rules
from lineage_store.lineage.state import State
from lineage_store.lineage.walk import PageSizes, Walk
from lineage_store.v1 import lineage_pb2 as pb

PACE = PageSizes(nodes=2048, batch=4096, events=8192)


@dataclass(slots=True)
class Closure:
    """The nodes and events that a walk met.

    Attributes:
        nodes: The encoded nodes by id, for artifacts and for executions, in the order of the walk.
        events: The encoded events.
        verdict: Complete, or which limit ended the walk.
    """

    nodes: dict[NodeKind, dict[int, bytes]] = field(
        default_factory=lambda: {ARTIFACT: {}, EXECUTION: {}}
    )
    events: list[bytes] = field(default_factory=list)
    verdict: pb.Verdict = field(default_factory=pb.Verdict)


def closure(
    snapshot: Snapshot,
    artifact_id: int,
    direction: int,
    request: Bounded,
    sources: GraphSources,
) -> Closure:
    """Return everything within reach of an artifact, itself included.

    Args:
        snapshot: The store.
        artifact_id: Where to start.
        direction: A LineageSubgraphQueryOptions.Direction.
        request: A message with the fields `as_of` and `budget`.
        sources: The graph to read, and the limits of the budget.

    Raises:
        InvalidArgument: `as_of` or `budget` is not valid.
        NotFound: There is no such artifact, or it was not known at the time of `as_of`.
    """
    meter = Meter(request.budget, sources.limits)
    reader = graph(request, "as_of", sources, with_bodies=True)(snapshot)
    check_exist(snapshot, ARTIFACT, [artifact_id])
    check_known(snapshot, ARTIFACT, [artifact_id], request.as_of)
    walk = Walk(Rules(direction=direction), State.start(ARTIFACT, [artifact_id]))
    progress = Progress(walk, meter, PACE)
    answer = Closure()
    while (step := progress.look(reader)) is not None:
        bodies = reader.bodies(step.kind, step.nodes)
        events = [edge[4] for edge in step.events]
        progress.take(step, sum(map(len, bodies.values())) + sum(map(len, events)))
        answer.nodes[step.kind].update((i, bodies[i]) for i in step.nodes)
        answer.events += events
    answer.verdict = progress.verdict()
    return answer
