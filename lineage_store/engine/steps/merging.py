"""Nodes added to: what a step says about a node is put beside what is known of it."""

from typing import Any

from lineage_store.database.staging.nodes import Node
from lineage_store.database.transaction import Transaction
from lineage_store.engine.metadata import masks
from lineage_store.engine.metadata.nodes import update
from lineage_store.kinds import NodeKind

_MAPS = ("properties", "custom_properties")


def merge(tx: Transaction, kind: NodeKind, stored: Node, node: Any, field: str) -> int:
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


def _set_paths(kind: NodeKind, node: Any) -> list[str]:
    given = {field.name for field, _ in node.ListFields()}
    paths = [name for name in masks.fields(kind) if name in given and name not in _MAPS]
    for name in [name for name in _MAPS if name in given]:
        paths += [f"{name}.{key}" for key in getattr(node, name)]
    return paths
