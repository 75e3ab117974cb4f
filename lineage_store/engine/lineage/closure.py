"""Everything upstream or downstream of an artifact, for what is computed from it."""

from dataclasses import dataclass, field
from typing import Any

from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.lineage.budget import Meter
from lineage_store.engine.lineage.progress import Progress
from lineage_store.engine.lineage.selection import check_exist
from lineage_store.engine.lineage.sources import Sources
from lineage_store.engine.lineage.walks import graph
from lineage_store.kinds import ARTIFACT, EXECUTION, NodeKind
from lineage_store.lineage.rules import Rules
from lineage_store.lineage.state import State
from lineage_store.lineage.walk import PageSizes, Walk
from lineage_store.v1 import lineage_pb2 as pb

PACE = PageSizes(nodes=2048, batch=4096, events=8192)


@dataclass(slots=True)
class Closure:
    """What a walk met.

    Attributes:
        nodes: The encoded nodes by id, for artifacts and for executions, in the order of the walk.
        events: The encoded events.
        verdict: Whether it is all there is.
    """

    nodes: dict[NodeKind, dict[int, bytes]] = field(
        default_factory=lambda: {ARTIFACT: {}, EXECUTION: {}}
    )
    events: list[bytes] = field(default_factory=list)
    verdict: pb.Verdict = field(default_factory=pb.Verdict)


def closure(
    snapshot: Snapshot, artifact_id: int, direction: int, request: Any, sources: Sources
) -> Closure:
    """Return everything within reach of an artifact, itself included.

    Args:
        snapshot: The store.
        artifact_id: Where to start.
        direction: A LineageSubgraphQueryOptions.Direction.
        request: A message with the fields `as_of` and `budget`.
        sources: Where to read, and what the budget can't exceed.

    Raises:
        InvalidArgument: `as_of` or `budget` is not valid.
        NotFound: There is no such artifact.
    """
    meter = Meter(request.budget, sources.limits)
    known = graph(request, "as_of", sources, with_bodies=True)(snapshot)
    check_exist(snapshot, ARTIFACT, [artifact_id])
    walk = Walk(Rules(direction=direction), State.start(ARTIFACT, [artifact_id]))
    progress = Progress(walk, meter, PACE)
    found = Closure()
    while (step := progress.look(known)) is not None:
        bodies = known.bodies(step.kind, step.nodes)
        events = [edge[4] for edge in step.events]
        progress.take(step, sum(map(len, bodies.values())) + sum(map(len, events)))
        found.nodes[step.kind].update((i, bodies[i]) for i in step.nodes)
        found.events += events
    found.verdict = progress.verdict()
    return found
