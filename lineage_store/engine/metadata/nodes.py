"""Nodes: created and updated. One implementation for artifacts, executions and contexts."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.database.staging.nodes import StoredNode
from lineage_store.database.transaction import Transaction
from lineage_store.engine.metadata import masks
from lineage_store.engine.metadata.properties import check_custom, check_declared
from lineage_store.engine.requests import bounded, text
from lineage_store.engine.sizes import check_size
from lineage_store.kinds import ARTIFACT, CONTEXT, NodeKind, NodeMessage
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service

Writer = Callable[[Transaction, Any], Message]
"""Answers one kind of request; each has a message of its own."""


def put_nodes(kind: NodeKind) -> Writer:
    """Return the handler of PutArtifacts, PutExecutions or PutContexts."""
    response: type[Message] = getattr(service, f"Put{kind.plural.title()}Response")

    def handler(tx: Transaction, request: Any) -> Message:
        nodes = getattr(request, kind.plural)
        prefetch(tx, kind, nodes)
        has_lock = kind is ARTIFACT and request.options.abort_if_latest_updated_time_changed
        mask = list(request.update_mask.paths)
        ids = []
        for at, node in enumerate(nodes):
            field = f"{kind.plural}[{at}]"
            if has_lock and node.HasField("id"):
                _check_unchanged(tx, node, field)
            ids.append(put_node(tx, kind, node, field, mask))
        return response(**{f"{kind.name}_ids": ids})

    return handler


def prefetch(tx: Transaction, kind: NodeKind, nodes: Iterable[NodeMessage]) -> None:
    """Look up everything that putting these nodes needs, one statement for each kind of look-up."""
    ids, external_ids, names = [], [], []
    for node in nodes:
        if node.HasField("id"):
            ids.append(node.id)
        elif node.HasField("name") and node.HasField("type_id"):
            names.append((node.type_id, node.name))
        if node.external_id:
            external_ids.append(node.external_id)
    staged_nodes = tx.nodes[kind]
    staged_nodes.load(ids)
    staged_nodes.load_external_ids(external_ids)
    staged_nodes.load_names(names)


def put_node(
    tx: Transaction,
    kind: NodeKind,
    node: NodeMessage,
    field: str,
    mask: Sequence[str] = (),
    *,
    is_checked: bool = False,
) -> int:
    """Create a node without id, update one with an id; return its id.

    Args:
        tx: The transaction.
        kind: The kind of node.
        node: The message of the request.
        field: Where it is in the request, for errors.
        mask: The paths that an update touches; empty: replace the whole node.
        is_checked: Whether the caller has checked type and properties of a new node.

    Raises:
        InvalidArgument: The node is malformed, or the one to update does not exist.
        NotFound: Its type does not exist.
        AlreadyExists: Its name or external id is another node's.
    """
    if node.HasField("id"):
        stored = tx.nodes[kind].find(node.id)
        if stored is None:
            raise errors.InvalidArgument(f"{field}.id: there is no {kind.name} {node.id}")
        return update(tx, kind, stored, node, field, mask)
    return _create(tx, kind, node, field, is_checked=is_checked)


def _create(
    tx: Transaction, kind: NodeKind, node: NodeMessage, field: str, *, is_checked: bool
) -> int:
    if not node.HasField("type_id"):
        raise errors.InvalidArgument(f"{field}.type_id must be set to create the {kind.name}")
    type_name = check_type(tx, kind, node.type_id, field)
    _check_texts(kind, node, field)
    if not is_checked:
        check_declared(tx, node.type_id, node.properties)
        check_custom(node.custom_properties)
    _check_keys(tx, kind, node, None, field)
    created = kind.message()
    created.CopyFrom(node)
    created.type = type_name
    created.create_time_since_epoch = created.last_update_time_since_epoch = tx.now_ms
    _normalize(kind, created)
    created.id = tx.new_id(kind.plural)
    _check_size(tx, tx.nodes[kind].create(created), field)
    return int(created.id)


def _check_size(tx: Transaction, node: StoredNode, field: str) -> None:
    if 2 * len(node.body) > tx.node_bound.bytes:  # else it surely fits, uri and all
        check_size(tx, node.size, field, node.message)


def update(
    tx: Transaction,
    kind: NodeKind,
    stored: StoredNode,
    node: NodeMessage,
    field: str,
    mask: Sequence[str] = (),
    *,
    force_time: bool = False,
) -> int:
    """Stage a new version of a stored node if anything differs; return its id.

    The update time changes only with the node, and then always grows.
    """
    old = stored.message
    if node.HasField("type_id") and node.type_id != old.type_id:
        raise errors.InvalidArgument(
            f"{field}.type_id is {node.type_id}; {kind.name} {old.id} has type {old.type_id}"
        )
    updated = masks.merged(kind, old, node, mask)
    _normalize(kind, updated)
    _check_texts(kind, updated, field)
    _check_values(tx, old.type_id, updated, mask)
    if _encoded(updated) == _encoded(old) and not force_time:
        return int(old.id)
    _check_keys(tx, kind, updated, old.id, field)
    updated.last_update_time_since_epoch = max(tx.now_ms, old.last_update_time_since_epoch + 1)
    _check_size(tx, tx.nodes[kind].replace(stored, updated), field)
    return int(old.id)


def _encoded(message: Message) -> bytes:
    """Return the bytes that tell two versions apart: for `==`, 0.0 is -0.0, and NaN is not NaN."""
    encoded: bytes = message.SerializeToString(deterministic=True)
    return encoded


def check_type(tx: Transaction, kind: NodeKind, type_id: int, field: str) -> str:
    """Return the name of a node's type.

    Raises:
        NotFound: There is no type of this kind with this id.
    """
    stored_type = tx.types.cached(type_id)
    if stored_type is None or stored_type.kind is not kind:
        raise errors.NotFound(f"{field}.type_id: there is no {kind.name} type {type_id}")
    return str(stored_type.message.name)


def _normalize(kind: NodeKind, message: Any) -> None:
    """Drop the fields that the store does not keep, and normalize the rest."""
    message.DiscardUnknownFields()
    message.ClearField("system_metadata")
    if not message.external_id:
        message.ClearField("external_id")
    if kind is ARTIFACT and not message.HasField("uri"):
        message.uri = ""


def _check_texts(kind: NodeKind, node: Any, field: str) -> None:
    if kind is CONTEXT and not node.name:
        raise errors.InvalidArgument(f"{field}.name must not be empty")
    bounded(f"{field}.name", node.name)
    bounded(f"{field}.external_id", node.external_id)
    if kind is ARTIFACT:
        text(f"{field}.uri", node.uri)


def _check_values(tx: Transaction, type_id: int, updated: NodeMessage, mask: Sequence[str]) -> None:
    if not mask:
        check_declared(tx, type_id, updated.properties)
        check_custom(updated.custom_properties)
        return
    for field, check in (
        ("properties", lambda values, names: check_declared(tx, type_id, values, names)),
        ("custom_properties", check_custom),
    ):
        names = None if field in mask else masks.keys(mask, field)
        check(getattr(updated, field), names)


def _check_keys(
    tx: Transaction, kind: NodeKind, node: NodeMessage, own_id: int | None, field: str
) -> None:
    nodes = tx.nodes[kind]
    settles_name = node.HasField("name") and (own_id is None or kind is CONTEXT)
    if settles_name and nodes.by_name(node.type_id, node.name) not in {None, own_id}:
        raise errors.AlreadyExists(
            f"{field}.name: another {kind.name} of type {node.type_id} is named {node.name!r}"
        )
    if node.external_id and nodes.by_external_id(node.external_id) not in {None, own_id}:
        raise errors.AlreadyExists(
            f"{field}.external_id: {node.external_id!r} is that of another {kind.name}"
        )


def _check_unchanged(tx: Transaction, artifact: pb.Artifact, field: str) -> None:
    stored = tx.nodes[ARTIFACT].find(artifact.id)
    if stored is None:
        raise errors.InvalidArgument(f"{field}.id: there is no artifact {artifact.id}")
    update_time = stored.message.last_update_time_since_epoch
    if update_time != artifact.last_update_time_since_epoch:
        raise errors.FailedPrecondition(
            f"{field} was updated at {update_time} ms, not at "
            f"{artifact.last_update_time_since_epoch} ms; read it again"
        )
