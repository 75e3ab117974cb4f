"""The rows of a node: its own, and those of the property index."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

from lineage_store.database.connection import Row
from lineage_store.database.tables import ESCAPED, SHORT_STRING
from lineage_store.kinds import NodeKind, NodeMessage
from lineage_store.v1 import metadata_pb2 as pb

PROPERTY_COLUMNS = (
    "node_id",
    "is_custom",
    "name",
    "int_value",
    "double_value",
    "string_value",
    "text_value",
    "bool_value",
)

STRUCT_PREFIX = "mlmd-struct::"
"""The prefix of a Struct in the string column of ML Metadata; filters see it too."""


def uri_hash(uri: str) -> int:
    """Return a 64-bit digest of a uri, short enough for an index on any database."""
    return int.from_bytes(hashlib.sha256(uri.encode()).digest()[:8], "big", signed=True)


def encoded(message: NodeMessage) -> bytes:
    """Return a message as it is stored."""
    body: bytes = message.SerializeToString(deterministic=True)
    return body


def node_row(
    kind: NodeKind, message: NodeMessage, body: bytes, revision: int, recorded_at: int
) -> Row:
    """Return the row of a node, of which `body` is the encoding."""
    return (
        message.id,
        message.type_id,
        message.name if message.HasField("name") else None,
        message.external_id or None,
        *_own_columns(kind, message),
        message.create_time_since_epoch,
        message.last_update_time_since_epoch,
        revision,
        recorded_at,
        body,
    )


def _own_columns(kind: NodeKind, message: Any) -> Row:  # noqa: ANN401 - only an artifact has a uri
    if kind.state_field is None:
        return ()
    has_state = message.HasField(kind.state_field)
    state = getattr(message, kind.state_field) if has_state else None
    if kind.name == "artifact":
        return (message.uri, uri_hash(message.uri), state)
    return (state,)


def property_rows(message: NodeMessage) -> Iterator[Row]:
    """Return the index rows of both property maps."""
    for is_custom, values in ((False, message.properties), (True, message.custom_properties)):
        for name, value in values.items():
            yield (message.id, is_custom, name, *_value_columns(value))


def _value_columns(value: pb.Value) -> Row:
    """Return int, double, short string, long string, bool; all None for an encoded message."""
    kind = value.WhichOneof("value")
    if kind == "string_value":  # first, for most are
        return _string_columns(value.string_value)
    if kind == "int_value":
        return (value.int_value, None, None, None, None)
    if kind == "double_value":
        number = value.double_value
        return (None, None if number != number else number, None, None, None)  # noqa: PLR0124 - NaN
    if kind == "bool_value":
        return (None, None, None, None, value.bool_value)
    if kind == "struct_value":
        encoded = value.struct_value.SerializeToString(deterministic=True)
        return _string_columns(STRUCT_PREFIX + base64.b64encode(encoded).decode())
    return (None, None, None, None, None)


def _string_columns(text: str) -> Row:
    if len(text) <= SHORT_STRING and (text.isprintable() or _escaped_length(text) <= SHORT_STRING):
        return (None, None, text, None, None)
    return (None, None, text[:SHORT_STRING], text, None)


def _escaped_length(text: str) -> int:
    """Return how many characters a text has where NUL is written as two, as on PostgreSQL."""
    return len(text) + sum(map(text.count, ESCAPED))
