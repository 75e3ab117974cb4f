"""Property values of ML Metadata as messages, read as ML Metadata itself reads them."""

import base64
import binascii
from typing import TypeVar

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError, Message
from google.protobuf.struct_pb2 import Struct

from lineage_store.database.mlmd.records import PropertyRecord
from lineage_store.database.staging.node_rows import STRUCT_PREFIX
from lineage_store.transfer.mlmd.findings import Findings
from lineage_store.transfer.mlmd.texts import any_text
from lineage_store.v1 import metadata_pb2 as pb

M = TypeVar("M", bound=Message)

Cell = str | bytes | int | float

UNREADABLE_STRING = "__MLMD_NULL__"
"""A string that ML Metadata takes for a value that is not there."""

_ORDER = ("int_value", "double_value", "string_value", "proto_value", "bool_value")


def value_of(record: PropertyRecord, where: str, findings: Findings) -> pb.Value | None:
    """Return the value of a property, or None if there is none that can be kept."""
    filled = [name for name in _ORDER if getattr(record, name) is not None]
    if not filled:
        findings.add(where, "has no value", "it is left out")
        return None
    if len(filled) > 1:
        action = f"{filled[0]} is kept, as ML Metadata reads it"
        findings.add(where, f"has several values: {', '.join(filled)}", action)
    cell = getattr(record, filled[0])
    try:
        return _READERS[filled[0]](cell, where, findings)
    except (ValueError, TypeError, OverflowError):
        findings.add(where, f"holds no {filled[0]} but something else", "it is left out")
        return None


def _int_value(cell: Cell, _where: str, _findings: Findings) -> pb.Value:
    return pb.Value(int_value=int(cell))


def _double_value(cell: Cell, _where: str, _findings: Findings) -> pb.Value:
    return pb.Value(double_value=float(cell))


def _bool_value(cell: Cell, _where: str, _findings: Findings) -> pb.Value:
    return pb.Value(bool_value=bool(int(cell)))


def _string_value(cell: Cell, where: str, findings: Findings) -> pb.Value:
    text = any_text(_text_cell(cell), where, findings)
    if text == UNREADABLE_STRING:
        findings.add(where, f"is {text!r}, which ML Metadata can't read", "it is kept as it is")
    if text.startswith(STRUCT_PREFIX):
        struct = _decoded(Struct(), text.removeprefix(STRUCT_PREFIX))
        if struct is not None:
            return pb.Value(struct_value=struct)
        findings.add(where, "is a Struct that can't be decoded", "it is kept as a string")
    return pb.Value(string_value=text)


def _proto_value(cell: Cell, where: str, findings: Findings) -> pb.Value:
    text = any_text(_text_cell(cell), where, findings)
    message = _decoded(AnyMessage(), text)
    if message is None:
        findings.add(where, "is a proto that can't be decoded", "it is kept as a string")
        return pb.Value(string_value=text)
    if not message.type_url:
        reason = "is an Any without type_url, which ML Metadata can't read"
        findings.add(where, reason, "it is kept as it is")
    return pb.Value(proto_value=message)


def _text_cell(cell: object) -> str | bytes:
    return cell if isinstance(cell, str | bytes) else str(cell)


def _decoded(message: M, text: str) -> M | None:
    try:
        message.ParseFromString(base64.b64decode(text, validate=True))
    except (binascii.Error, DecodeError, ValueError):
        return None
    return message


_READERS = {
    "int_value": _int_value,
    "double_value": _double_value,
    "string_value": _string_value,
    "proto_value": _proto_value,
    "bool_value": _bool_value,
}
