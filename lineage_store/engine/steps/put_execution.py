"""Steps recorded in one call: an execution with all that belongs to it, or several of them."""

from collections.abc import Iterable, Sequence
from itertools import product

from lineage_store import errors
from lineage_store.database.transaction import Transaction
from lineage_store.engine.metadata.edges import prefetch_events, put_event
from lineage_store.engine.metadata.nodes import check_type, prefetch, put_node, update
from lineage_store.engine.metadata.properties import check_custom, check_declared
from lineage_store.engine.requests import required
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION, NodeKind, NodeMessage
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service

_ContextOptions = service.PutExecutionRequest.Options | service.PutLineageSubgraphRequest.Options

_NO_ARTIFACT = -1
"""The id that PutExecution answers for a pair with neither an artifact nor an event."""


def put_execution(
    tx: Transaction, request: service.PutExecutionRequest
) -> service.PutExecutionResponse:
    """Record one step: its artifacts, the execution, the events between them, its contexts."""
    execution = required(request, "execution", "")
    pairs = request.artifact_event_pairs
    artifacts = [pair.artifact for pair in pairs if pair.HasField("artifact")]
    prefetch(tx, ARTIFACT, artifacts)
    prefetch(tx, EXECUTION, [execution])
    prefetch(tx, CONTEXT, request.contexts)
    reuse = request.options.reuse_artifact_if_already_exist_by_external_id
    artifact_ids = [
        _put_paired_artifact(tx, pair, at, reuse=reuse) for at, pair in enumerate(pairs)
    ]
    execution_id = _put_execution(tx, execution, force_time=request.options.force_update_time)
    _put_paired_events(tx, pairs, artifact_ids, execution_id)
    context_ids = [
        _put_context(tx, context, f"contexts[{at}]", request.options)
        for at, context in enumerate(request.contexts)
    ]
    members = [i for i in artifact_ids if i != _NO_ARTIFACT]
    _add_members(tx, context_ids, members, [execution_id])
    return service.PutExecutionResponse(
        execution_id=execution_id, artifact_ids=artifact_ids, context_ids=context_ids
    )


def _put_paired_artifact(
    tx: Transaction, pair: service.PutExecutionRequest.ArtifactAndEvent, at: int, *, reuse: bool
) -> int:
    if pair.HasField("artifact"):
        field = f"artifact_event_pairs[{at}].artifact"
        is_reusable = reuse and pair.artifact.external_id and not pair.artifact.HasField("id")
        external_id = pair.artifact.external_id
        stored_id = tx.nodes[ARTIFACT].by_external_id(external_id) if is_reusable else None
        return _put_artifact(tx, pair.artifact, field, stored_id)
    return int(pair.event.artifact_id) if pair.event.HasField("artifact_id") else _NO_ARTIFACT


def _put_artifact(
    tx: Transaction,
    artifact: pb.Artifact,
    field: str,
    stored_id: int | None,
    *,
    is_checked: bool = False,
) -> int:
    """Put an artifact; `stored_id` is the id that its external id stands for, if it has none."""
    if stored_id is None or artifact.HasField("id"):
        return put_node(tx, ARTIFACT, artifact, field, is_checked=is_checked)
    stored = tx.nodes[ARTIFACT].find(stored_id)
    return update(tx, ARTIFACT, stored, artifact, field)  # type: ignore[arg-type]


def _put_execution(tx: Transaction, execution: pb.Execution, *, force_time: bool) -> int:
    stored = tx.nodes[EXECUTION].find(execution.id) if execution.HasField("id") else None
    if stored is None or not force_time:
        return put_node(tx, EXECUTION, execution, "execution")
    return update(tx, EXECUTION, stored, execution, "execution", force_time=True)


def _put_paired_events(
    tx: Transaction,
    pairs: Sequence[service.PutExecutionRequest.ArtifactAndEvent],
    artifact_ids: list[int],
    execution_id: int,
) -> None:
    """Record the events one by one, so that the first one that is wrong is the one reported."""
    events = [
        (at, pair.event, _tied_event(pair, artifact_ids[at], execution_id))
        for at, pair in enumerate(pairs)
        if pair.HasField("event")
    ]
    prefetch_events(tx, [event for _, _, event in events])
    for at, sent_event, event in events:
        field = f"artifact_event_pairs[{at}].event"
        _check_tie(sent_event, event, field)
        put_event(tx, event, field)


def _check_tie(sent_event: pb.Event, event: pb.Event, field: str) -> None:
    """Check that the ids in an event are those of the execution and artifact sent with it."""
    for name in ("execution_id", "artifact_id"):
        if sent_event.HasField(name) and getattr(sent_event, name) != getattr(event, name):
            raise errors.InvalidArgument(
                f"{field}.{name} is not the id of the node sent with the event"
            )


def _tied_event(
    pair: service.PutExecutionRequest.ArtifactAndEvent, artifact_id: int, execution_id: int
) -> pb.Event:
    event = pb.Event()
    event.CopyFrom(pair.event)
    event.execution_id = execution_id
    if artifact_id != _NO_ARTIFACT:
        event.artifact_id = artifact_id
    return event


def _put_context(tx: Transaction, context: pb.Context, field: str, options: _ContextOptions) -> int:
    nodes = tx.nodes[CONTEXT]
    if context.HasField("id") and getattr(options, "force_reuse_context", False):
        if not nodes.exists(context.id):
            raise errors.NotFound(f"{field}.id: there is no context {context.id}")
        return int(context.id)
    required(context, "type_id", f"{field}.")
    if not context.name:
        raise errors.InvalidArgument(f"{field}.name must not be empty")
    if options.reuse_context_if_already_exist and not context.HasField("id"):
        stored_id = nodes.by_name(context.type_id, context.name)
        if stored_id is not None:
            return stored_id
    return put_node(tx, CONTEXT, context, field)


def _add_members(
    tx: Transaction,
    context_ids: Iterable[int],
    artifact_ids: Iterable[int],
    execution_ids: Iterable[int],
) -> None:
    for kind, ids in ((ARTIFACT, artifact_ids), (EXECUTION, execution_ids)):
        tx.members.add(kind, product(context_ids, ids))


def put_lineage_subgraph(
    tx: Transaction, request: service.PutLineageSubgraphRequest
) -> service.PutLineageSubgraphResponse:
    """Record nodes and the events between them; every context gets all of the nodes."""
    for at, edge in enumerate(request.event_edges):
        _check_edge(request, edge, f"event_edges[{at}]")
    for kind in (ARTIFACT, EXECUTION, CONTEXT):
        for check in (_check_types, _check_properties, prefetch):
            check(tx, kind, getattr(request, kind.plural))
    reuse = request.options.reuse_artifact_if_already_exist_by_external_id
    stored_ids = _stored_artifact_ids(tx, request.artifacts) if reuse else {}
    context_ids = [
        _put_context(tx, context, f"contexts[{at}]", request.options)
        for at, context in enumerate(request.contexts)
    ]
    artifact_ids = [
        _put_artifact(
            tx, artifact, f"artifacts[{at}]", stored_ids.get(artifact.external_id), is_checked=True
        )
        for at, artifact in enumerate(request.artifacts)
    ]
    execution_ids = [
        put_node(tx, EXECUTION, execution, f"executions[{at}]", is_checked=True)
        for at, execution in enumerate(request.executions)
    ]
    _add_members(tx, context_ids, artifact_ids, execution_ids)
    _put_edges(tx, request.event_edges, {ARTIFACT: artifact_ids, EXECUTION: execution_ids})
    return service.PutLineageSubgraphResponse(
        execution_ids=execution_ids, artifact_ids=artifact_ids, context_ids=context_ids
    )


def _stored_artifact_ids(tx: Transaction, artifacts: Sequence[pb.Artifact]) -> dict[str, int]:
    """Return the artifacts that have these external ids before anything of the request is put."""
    nodes = tx.nodes[ARTIFACT]
    ids_by_external_id = {
        artifact.external_id: nodes.by_external_id(artifact.external_id)
        for artifact in artifacts
        if artifact.external_id
    }
    return {
        external_id: artifact_id
        for external_id, artifact_id in ids_by_external_id.items()
        if artifact_id is not None
    }


def _check_types(tx: Transaction, kind: NodeKind, nodes: Sequence[NodeMessage]) -> None:
    for at, node in enumerate(nodes):
        field = f"{kind.plural}[{at}]"
        check_type(tx, kind, required(node, "type_id", f"{field}."), field)


def _check_properties(tx: Transaction, kind: NodeKind, nodes: Sequence[NodeMessage]) -> None:
    del kind
    for node in nodes:
        check_declared(tx, node.type_id, node.properties)
        check_custom(node.custom_properties)


def _check_edge(
    request: service.PutLineageSubgraphRequest,
    edge: service.PutLineageSubgraphRequest.EventEdge,
    field: str,
) -> None:
    event = required(edge, "event", f"{field}.")
    for kind in (EXECUTION, ARTIFACT):
        nodes = getattr(request, kind.plural)
        index, node_id = f"{kind.name}_index", f"{kind.name}_id"
        if not edge.HasField(index):
            if not event.HasField(node_id):
                raise errors.InvalidArgument(f"{field} needs {index} or event.{node_id}")
            continue
        at = getattr(edge, index)
        if not 0 <= at < len(nodes):
            raise errors.OutOfRange(f"{field}.{index} is {at}; there are {len(nodes)}")
        if event.HasField(node_id) and not (
            nodes[at].HasField("id") and nodes[at].id == getattr(event, node_id)
        ):
            raise errors.InvalidArgument(f"{field}.event.{node_id} is not the id of {index}")


def _put_edges(
    tx: Transaction,
    edges: Sequence[service.PutLineageSubgraphRequest.EventEdge],
    ids: dict[NodeKind, list[int]],
) -> None:
    events = []
    for edge in edges:
        event = pb.Event()
        event.CopyFrom(edge.event)
        for kind in (EXECUTION, ARTIFACT):
            if edge.HasField(f"{kind.name}_index"):
                at = getattr(edge, f"{kind.name}_index")
                setattr(event, f"{kind.name}_id", ids[kind][at])
        events.append(event)
    prefetch_events(tx, events)
    for at, event in enumerate(events):
        put_event(tx, event, f"event_edges[{at}].event")
