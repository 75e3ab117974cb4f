"""Messages of the ml_metadata package, taken for our own.

Both packages define the same messages under different full names, so that one process can import
both. To protobuf they are unrelated classes, and only their bytes say that they are equal.
"""

from collections.abc import Iterable
from typing import Any, TypeGuard, TypeVar, cast

from google.protobuf.message import Message

M = TypeVar("M", bound=Message)


def stands_for(cls: type[M], message: object) -> TypeGuard[M]:
    """Whether `message` is one of `cls`, or of the class of that name in ml_metadata."""
    if isinstance(message, cls):
        return True
    theirs = f"ml_metadata.{cls.DESCRIPTOR.name}"
    return isinstance(message, Message) and message.DESCRIPTOR.full_name == theirs


def own(cls: type[M], message: M | None) -> M | None:
    """Return `message` as a `cls`; None, which leaves a field unset, stays None.

    Raises:
        TypeError: It is neither a `cls` nor its counterpart in ml_metadata.
    """
    if message is None or isinstance(message, cls):
        return message
    if not stands_for(cls, message):
        raise TypeError(f"expected {cls.DESCRIPTOR.name}, got {type(message).__name__}")
    return cls.FromString(cast("Any", message).SerializePartialToString())


def own_all(cls: type[M], messages: Iterable[M] | None) -> list[M]:
    """Return all `messages` as `cls`; None is none.

    Raises:
        TypeError: One is neither a `cls` nor its counterpart in ml_metadata.
    """
    found = [own(cls, message) for message in messages or ()]
    if None in found:
        raise TypeError(f"expected {cls.DESCRIPTOR.name}, got None")
    return cast("list[M]", found)
