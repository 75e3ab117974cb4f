"""Checks that the columns can hold values that come from outside the store."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from google.protobuf.message import Message
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, SmallInteger, Table

from lineage_store import errors
from lineage_store.database.ids import MAX_ID
from lineage_store.database.staging.cache_claims import Ended
from lineage_store.kinds import BY_NUMBER
from lineage_store.v1 import cache_pb2

MAX_BYTES = 256 * 1024 * 1024
"""Bytes of one value."""

_BITS = ((BigInteger, 63), (SmallInteger, 15), (Integer, 31))
_KNOWN = {
    "kind": frozenset(BY_NUMBER),
    "ended": frozenset(map(int, Ended)),
    "status": frozenset(cache_pb2.ArtifactReport.Status.values()),
}


def column_kinds(table: Table) -> list[tuple[str, str, bool]]:
    """Return name, kind (int64, int32, int16, text, bytes) and whether it may be empty of each."""
    return [(column.name, _kind(column), bool(column.nullable)) for column in table.c]


def _kind(column: Column[object]) -> str:
    if isinstance(column.type, Integer):
        return f"int{_bits(column) + 1}"
    return "bytes" if isinstance(column.type, LargeBinary) else "text"


def _bits(column: Column[object]) -> int:
    """Return the bits of a number, its sign aside."""
    return next(bits for kind, bits in _BITS if isinstance(column.type, kind))


def check_value(column: Column[object], value: object) -> None:
    """Check a value of a column.

    Raises:
        InvalidArgument: The column can't hold it.
    """
    if value is None:
        if not column.nullable:
            raise errors.InvalidArgument(f"{column.name} is missing")
        return
    _checker(column)(column, value)


@lru_cache(maxsize=256)
def _checker(column: Column[object]) -> Callable[[Column[Any], Any], None]:
    if isinstance(column.type, Integer):
        return _check_number
    return _check_bytes if isinstance(column.type, LargeBinary) else _check_string


def _check_number(column: Column[object], value: object) -> None:
    if type(value) is not int:
        raise errors.InvalidArgument(f"{column.name} is not a whole number")
    least, greatest = _range(column)
    if not least <= value <= greatest:
        raise errors.InvalidArgument(f"{column.name} is not between {least} and {greatest}")
    if column.name in _KNOWN and value not in _KNOWN[column.name]:
        raise errors.InvalidArgument(f"there is no {column.name} {value}")


@lru_cache(maxsize=256)
def _range(column: Column[object]) -> tuple[int, int]:
    """Return the least and the greatest number that a column can hold."""
    if column.name == "id" or column.name.endswith("_id"):
        return 1, MAX_ID
    bits = _bits(column)
    return -(2**bits), 2**bits - 1


def _check_bytes(column: Column[object], value: object) -> None:
    if not isinstance(value, bytes):
        raise errors.InvalidArgument(f"{column.name} is not bytes")
    length = column.type.length  # type: ignore[attr-defined]
    if length is not None and len(value) != length:
        raise errors.InvalidArgument(f"{column.name} does not have {length} bytes")
    if len(value) > MAX_BYTES:
        raise errors.InvalidArgument(f"{column.name} has more than {MAX_BYTES} bytes")


def _check_string(column: Column[object], value: object) -> None:
    if not isinstance(value, str):
        raise errors.InvalidArgument(f"{column.name} is not a text")
    length = column.type.length  # type: ignore[attr-defined]
    if length is not None and len(value) > length:
        raise errors.InvalidArgument(f"{column.name} has more than {length} characters")
    if len(value) > MAX_BYTES or (not value.isascii() and not _is_utf8(value)):
        raise errors.InvalidArgument(f"{column.name} is not a text that a database can hold")


def _is_utf8(text: str) -> bool:
    """Return whether a text has no half of a surrogate pair, which JSON can bring in."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_text(message: Message) -> None:
    """Check that all strings in a message are UTF-8, which proto2 does not.

    Raises:
        InvalidArgument: One is not.
    """
    if not has_valid_text(message):
        raise errors.InvalidArgument("a string in the body is not UTF-8")


def has_valid_text(message: Message) -> bool:
    """Return whether all strings in a message are UTF-8."""
    try:
        return all(
            _is_valid(value, field.type == field.TYPE_STRING)
            for field, value in message.ListFields()
        )
    except UnicodeDecodeError:  # raised by a map whose key is not UTF-8
        return False


def _is_valid(value: Any, is_string: bool) -> bool:  # noqa: ANN401 - of the column's type
    if isinstance(value, Message):
        return has_valid_text(value)
    if isinstance(value, bytes):
        return not is_string
    if isinstance(value, str | int | float):
        return True
    if hasattr(value, "items"):
        return all(_is_valid(item, True) for item in dict(value).values())  # noqa: FBT003
    return all(_is_valid(item, is_string) for item in value)
