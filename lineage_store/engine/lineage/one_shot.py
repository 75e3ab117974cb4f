"""A whole walk over the graph in memory."""

from collections.abc import Collection, Sequence
from typing import Any

from lineage_store import errors
from lineage_store.engine.lineage.budget import Meter
from lineage_store.engine.lineage.encoding import ids_only, size_of
from lineage_store.engine.lineage.sources import AdjacencyReader
from lineage_store.kinds import ARTIFACT, EXECUTION, NodeKind
from lineage_store.limits import LineageLimits
from lineage_store.lineage.adjacency.arena import Piece
from lineage_store.lineage.adjacency.reach import Reach
from lineage_store.lineage.rules import Rules
from lineage_store.v1 import lineage_pb2
from lineage_store.v1 import metadata_pb2 as pb

_FIELDS = {name: field.number for name, field in pb.LineageGraph.DESCRIPTOR.fields_by_name.items()}


def reachable_graph(
    graph: AdjacencyReader,
    rules: Rules,
    kind: NodeKind,
    start: Sequence[int],
    limits: LineageLimits,
    field_names: Collection[str],
) -> tuple[dict[NodeKind, Collection[int]], list[Piece]]:
    """Return the nodes that a walk reaches, and the encoding of them and of its events.

    Args:
        graph: The graph.
        rules: The rules of the walk.
        kind: The kind of the nodes that it starts from.
        start: Their ids.
        limits: The bounds of the answer.
        field_names: The fields of a LineageGraph to encode.

    Raises:
        ResourceExhausted: It exceeds the limits.
    """
    meter = Meter(lineage_pb2.LineageBudget(), limits)
    reach = Reach(graph.view, rules, graph)
    _walk(reach, kind, start, meter, limits)
    pieces: list[Piece] = []
    if "events" in field_names:
        pieces += graph.view.frames(reach.events())
        meter.spend(0, size_of(pieces))
        check_size(meter, limits)
    nodes = {of: reach.nodes(of) for of in (ARTIFACT, EXECUTION)}
    for of, ids in nodes.items():
        if of.plural in field_names:
            pieces += ids_only(_FIELDS[of.plural], ids)
    return _listed(nodes, field_names), pieces


def _walk(
    reach: Reach, kind: NodeKind, start: Sequence[int], meter: Meter, limits: LineageLimits
) -> None:
    """Walk as far as there is a way, and count the nodes after each hop."""
    counted_nodes = 0

    def look() -> None:
        nonlocal counted_nodes
        meter.spend(reach.count - counted_nodes, 0)
        counted_nodes = reach.count
        check_size(meter, limits)

    reach.walk(kind, sorted(set(start)), look)


def _listed(
    nodes: dict[NodeKind, Any], field_names: Collection[str]
) -> dict[NodeKind, Collection[int]]:
    """Return nodes as lists, if memberships are asked for: they are looked up by id."""
    if not {"attributions", "associations", "contexts"}.intersection(field_names):
        return {kind: [] for kind in nodes}
    return {kind: ids.tolist() for kind, ids in nodes.items()}


def check_size(meter: Meter, limits: LineageLimits) -> None:
    """Check that an answer that is given whole or not at all is not too large.

    Raises:
        ResourceExhausted: It is.
    """
    if meter.nodes < 0 or meter.exhausted:
        raise errors.ResourceExhausted(
            f"the graph is too large for one answer: more than {limits.max_nodes} nodes, "
            f"{limits.max_bytes} bytes or {limits.max_milliseconds} ms; ask for fewer hops, or "
            "use LineageService.Trace, which answers in parts"
        )
