"""Checks of the fields of a request; each error names the field."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.limits import MAX_NAME

US_IN_MS = 1_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso_time(microseconds: int) -> str:
    """Return a time in µs since the epoch in ISO 8601; beyond the calendar, as a number."""
    try:
        return (_EPOCH + timedelta(microseconds=microseconds)).isoformat()
    except OverflowError:
        return f"{microseconds} µs since 1970"


def text(field: str, value: object) -> str:
    """Return a string of a request.

    The messages are of proto2, whose parser hands over a string that is not UTF-8 as bytes.

    Raises:
        InvalidArgument: It is not valid UTF-8.
    """
    if not isinstance(value, str):
        raise errors.InvalidArgument(f"{field} is not valid UTF-8")
    return value


def texts(request: Message) -> None:
    """Check the strings of a request itself, not of the messages in it.

    Raises:
        InvalidArgument: One of them is not valid UTF-8.
    """
    for name in _text_fields(request.DESCRIPTOR):
        value = getattr(request, name)
        for item in [value] if isinstance(value, (str, bytes)) else value:
            text(name, item)


@lru_cache(maxsize=256)
def _text_fields(descriptor: Descriptor) -> tuple[str, ...]:
    return tuple(field.name for field in descriptor.fields if field.type == field.TYPE_STRING)


def bounded(field: str, name: Any) -> str:  # noqa: ANN401 - text, or what stands in its place
    """Return a name, external id or property name that the store can index.

    Raises:
        InvalidArgument: It is too long, or not valid UTF-8.
    """
    if len(text(field, name)) > MAX_NAME:
        raise errors.InvalidArgument(
            f"{field} has {len(name)} characters; at most {MAX_NAME} are allowed"
        )
    return str(name)


def required(message: Message, field: str, where: str) -> Any:  # noqa: ANN401 - the type of the field
    """Return a field of a message.

    Raises:
        InvalidArgument: It is not set.
    """
    if not message.HasField(field):
        raise errors.InvalidArgument(f"{where}{field} must be set")
    return getattr(message, field)


def non_empty_all(field: str, texts: Iterable[str]) -> list[str]:
    """Return a list of texts.

    Raises:
        InvalidArgument: One of them is empty.
    """
    if "" in texts:
        raise errors.InvalidArgument(f"{field} must not contain an empty string")
    return list(texts)
