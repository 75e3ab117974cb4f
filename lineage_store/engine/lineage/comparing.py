"""Compare: why two artifacts are not the same."""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import replace

from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.lineage.closure import closure
from lineage_store.engine.lineage.sources import GraphSources
from lineage_store.engine.requests import required
from lineage_store.entities import Artifact, Event, Execution
from lineage_store.kinds import ARTIFACT, EXECUTION
from lineage_store.lineage.comparison import compare
from lineage_store.lineage.graph import Direction, LineageGraph
from lineage_store.lineage.identity import GraphNode, ends, key, key_of
from lineage_store.lineage.verdict import Verdict
from lineage_store.v1 import lineage_pb2
from lineage_store.v1 import metadata_pb2 as pb

_MAX_NODES = 100_000
"""Nodes of each lineage that are compared, all of which are held in memory."""

_WALKS = 3
"""Shares of the time: two walks, and the comparison of the two lineages."""


def compare_artifacts(
    snapshot: Snapshot, request: lineage_pb2.CompareRequest, sources: GraphSources
) -> lineage_pb2.CompareResponse:
    """Answer what differs between all that lies upstream of two artifacts.

    The budget holds for each of the two walks.

    Raises:
        InvalidArgument: An id is missing, or `as_of` or `budget` is not valid.
        NotFound: There is no such artifact.
    """
    ids = [required(request, f"{side}_artifact_id", "") for side in ("left", "right")]
    limits = sources.limits
    share = replace(
        limits,
        max_nodes=min(limits.max_nodes, _MAX_NODES),
        max_milliseconds=max(1, limits.max_milliseconds // _WALKS),
    )
    within = sources.within(share)
    left, right = (_upstream(snapshot, artifact_id, request, within) for artifact_id in ids)
    return compare(left, right).to_message()


def _upstream(
    snapshot: Snapshot, artifact_id: int, request: lineage_pb2.CompareRequest, sources: GraphSources
) -> LineageGraph:
    upstream = pb.LineageSubgraphQueryOptions.UPSTREAM
    upstream_closure = closure(snapshot, artifact_id, upstream, request, sources)
    artifact_bodies = upstream_closure.nodes[ARTIFACT].values()
    execution_bodies = upstream_closure.nodes[EXECUTION].values()
    nodes: list[GraphNode] = [
        *map(Artifact.from_message, map(pb.Artifact.FromString, artifact_bodies)),
        *map(Execution.from_message, map(pb.Execution.FromString, execution_bodies)),
    ]
    events = [Event.from_message(pb.Event.FromString(body)) for body in upstream_closure.events]
    start = key("artifact", artifact_id)
    hops = _hops(start, events)
    return LineageGraph(
        nodes=tuple(sorted(nodes, key=lambda node: hops[key_of(node)])),
        edges=tuple(events),
        hops=hops,
        start=(start,),
        direction=Direction.UPSTREAM,
        verdict=Verdict.from_message(upstream_closure.verdict),
    )


def _hops(start: str, events: Iterable[Event]) -> dict[str, int]:
    """Return how far upstream each node is, by key."""
    sources: dict[str, list[str]] = defaultdict(list)
    for event in events:
        source, target = ends(event)
        sources[target].append(source)
    hops, queue = {start: 0}, deque([start])
    while queue:
        target = queue.popleft()
        for source in sources[target]:
            if source not in hops:
                hops[source] = hops[target] + 1
                queue.append(source)
    return hops
