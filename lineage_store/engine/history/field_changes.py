"""The fields in which a version of a node differs from the one before."""

import json
from collections.abc import Iterator
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from lineage_store.kinds import NodeMessage
from lineage_store.v1 import history_pb2 as pb

_MAPS = ("properties", "custom_properties")
_LEFT_OUT = frozenset({"last_update_time_since_epoch", *_MAPS})
"""Fields that every update changes, and those that are compared key by key."""


def field_changes(before: NodeMessage, after: NodeMessage) -> list[pb.FieldChange]:
    """Return the changes from one version to the next, ordered by field."""
    values_before, values_after = dict(_values(before)), dict(_values(after))
    return [
        pb.FieldChange(field=name, before=values_before.get(name), after=values_after.get(name))
        for name in sorted(values_before.keys() | values_after.keys())
        if values_before.get(name) != values_after.get(name)
    ]


def _values(node: NodeMessage) -> Iterator[tuple[str, str]]:
    """Yield the fields that are set, by name, with their values in terms of JSON."""
    for field, value in node.ListFields():
        if field.name not in _LEFT_OUT:
            yield field.name, _text(field, value)
    for name in _MAPS:
        for key, value in getattr(node, name).items():
            yield f"{name}.{key}", _json(_content(value))


def _text(field: Any, value: Any) -> str:  # noqa: ANN401 - a descriptor, and a value of its type
    if field.enum_type is not None:
        return _json(field.enum_type.values_by_number[value].name)
    return _json(MessageToDict(value) if isinstance(value, Message) else value)


def _content(value: Any) -> Any:  # noqa: ANN401 - a property value of any type
    kind = value.WhichOneof("value")
    content = getattr(value, kind) if kind else None
    return MessageToDict(content) if isinstance(content, Message) else content


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
