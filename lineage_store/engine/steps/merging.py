"""Merging of nodes: the fields that a step sets are added to the stored node."""

from lineage_store.database.staging.nodes import StoredNode
from lineage_store.database.transaction import Transaction
from lineage_store.engine.metadata import masks
from lineage_store.engine.metadata.nodes import update
from lineage_store.kinds import NodeKind, NodeMessage

_MAPS = ("properties", "custom_properties")


def merge(
    tx: Transaction, kind: NodeKind, stored: StoredNode, node: NodeMessage, field: str
) -> int:
    """Stage a node with everything that is set in a message, the rest as it is; return its id.

    Raises:
        InvalidArgument: The message is malformed, or of another type.
        AlreadyExists: Its external id is another node's.
    """
    mask = _set_paths(kind, node)
    if not mask and not node.HasField("type_id"):
        return int(stored.message.id)
    # A mask that names nothing: without any, the node would be replaced as a whole.
    return update(tx, kind, stored, node, field, mask or ["id"])


def _set_paths(kind: NodeKind, node: NodeMessage) -> list[str]:
    set_fields = {field.name for field, _ in node.ListFields()}
    paths = [name for name in masks.fields(kind) if name in set_fields and name not in _MAPS]
    for name in [name for name in _MAPS if name in set_fields]:
        paths += [f"{name}.{key}" for key in getattr(node, name)]
    return paths
