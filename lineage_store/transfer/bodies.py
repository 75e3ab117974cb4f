"""Encoded messages as JSON, byte for byte.

The JSON is protobuf's own mapping, with the names of the schema, so any protobuf library of any
language reads it. What that mapping can't say exactly (NaN in a Struct, a value without a kind,
fields of a newer schema) is kept as the bytes themselves.
"""

import base64
import binascii
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError, EncodeError, Message

from lineage_store import errors

JSON = "body"
BYTES = "body_base64"

_FAILURES = (json_format.Error, DecodeError, EncodeError, TypeError, ValueError, RecursionError)


def to_json(message_class: type[Message], body: bytes) -> dict[str, Any]:
    """Return the member of a record that holds a body: as JSON if that is exact."""
    try:
        message = message_class.FromString(body)
        fields = json_format.MessageToDict(message, preserving_proto_field_name=True)
        if _encoded(message_class, fields) == body:
            return {JSON: {name: _ordered(value) for name, value in fields.items()}}
    except _FAILURES:
        pass
    return {BYTES: base64.b64encode(body).decode()}


def _ordered(value: object) -> object:
    """Return a map by its keys: protobuf gives them in any order."""
    return dict(sorted(value.items())) if isinstance(value, dict) else value


def _encoded(message_class: type[Message], value: dict[str, Any]) -> bytes:
    message = json_format.ParseDict(value, message_class())
    encoded: bytes = message.SerializeToString(deterministic=True)
    return encoded


def from_json(message_class: type[Message], record: dict[str, Any]) -> bytes:
    """Return the body that a record has; the inverse of `to_json`.

    Raises:
        InvalidArgument: It has none, or two, or one that is malformed.
    """
    if (JSON in record) == (BYTES in record):
        raise errors.InvalidArgument(f"it must have either {JSON} or {BYTES}")
    try:
        if JSON in record:
            if not isinstance(record[JSON], dict):
                raise errors.InvalidArgument(f"{JSON} is not an object")
            return _encoded(message_class, record[JSON])
        return base64.b64decode(record[BYTES], validate=True)
    except binascii.Error:
        raise errors.InvalidArgument(f"{BYTES} is not base64") from None
    except _FAILURES:
        raise errors.InvalidArgument(f"{JSON} is no {message_class.DESCRIPTOR.name}") from None
