"""GetLineageSubgraph: a whole walk on one snapshot, nodes with their ids alone."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from lineage_store import errors
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.lineage.budget import Meter
from lineage_store.engine.lineage.encoding import id_only, joined
from lineage_store.engine.lineage.one_shot import check_size, reachable_graph
from lineage_store.engine.lineage.reader import GraphReader
from lineage_store.engine.lineage.selection import Find, by_filter
from lineage_store.engine.lineage.sources import AdjacencyReader, GraphSources
from lineage_store.engine.lineage.walks import endings, max_hops
from lineage_store.engine.responses import repeated
from lineage_store.kinds import ARTIFACT, EXECUTION, KINDS, NodeKind
from lineage_store.limits import FilterLimits, LineageLimits
from lineage_store.lineage.adjacency.arena import Piece
from lineage_store.lineage.rules import BIDIRECTIONAL, Rules
from lineage_store.lineage.source import Edge
from lineage_store.lineage.state import State
from lineage_store.lineage.walk import Expansion, PageSizes, Walk
from lineage_store.v1 import lineage_pb2, metadata_service_pb2
from lineage_store.v1 import metadata_pb2 as pb

PACE = PageSizes(nodes=65_536, batch=8192, events=65_536)

_OPTIONS = "lineage_subgraph_query_options"
_FIELDS = {name: field.number for name, field in pb.LineageGraph.DESCRIPTOR.fields_by_name.items()}
_EDGES: dict[NodeKind, tuple[str, Any]] = {
    ARTIFACT: ("attributions", pb.Attribution),
    EXECUTION: ("associations", pb.Association),
}


def get_lineage_subgraph(
    snapshot: Snapshot,
    request: metadata_service_pb2.GetLineageSubgraphRequest,
    sources: GraphSources,
) -> bytes:
    """Answer the graph around some nodes, whole.

    Raises:
        InvalidArgument: The options are not valid.
        NotFound: No node matches the filter to start from.
        ResourceExhausted: The graph is larger than the limits allow.
    """
    options = request.lineage_subgraph_query_options
    kind, find = _start(options, snapshot.filter_limits)
    rules = Rules(
        direction=options.direction or BIDIRECTIONAL,
        max_hops=max_hops(options, f"{_OPTIONS}.", "max_num_hops"),
        ending=endings(options, _OPTIONS, snapshot.filter_limits),
    )
    field_names = set(request.read_mask.paths) or set(_FIELDS)
    graph = sources.present(snapshot, with_bodies="events" in field_names)
    start = find(snapshot)
    if isinstance(graph, AdjacencyReader):
        node_ids, encoded = reachable_graph(graph, rules, kind, start, sources.limits, field_names)
    else:
        node_ids, encoded = _hop_by_hop(
            graph, rules, State.start(kind, start), sources.limits, field_names
        )
    encoded += _memberships(graph, node_ids, field_names)
    encoded.append(encoded_types(snapshot, field_names, with_system_types=True))
    return joined(1, encoded)


def _hop_by_hop(
    graph: GraphReader,
    rules: Rules,
    state: State,
    limits: LineageLimits,
    field_names: Collection[str],
) -> tuple[dict[NodeKind, Collection[int]], list[Piece]]:
    """Return the nodes of the graph, and the encoding of them and of the events."""
    walk = Walk(rules, state)
    events = [edge for step in whole(walk, graph, limits) for edge in step.events]
    node_ids: dict[NodeKind, Collection[int]] = {
        kind: sorted(ids) for kind, ids in state.answered.items()
    }
    nodes = [
        repeated(_FIELDS[kind.plural], map(id_only, ids))
        for kind, ids in node_ids.items()
        if kind.plural in field_names
    ]
    return node_ids, [*nodes, encoded_events(events, field_names)]


def _start(
    options: pb.LineageSubgraphQueryOptions, filter_limits: FilterLimits
) -> tuple[NodeKind, Find]:
    field = options.WhichOneof("starting_nodes")
    if field is None:
        raise errors.InvalidArgument(
            f"{_OPTIONS} must have starting_artifacts or starting_executions"
        )
    kind = ARTIFACT if field == "starting_artifacts" else EXECUTION
    query = getattr(options, field).filter_query
    return kind, by_filter(kind, query, f"{_OPTIONS}.{field}.filter_query", filter_limits)


def whole(walk: Walk, graph: GraphReader, limits: LineageLimits) -> Iterator[Expansion]:
    """Take all steps of a walk that has no verdict, so it is answered whole or not at all.

    Raises:
        ResourceExhausted: The walk exceeds the limits.
    """
    meter = Meter(lineage_pb2.LineageBudget(), limits)
    while not walk.is_done and not walk.is_far_enough:
        step = walk.look(graph, PACE)
        walk.take(step)
        meter.spend(len(step.nodes), sum(len(edge[4] or b"") for edge in step.events))
        check_size(meter, limits)
        yield step


def encoded_events(events: Iterable[Edge], field_names: Collection[str]) -> bytes:
    """Return the field `events` of a graph, in the order in which they were recorded."""
    if "events" not in field_names:
        return b""
    return repeated(_FIELDS["events"], (edge[4] for edge in sorted(events)))


def _memberships(
    graph: GraphReader, node_ids: dict[NodeKind, Collection[int]], field_names: Collection[str]
) -> list[Piece]:
    """Return the fields attributions, associations and contexts of a graph."""
    encoded: list[Piece] = []
    contexts: set[int] = set()
    for kind, (field, message) in _EDGES.items():
        if "contexts" not in field_names and field not in field_names:
            continue
        pairs = graph.members(kind, node_ids[kind])
        contexts.update(context_id for _, context_id in pairs)
        if field in field_names:
            edges = (
                message(context_id=context_id, **{f"{kind.name}_id": node_id})
                for node_id, context_id in pairs
            )
            bodies = (edge.SerializeToString() for edge in edges)
            encoded.append(repeated(_FIELDS[field], bodies))
    if "contexts" in field_names:
        encoded.append(repeated(_FIELDS["contexts"], map(id_only, sorted(contexts))))
    return encoded


def encoded_types(
    snapshot: Snapshot, field_names: Collection[str], *, with_system_types: bool
) -> bytes:
    """Return the fields of a graph that hold all types of the store, without base types."""
    encoded = b""
    for kind in KINDS:
        field = f"{kind.name}_types"
        if field in field_names:
            system = () if with_system_types else kind.system_types.values()
            messages = [t for t in snapshot.types.all(kind) if t.name not in system]
            for message in messages:
                message.ClearField("base_type")
            encoded += repeated(_FIELDS[field], (t.SerializeToString() for t in messages))
    return encoded
