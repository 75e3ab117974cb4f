"""Update masks: which fields of a stored node an update touches."""

from collections.abc import MutableMapping, Sequence
from typing import Any

from lineage_store.kinds import NodeKind, NodeMessage
from lineage_store.v1 import metadata_pb2 as pb

Values = MutableMapping[str, pb.Value]

_MAPS = ("properties", "custom_properties")


def merged(kind: NodeKind, stored: NodeMessage, node: NodeMessage, mask: Sequence[str]) -> Any:
    """Return the stored node as the update leaves it.

    Args:
        kind: The kind of node.
        stored: The node as it is; not changed.
        node: The message of the request.
        mask: Names of fields, `properties.KEY`, `custom_properties.KEY`; empty: every field that
            an update can touch. Everything behind the first dot is the key. A path that names
            nothing an update can touch has no effect.
    """
    updated = kind.message()
    updated.CopyFrom(stored)
    for field in fields(kind):
        if not mask or field in mask:
            _replace(updated, node, field)
    for field in _MAPS:
        if mask and field not in mask:
            for key in keys(mask, field):
                _replace_key(getattr(updated, field), getattr(node, field), key)
    return updated


def fields(kind: NodeKind) -> list[str]:
    """Return the fields that an update can touch."""
    own = {"artifact": ["uri", "state"], "execution": ["last_known_state"], "context": ["name"]}
    return [*own[kind.name], "external_id", *_MAPS]


def keys(mask: Sequence[str], field: str) -> list[str]:
    """Return the keys that a mask names in the map `field`."""
    prefix = f"{field}."
    return [path.removeprefix(prefix) for path in mask if path.startswith(prefix)]


def _replace(updated: NodeMessage, node: NodeMessage, field: str) -> None:
    updated.ClearField(field)
    if field in _MAPS:
        _copy_map(getattr(updated, field), getattr(node, field))
    elif node.HasField(field):
        setattr(updated, field, getattr(node, field))


def _copy_map(target: Values, source: Values) -> None:
    for key, value in source.items():
        target[key].CopyFrom(value)


def _replace_key(target: Values, source: Values, key: str) -> None:
    if key in source:
        target[key].CopyFrom(source[key])
    elif key in target:
        del target[key]
