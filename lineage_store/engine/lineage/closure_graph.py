"""All that lies upstream or downstream of an artifact, as a graph of entities."""

from collections import defaultdict, deque
from collections.abc import Iterable

from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.lineage.closure import closure
from lineage_store.engine.lineage.sources import GraphSources
from lineage_store.engine.lineage.walks import Bounded
from lineage_store.entities import Artifact, Event, Execution
from lineage_store.kinds import ARTIFACT, EXECUTION
from lineage_store.lineage.graph import Direction
from lineage_store.lineage.identity import GraphNode, ends, key, key_of
from lineage_store.lineage.result import Lineage
from lineage_store.lineage.verdict import Verdict
from lineage_store.v1 import metadata_pb2 as pb

_DIRECTIONS = {
    Direction.UPSTREAM: pb.LineageSubgraphQueryOptions.UPSTREAM,
    Direction.DOWNSTREAM: pb.LineageSubgraphQueryOptions.DOWNSTREAM,
}


def closure_graph(
    snapshot: Snapshot,
    artifact_id: int,
    direction: Direction,
    request: Bounded,
    sources: GraphSources,
) -> Lineage:
    """Return everything within reach of an artifact; see `closure`.

    Args:
        snapshot: The store.
        artifact_id: Where to start.
        direction: UPSTREAM or DOWNSTREAM.
        request: A message with the fields `as_of` and `budget`.
        sources: The graph to read, and the limits of the budget.
    """
    reached = closure(snapshot, artifact_id, _DIRECTIONS[direction], request, sources)
    nodes: list[GraphNode] = [
        *map(Artifact.from_message, map(pb.Artifact.FromString, reached.nodes[ARTIFACT].values())),
        *map(
            Execution.from_message, map(pb.Execution.FromString, reached.nodes[EXECUTION].values())
        ),
    ]
    events = [Event.from_message(pb.Event.FromString(body)) for body in reached.events]
    start = key("artifact", artifact_id)
    hops = _hops(start, events, direction)
    return Lineage(
        nodes=tuple(sorted(nodes, key=lambda node: hops[key_of(node)])),
        edges=tuple(events),
        hops=hops,
        start=(start,),
        direction=direction,
        verdict=Verdict.from_message(reached.verdict),
    )


def _hops(start: str, events: Iterable[Event], direction: Direction) -> dict[str, int]:
    """Return how far each node is, by key."""
    beyond: dict[str, list[str]] = defaultdict(list)
    for event in events:
        source, target = ends(event)
        near, far = (target, source) if direction is Direction.UPSTREAM else (source, target)
        beyond[near].append(far)
    hops, queue = {start: 0}, deque([start])
    while queue:
        near = queue.popleft()
        for far in beyond[near]:
            if far not in hops:
                hops[far] = hops[near] + 1
                queue.append(far)
    return hops
