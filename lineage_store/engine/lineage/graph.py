"""GetLineageGraph: what ML Metadata declares, calls deprecated, and never serves."""

from typing import Any

from lineage_store import errors
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.lineage.filters import condition
from lineage_store.engine.lineage.reader import GraphReader
from lineage_store.engine.lineage.sources import GraphSources
from lineage_store.engine.lineage.subgraph import encoded_events, encoded_types, whole
from lineage_store.engine.lineage.walks import max_hops
from lineage_store.engine.metadata.listing import page_query
from lineage_store.engine.requests import required, text
from lineage_store.engine.responses import one, repeated
from lineage_store.kinds import ARTIFACT, EXECUTION, NodeKind
from lineage_store.limits import FilterLimits, LineageLimits
from lineage_store.lineage.rules import Rules
from lineage_store.lineage.source import Edge
from lineage_store.lineage.state import State
from lineage_store.lineage.walk import Walk
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2

_FIELDS = {name: field.number for name, field in pb.LineageGraph.DESCRIPTOR.fields_by_name.items()}

NodeKey = tuple[NodeKind, int]


def get_lineage_graph(
    snapshot: Snapshot, request: metadata_service_pb2.GetLineageGraphRequest, sources: GraphSources
) -> bytes:
    """Answer the graph around the artifacts of a listing, both ways, with whole nodes.

    Of more nodes than asked for, the nearest are answered, and of the last hop those with the
    lowest ids.

    Raises:
        InvalidArgument: The options are not valid.
        NotFound: The listing is empty.
        ResourceExhausted: The graph is larger than the limits allow.
    """
    options = request.options
    stop = options.stop_conditions
    rules = Rules(
        max_hops=max_hops(stop, "options.stop_conditions.", "max_num_hops"),
        keeping=_boundaries(stop, snapshot.filter_limits),
    )
    walk = Walk(rules, State.start(ARTIFACT, _start(snapshot, options)))
    graph = sources.present(snapshot, with_bodies=True)
    nodes, events = _nearest(walk, graph, sources.limits, options.max_node_size)
    return one(1, _encoded(snapshot, graph, nodes, events))


def _start(snapshot: Snapshot, options: pb.LineageGraphQueryOptions) -> list[int]:
    listing = required(options, "artifacts_options", "options.")
    node_ids = snapshot.page_ids(page_query(listing, snapshot.filter_limits, kind=ARTIFACT))
    if not node_ids:
        raise errors.NotFound("no artifact is in options.artifacts_options")
    return node_ids


def _boundaries(
    stop: pb.LineageGraphQueryOptions.BoundaryConstraint, limits: FilterLimits
) -> dict[NodeKind, Any]:
    conditions = {}
    for kind in (ARTIFACT, EXECUTION):
        field = f"boundary_{kind.plural}"
        query = text(f"options.stop_conditions.{field}", getattr(stop, field))
        if query:
            conditions[kind] = condition(kind, query, f"options.stop_conditions.{field}", limits)
    return conditions


def _nearest(
    walk: Walk, graph: GraphReader, limits: LineageLimits, most: int
) -> tuple[list[NodeKey], list[Edge]]:
    """Return the nodes nearest to the start, and the events between them."""
    hops: dict[int, list[NodeKey]] = {}
    events: list[Edge] = []
    for step in whole(walk, graph, limits):
        hops.setdefault(step.hop, []).extend((step.kind, i) for i in step.nodes)
        events += step.events
        if 0 < most <= walk.state.nodes and walk.state.hop > step.hop:
            break
    nodes = [node for hop in hops.values() for node in sorted(hop, key=lambda node: node[1])]
    nearest_nodes = nodes[:most] if most > 0 else nodes
    keys = set(nearest_nodes)
    inner_events = [e for e in events if (ARTIFACT, e[1]) in keys and (EXECUTION, e[2]) in keys]
    return nearest_nodes, inner_events


def _encoded(
    snapshot: Snapshot, graph: GraphReader, nodes: list[NodeKey], events: list[Edge]
) -> bytes:
    encoded = encoded_events(events, _FIELDS)
    for kind in (ARTIFACT, EXECUTION):
        bodies = graph.bodies(kind, (i for of, i in nodes if of is kind))
        encoded += repeated(_FIELDS[kind.plural], (body for _, body in sorted(bodies.items())))
    return encoded + encoded_types(snapshot, _FIELDS, with_system_types=False)
