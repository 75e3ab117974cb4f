"""Random puts."""

from hypothesis import strategies as st

from lineage_store.v1 import metadata_pb2
from lineage_store.v1 import metadata_service_pb2 as service
from tests.differential.operations import AS_READ, Operation
from tests.differential.values import (
    DECLARED,
    EXTERNAL_IDS,
    NODE_NAMES,
    RICH,
    URIS,
    events,
    ids,
    node_types,
    nodes,
    rarely,
    sometimes,
)

PLURAL = {"artifact": "artifacts", "execution": "executions", "context": "contexts"}


def _rich_types() -> service.PutTypesRequest:
    """Return a type with a property of each kind and a bare type, for each kind of node."""
    request = service.PutTypesRequest()
    listed = (request.artifact_types, request.execution_types, request.context_types)
    for types, external_id in zip(listed, EXTERNAL_IDS, strict=False):
        types.add(name="Rich", properties=DECLARED, external_id=external_id)
        types.add(name="Bare")
    return request


def _nodes_of_rich_types() -> service.PutLineageSubgraphRequest:
    """Return three steps of a pipeline in three contexts."""
    request = service.PutLineageSubgraphRequest()
    for place in range(3):
        request.artifacts.add(type_id=RICH, uri=URIS[1], external_id=EXTERNAL_IDS[place])
        request.executions.add(type_id=RICH, last_known_state=metadata_pb2.Execution.COMPLETE)
        request.contexts.add(type_id=RICH, name=NODE_NAMES["context"][place])
        edge = request.event_edges.add(artifact_index=place, execution_index=place)
        edge.event.type = metadata_pb2.Event.OUTPUT
    return request


FIRST_TYPES = Operation("PutTypes", _rich_types())
FIRST_NODES = Operation("PutLineageSubgraph", _nodes_of_rich_types())


def _stale_update() -> service.PutArtifactsRequest:
    request = service.PutArtifactsRequest()
    request.artifacts.add(id=1, uri=URIS[1], last_update_time_since_epoch=7)
    request.options.abort_if_latest_updated_time_changed = True
    return request


def _edge_to_nowhere() -> service.PutLineageSubgraphRequest:
    request = service.PutLineageSubgraphRequest()
    edge = request.event_edges.add(artifact_index=5, execution_index=5)
    edge.event.type = metadata_pb2.Event.OUTPUT
    return request


RARELY_DRAWN = (
    Operation("PutArtifacts", _stale_update()),
    Operation("PutLineageSubgraph", _edge_to_nowhere()),
)
"""What is refused in ways that random requests, wrong in others too, come upon too seldom."""


@st.composite
def _evolution(draw: st.DrawFn, request: service.PutTypesRequest) -> None:
    """Set the flags of a request that puts types."""
    for flag, chance in (
        ("can_add_fields", st.booleans()),
        ("can_omit_fields", st.booleans()),
        ("can_delete_fields", rarely),
    ):
        if draw(chance):
            setattr(request, flag, draw(st.integers(0, 3)) > 0)
    if draw(rarely):
        request.all_fields_match = draw(st.booleans())


@st.composite
def put_type(draw: st.DrawFn, kind: str) -> Operation:
    method = f"Put{kind.capitalize()}Type"
    request = getattr(service, method + "Request")()
    draw(_evolution(request))
    if not draw(rarely):
        getattr(request, kind + "_type").CopyFrom(draw(node_types(kind)))
    return Operation(method, request)


@st.composite
def put_types(draw: st.DrawFn) -> Operation:
    request = service.PutTypesRequest()
    draw(_evolution(request))
    for kind in PLURAL:
        for _ in range(draw(st.integers(0, 2))):
            getattr(request, kind + "_types").append(draw(node_types(kind)))
    return Operation("PutTypes", request)


MASKED = (
    *("uri", "name", "external_id", "state", "last_known_state", "properties", "custom_properties"),
    *("properties.count", "properties.label", "properties.undeclared", "properties.score"),
    *("custom_properties.note", "custom_properties.a.b", "custom_properties.with blank"),
    *("custom_properties.", "properties.", "custom_properties.Note", "custom_properties.absent"),
    *("id", "type_id", "type", "create_time_since_epoch", "nonsense", ""),
)


@st.composite
def put_nodes(draw: st.DrawFn, kind: str) -> Operation:
    """Create and update nodes: whole, masked, or over a stored node."""
    method = f"Put{PLURAL[kind].capitalize()}"
    request = getattr(service, method + "Request")()
    form = draw(st.sampled_from(("whole", "whole", "masked", "over what was read", "locked")))
    if form == "masked":
        paths = draw(st.lists(st.sampled_from(MASKED), max_size=4))
        request.update_mask.paths.extend(paths)
    updates = {"whole": sometimes, "masked": st.booleans()}.get(form, st.just(value=True))
    for _ in range(draw(st.integers(0 if draw(rarely) else 1, 3))):
        getattr(request, PLURAL[kind]).append(draw(nodes(kind, updates=updates)))
    if kind == "artifact" and form == "locked":
        request.options.abort_if_latest_updated_time_changed = draw(st.integers(0, 3)) > 0
        for artifact in request.artifacts:
            if not draw(rarely):
                artifact.last_update_time_since_epoch = draw(st.sampled_from((AS_READ, 7)))
    return Operation(method, request, rereads=form == "over what was read")


@st.composite
def put_echo(draw: st.DrawFn, kind: str) -> Operation:
    """Put back nodes exactly as they were read."""
    method = f"Put{PLURAL[kind].capitalize()}"
    request = getattr(service, method + "Request")()
    for _ in range(draw(st.integers(1, 2))):
        getattr(request, PLURAL[kind]).add(id=draw(ids()))
    return Operation(method, request, rereads=True)


@st.composite
def put_events(draw: st.DrawFn) -> Operation:
    request = service.PutEventsRequest()
    for _ in range(draw(st.integers(0 if draw(rarely) else 1, 3))):
        request.events.append(draw(events(artifact=True, execution=True)))
    return Operation("PutEvents", request)


@st.composite
def put_attributions_and_associations(draw: st.DrawFn) -> Operation:
    request = service.PutAttributionsAndAssociationsRequest()
    for edges, end in (
        (request.attributions, "artifact_id"),
        (request.associations, "execution_id"),
    ):
        for _ in range(draw(st.integers(0, 2))):
            edge = edges.add()
            if not draw(rarely):
                edge.context_id = draw(ids())
            if not draw(rarely):
                setattr(edge, end, draw(ids()))
    return Operation("PutAttributionsAndAssociations", request)


@st.composite
def put_parent_contexts(draw: st.DrawFn) -> Operation:
    request = service.PutParentContextsRequest()
    for _ in range(draw(st.integers(0 if draw(rarely) else 1, 2))):
        edge = request.parent_contexts.add()
        if not draw(rarely):
            edge.child_id = draw(ids())
        if not draw(rarely):
            edge.parent_id = draw(ids())
    return Operation("PutParentContexts", request)


@st.composite
def _reuse(draw: st.DrawFn, options: metadata_pb2.ListOperationOptions, flags: list[str]) -> None:
    """Set some options of a combined put."""
    for flag in flags:
        if draw(st.booleans()):
            setattr(options, flag, draw(st.integers(0, 3)) > 0)


REUSE = ["reuse_context_if_already_exist", "reuse_artifact_if_already_exist_by_external_id"]


@st.composite
def put_execution(draw: st.DrawFn) -> Operation:
    request = service.PutExecutionRequest()
    if not draw(rarely):
        request.execution.CopyFrom(draw(nodes("execution", updates=sometimes)))
    for _ in range(draw(st.integers(0, 3))):
        pair = request.artifact_event_pairs.add()
        form = draw(st.integers(0, 9))
        if form < 7:
            pair.artifact.CopyFrom(draw(nodes("artifact", updates=sometimes)))
        if form not in (6, 9):
            pair.event.CopyFrom(draw(events(artifact=form > 6, execution=False)))
    for _ in range(draw(st.integers(0, 2))):
        request.contexts.append(draw(nodes("context", updates=sometimes)))
    if draw(st.booleans()):
        draw(_reuse(request.options, [*REUSE, "force_update_time", "force_reuse_context"]))
    return Operation("PutExecution", request)


@st.composite
def _edge(draw: st.DrawFn, request: service.PutLineageSubgraphRequest) -> None:
    """Add an edge between nodes of the request, or rarely elsewhere."""
    edge = request.event_edges.add()
    by_id = draw(rarely)
    for field, listed in (
        ("artifact_index", request.artifacts),
        ("execution_index", request.executions),
    ):
        if draw(sometimes):
            setattr(edge, field, draw(st.sampled_from((-1, 0, 5, len(listed)))))
        elif listed and not by_id:
            setattr(edge, field, draw(st.integers(0, len(listed) - 1)))
    if not draw(rarely):
        edge.event.CopyFrom(draw(events(artifact=by_id, execution=by_id)))


@st.composite
def put_lineage_subgraph(draw: st.DrawFn) -> Operation:
    request = service.PutLineageSubgraphRequest()
    for kind, plural in PLURAL.items():
        for _ in range(draw(st.integers(0, 2))):
            getattr(request, plural).append(draw(nodes(kind, updates=rarely)))
    for _ in range(draw(st.integers(0, 3))):
        draw(_edge(request))
    if draw(st.booleans()):
        draw(_reuse(request.options, REUSE))
    return Operation("PutLineageSubgraph", request)


WRITES = [
    *(put_type(kind) for kind in PLURAL),
    put_types(),
    *(put_nodes(kind) for kind in PLURAL),
    # Twice: sequences need nodes more than anything else.
    *(put_nodes(kind) for kind in PLURAL),
    st.sampled_from(list(PLURAL)).flatmap(put_echo),
    put_events(),
    put_attributions_and_associations(),
    put_parent_contexts(),
    put_execution(),
    put_execution(),
    put_lineage_subgraph(),
]
