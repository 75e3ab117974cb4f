"""Values of a store as ML Metadata can hold and read them."""

import base64
import math
from collections.abc import Callable
from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError, Message
from google.protobuf.struct_pb2 import Struct

from lineage_store.database.mlmd.target import Capacity
from lineage_store.database.staging.node_rows import STRUCT_PREFIX
from lineage_store.limits import MAX_NAME
from lineage_store.transfer.mlmd.findings import Findings
from lineage_store.transfer.mlmd.texts import shortened
from lineage_store.transfer.mlmd.values import UNREADABLE_STRING
from lineage_store.v1 import metadata_pb2 as pb

LEFT_OUT = "it is left out"

Values = tuple[int | None, float | None, str | None, bytes | None, bool | None]


class Fitting:
    """Makes values fit.

    Args:
        capacity: The limits of the database.
        findings: Receives the values that do not fit.
    """

    def __init__(self, capacity: Capacity, findings: Findings) -> None:
        self._capacity = capacity
        self._findings = findings
        self._readers: dict[str, Callable[[Any, str], Values | None]] = {
            "int_value": self._int,
            "double_value": self._double,
            "string_value": self._string,
            "struct_value": self._struct,
            "proto_value": self._proto,
            "bool_value": lambda value, _: (None, None, None, None, value),
        }

    def key(self, text: str, where: str) -> str:
        """Return a name; one that had to be changed stays unlike all others."""
        most = self._capacity.name
        if most is not None and self._capacity.measure(text) > most:
            message = f"is longer than {most}"
        elif "\0" in text:
            message = "holds a NUL character"
        else:
            return text
        changed = shortened(text, most or MAX_NAME, self._capacity.measure)
        self._findings.add(where, message, f"it is now {changed!r}")
        return changed

    def text(self, text: str, where: str) -> str | None:
        """Return a text, or None where it is too long."""
        return self._bounded(text, where, self._capacity.text)

    def number(self, number: int, where: str) -> int | None:
        """Return an integer, or None where it is too large."""
        if number in self._capacity.ints:
            return number
        self._findings.add(where, f"is {number}, beyond 32 bits", LEFT_OUT)
        return None

    def values(self, value: pb.Value, where: str) -> Values | None:
        """Return the value of a property as the columns of its row, or None if it is left out."""
        kind = value.WhichOneof("value")
        return self._readers[kind](getattr(value, kind), where) if kind else None

    def _int(self, number: int, where: str) -> Values | None:
        fitting_number = self.number(number, where)
        return None if fitting_number is None else (fitting_number, None, None, None, None)

    def _double(self, number: float, where: str) -> Values | None:
        if math.isnan(number) or (math.isinf(number) and not self._capacity.has_infinity):
            self._findings.add(where, f"is {number}, which the database can't hold", LEFT_OUT)
            return None
        return (None, number, None, None, None)

    def _string(self, text: str, where: str) -> Values | None:
        if text == UNREADABLE_STRING:
            self._findings.add(where, f"is {text!r}, which ML Metadata can't read", LEFT_OUT)
            return None
        if text.startswith(STRUCT_PREFIX):
            if not _is_struct(text.removeprefix(STRUCT_PREFIX)):
                message = f"begins with {STRUCT_PREFIX!r} and is no Struct"
                self._findings.add(where, f"{message}, which ML Metadata can't read", LEFT_OUT)
                return None
            message = "is a string that reads like a Struct"
            self._findings.add(where, message, "ML Metadata takes it for one")
        return self._text_value(self._without_nul(text, where), where)

    def _struct(self, message: Message, where: str) -> Values | None:
        encoded = base64.b64encode(message.SerializeToString(deterministic=True))
        return self._text_value(STRUCT_PREFIX + encoded.decode(), where)

    def _text_value(self, text: str, where: str) -> Values | None:
        fitting_text = self._bounded(text, where, self._capacity.long_text)
        return None if fitting_text is None else (None, None, fitting_text, None, None)

    def _proto(self, message: AnyMessage, where: str) -> Values | None:
        if not message.type_url:
            reason = "is an Any without type_url, which ML Metadata can't read"
            self._findings.add(where, reason, LEFT_OUT)
            return None
        encoded = base64.b64encode(message.SerializeToString(deterministic=True))
        if self._bounded(encoded.decode(), where, self._capacity.long_text) is None:
            return None
        return (None, None, None, encoded, None)

    def _bounded(self, text: str, where: str, most: int | None) -> str | None:
        clean_text = self._without_nul(text, where)
        if most is None or self._capacity.measure(clean_text) <= most:
            return clean_text
        self._findings.add(where, f"is longer than {most}", LEFT_OUT)
        return None

    def _without_nul(self, text: str, where: str) -> str:
        head, nul, _ = text.partition("\0")
        if nul:
            self._findings.add(where, "holds a NUL character", "what follows it is left out")
        return head


def _is_struct(encoded: str) -> bool:
    try:
        Struct().ParseFromString(base64.b64decode(encoded, validate=True))
    except (DecodeError, ValueError):
        return False
    return True
