"""Edges: events, attributions, associations and parent contexts."""

from collections.abc import Iterable, Sequence

from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.database.staging.edges import EventKey
from lineage_store.database.transaction import Transaction
from lineage_store.engine.requests import text
from lineage_store.engine.sizes import check_size
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION, NodeKind
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service


def put_events(tx: Transaction, request: service.PutEventsRequest) -> service.PutEventsResponse:
    """Record events; a duplicate fails the whole request."""
    prefetch_events(tx, request.events)
    for at, sent_event in enumerate(request.events):
        event = pb.Event()
        event.CopyFrom(sent_event)
        put_event(tx, event, f"events[{at}]")
    return service.PutEventsResponse()


def prefetch_events(tx: Transaction, events: Iterable[pb.Event]) -> None:
    """Look up the nodes of events and the events themselves, with a statement for each.

    An event with a node that this transaction creates can't be in the database.
    """
    keys = [_key(event) for event in events]
    artifacts, executions = tx.nodes[ARTIFACT], tx.nodes[EXECUTION]
    artifacts.check(key[0] for key in keys)
    executions.check(key[1] for key in keys)
    tx.events.check(
        key for key in keys if not (executions.is_new(key[1]) or artifacts.is_new(key[0]))
    )


def put_event(tx: Transaction, event: pb.Event, field: str) -> None:
    """Record one event; `prefetch_events` must have looked for it.

    Args:
        tx: The transaction.
        event: The event; it is changed to the form that is stored.
        field: Where it is in the request, for errors.

    Raises:
        InvalidArgument: It has no type, or one of its nodes does not exist.
        AlreadyExists: There is one of this type between these nodes.
    """
    artifact_id = _end(tx, ARTIFACT, event, "artifact_id", field)
    execution_id = _end(tx, EXECUTION, event, "execution_id", field)
    if event.type == pb.Event.UNKNOWN:
        raise errors.InvalidArgument(f"{field}.type must be set and not UNKNOWN")
    if tx.events.exists((artifact_id, execution_id, event.type)):
        raise errors.AlreadyExists(
            f"{field}: artifact {artifact_id} and execution {execution_id} have an event of type "
            f"{pb.Event.Type.Name(event.type)} already"
        )
    _normalize(tx, event)
    check_size(tx, tx.events.create(tx.new_id("events"), event), field, event)


def _key(event: pb.Event) -> EventKey:
    return (event.artifact_id, event.execution_id, event.type)


def _normalize(tx: Transaction, event: pb.Event) -> None:
    """Drop what the store does not keep, and complete the rest."""
    event.DiscardUnknownFields()
    event.ClearField("system_metadata")
    if not event.HasField("milliseconds_since_epoch"):
        event.milliseconds_since_epoch = tx.now_ms
    if event.HasField("path"):
        _normalize_path(event)


def _normalize_path(event: pb.Event) -> None:
    steps = event.path.steps
    valued_steps = [step for step in steps if step.WhichOneof("value")]
    for step in valued_steps:
        text("the key of a path step", step.key)
    if len(valued_steps) < len(steps) or not valued_steps:
        event.ClearField("path")
        if valued_steps:
            event.path.steps.extend(valued_steps)


def put_attributions_and_associations(
    tx: Transaction, request: service.PutAttributionsAndAssociationsRequest
) -> service.PutAttributionsAndAssociationsResponse:
    """Tie artifacts and executions to contexts; an edge that is there stays as it is."""
    members: list[tuple[NodeKind, str, Sequence[pb.Attribution | pb.Association]]] = [
        (ARTIFACT, "attributions", request.attributions),
        (EXECUTION, "associations", request.associations),
    ]
    tx.nodes[CONTEXT].check(edge.context_id for _, _, edges in members for edge in edges)
    for kind, field, edges in members:
        tx.nodes[kind].check(getattr(edge, f"{kind.name}_id") for edge in edges)
        for at, edge in enumerate(edges):
            _put_member(tx, kind, edge, f"{field}[{at}]")
    return service.PutAttributionsAndAssociationsResponse()


def _put_member(
    tx: Transaction, kind: NodeKind, edge: pb.Attribution | pb.Association, field: str
) -> None:
    context_id = _end(tx, CONTEXT, edge, "context_id", field)
    node_id = _end(tx, kind, edge, f"{kind.name}_id", field)
    tx.members.add(kind, [(context_id, node_id)])


def put_parent_contexts(
    tx: Transaction, request: service.PutParentContextsRequest
) -> service.PutParentContextsResponse:
    """Tie contexts to parent contexts; the edges never form a cycle."""
    edges = request.parent_contexts
    tx.nodes[CONTEXT].check(i for edge in edges for i in (edge.child_id, edge.parent_id))
    tx.parents.check((edge.child_id, edge.parent_id) for edge in edges)
    for at, edge in enumerate(edges):
        _put_parent(tx, edge, f"parent_contexts[{at}]")
    return service.PutParentContextsResponse()


def _put_parent(tx: Transaction, edge: pb.ParentContext, field: str) -> None:
    child_id = _end(tx, CONTEXT, edge, "child_id", field)
    parent_id = _end(tx, CONTEXT, edge, "parent_id", field)
    if tx.parents.exists(child_id, parent_id):
        raise errors.AlreadyExists(f"{field}: {parent_id} is a parent of {child_id} already")
    if tx.parents.is_ancestor(child_id, of=parent_id):
        raise errors.InvalidArgument(f"{field}: {parent_id} lies within {child_id}: a cycle")
    tx.parents.create(child_id, parent_id)


def _end(tx: Transaction, kind: NodeKind, edge: Message, name: str, field: str) -> int:
    """Return the id of the node at an end of an edge.

    Args:
        tx: The transaction.
        kind: The kind of the node.
        edge: The edge.
        name: The field of the edge that has the id.
        field: Where the edge is in the request, for errors.

    Raises:
        InvalidArgument: The id is not set, or there is no such node.
    """
    if not edge.HasField(name):
        raise errors.InvalidArgument(f"{field}.{name} must be set")
    node_id: int = getattr(edge, name)
    if not tx.nodes[kind].exists(node_id):
        raise errors.InvalidArgument(f"{field}.{name}: there is no {kind.name} {node_id}")
    return node_id
