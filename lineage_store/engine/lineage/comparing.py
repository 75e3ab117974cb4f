"""Compare: why two artifacts are not the same."""

from dataclasses import replace

from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.lineage.closure_graph import closure_graph
from lineage_store.engine.lineage.sources import GraphSources
from lineage_store.engine.requests import required
from lineage_store.lineage.comparison import compare
from lineage_store.lineage.graph import Direction
from lineage_store.v1 import lineage_pb2

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
    left, right = (
        closure_graph(snapshot, artifact_id, Direction.UPSTREAM, request, within)
        for artifact_id in ids
    )
    return compare(left, right).to_message()
