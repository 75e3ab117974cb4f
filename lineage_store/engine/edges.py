"""Edges: events, attributions, associations and parent contexts."""

from collections.abc import Iterable
from typing import Any

from lineage_store import errors
from lineage_store.database.edges import EventKey
from lineage_store.database.ids import now_ms
from lineage_store.database.transaction import Transaction
from lineage_store.engine.requests import required, text
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION, NodeKind
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service


def put_events(tx: Transaction, request: Any) -> Any:
    """Record events; a duplicate fails the whole request."""
    prefetch_events(tx, request.events)
    for at, sent in enumerate(request.events):
        event = pb.Event()
        event.CopyFrom(sent)
        put_event(tx, event, f"events[{at}]")
    return service.PutEventsResponse()


def prefetch_events(tx: Transaction, events: Iterable[Any]) -> None:
    """Look up the nodes of events and the events themselves, with a statement for each."""
    events = list(events)
    tx.nodes[ARTIFACT].check(event.artifact_id for event in events)
    tx.nodes[EXECUTION].check(event.execution_id for event in events)
    tx.events.check(key for key in map(_key, events) if not _has_new_end(tx, key))


def _has_new_end(tx: Transaction, key: EventKey) -> bool:
    """Whether this transaction creates a node of the event, so that the database can't have it."""
    return tx.nodes[ARTIFACT].is_new(key[0]) or tx.nodes[EXECUTION].is_new(key[1])


def put_event(tx: Transaction, event: Any, field: str) -> None:
    """Record one event.

    Args:
        tx: The transaction.
        event: The event, which is changed to what is stored.
        field: Where it is in the request, for errors.

    Raises:
        InvalidArgument: It has no type, or one of its nodes does not exist.
        AlreadyExists: There is one of this type between these nodes.
    """
    for kind in (ARTIFACT, EXECUTION):
        node_id = required(event, f"{kind.name}_id", f"{field}.")
        _check_exists(tx, kind, node_id, f"{field}.{kind.name}_id")
    if event.type == pb.Event.UNKNOWN:
        raise errors.InvalidArgument(f"{field}.type must be set and not UNKNOWN")
    key = _key(event)
    if _has_new_end(tx, key):
        tx.events.assume_new([key])
    if tx.events.exists(key):
        raise errors.AlreadyExists(
            f"{field}: artifact {key[0]} and execution {key[1]} have an event of type "
            f"{pb.Event.Type.Name(event.type)} already"
        )
    _normalize(event)
    tx.events.create(tx.new_id("events"), event)


def _key(event: Any) -> EventKey:
    return (event.artifact_id, event.execution_id, event.type)


def _normalize(event: Any) -> None:
    """Drop what the store does not keep, and complete the rest."""
    event.DiscardUnknownFields()
    event.ClearField("system_metadata")
    if not event.HasField("milliseconds_since_epoch"):
        event.milliseconds_since_epoch = now_ms()
    if event.HasField("path"):
        _normalize_path(event)


def _normalize_path(event: Any) -> None:
    steps = event.path.steps
    kept = [step for step in steps if step.WhichOneof("value")]
    for step in kept:
        text("the key of a path step", step.key)
    if len(kept) < len(steps) or not kept:
        event.ClearField("path")
        if kept:
            event.path.steps.extend(kept)


def put_attributions_and_associations(tx: Transaction, request: Any) -> Any:
    """Tie artifacts and executions to contexts; an edge that is there stays as it is."""
    given = [
        (ARTIFACT, "attributions", request.attributions),
        (EXECUTION, "associations", request.associations),
    ]
    tx.nodes[CONTEXT].check(edge.context_id for _, _, edges in given for edge in edges)
    for kind, field, edges in given:
        tx.nodes[kind].check(getattr(edge, f"{kind.name}_id") for edge in edges)
        for at, edge in enumerate(edges):
            _put_member(tx, kind, edge, f"{field}[{at}]")
    return service.PutAttributionsAndAssociationsResponse()


def _put_member(tx: Transaction, kind: NodeKind, edge: Any, field: str) -> None:
    context_id = required(edge, "context_id", f"{field}.")
    node_id = required(edge, f"{kind.name}_id", f"{field}.")
    _check_exists(tx, CONTEXT, context_id, f"{field}.context_id")
    _check_exists(tx, kind, node_id, f"{field}.{kind.name}_id")
    tx.members.add(kind, context_id, node_id)


def put_parent_contexts(tx: Transaction, request: Any) -> Any:
    """Tie contexts to parent contexts; the edges never form a cycle."""
    edges = request.parent_contexts
    tx.nodes[CONTEXT].check(i for edge in edges for i in (edge.child_id, edge.parent_id))
    tx.parents.check((edge.child_id, edge.parent_id) for edge in edges)
    for at, edge in enumerate(edges):
        _put_parent(tx, edge, f"parent_contexts[{at}]")
    return service.PutParentContextsResponse()


def _put_parent(tx: Transaction, edge: Any, field: str) -> None:
    child_id = required(edge, "child_id", f"{field}.")
    parent_id = required(edge, "parent_id", f"{field}.")
    _check_exists(tx, CONTEXT, child_id, f"{field}.child_id")
    _check_exists(tx, CONTEXT, parent_id, f"{field}.parent_id")
    if tx.parents.exists(child_id, parent_id):
        raise errors.AlreadyExists(f"{field}: {parent_id} is a parent of {child_id} already")
    if tx.parents.is_ancestor(child_id, of=parent_id):
        raise errors.InvalidArgument(f"{field}: {parent_id} lies within {child_id}: a cycle")
    tx.parents.create(child_id, parent_id)


def _check_exists(tx: Transaction, kind: NodeKind, node_id: int, field: str) -> None:
    if not tx.nodes[kind].exists(node_id):
        raise errors.InvalidArgument(f"{field}: there is no {kind.name} {node_id}")
