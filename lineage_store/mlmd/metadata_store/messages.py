"""Messages of the ml_metadata package, taken for our own.

Both packages define the same messages under different full names, so that one process can import
both. To protobuf they are unrelated classes, and only their bytes say that they are equal.
"""

from collections.abc import Iterable
from typing import TypeVar

from google.protobuf.message import Message

M = TypeVar("M", bound=Message)


def stands_for(cls: type[Message], message: object) -> bool:
    """Return whether `message` is a `cls`, or of the class of that name in ml_metadata."""
    if isinstance(message, cls):
        return True
    theirs = f"ml_metadata.{cls.DESCRIPTOR.name}"
    return isinstance(message, Message) and message.DESCRIPTOR.full_name == theirs


def own(cls: type[M], message: Message) -> M:
    """Return `message` as a `cls`.

    Raises:
        TypeError: It is neither a `cls` nor its counterpart in ml_metadata.
    """
    if isinstance(message, cls):
        return message
    if not stands_for(cls, message):
        raise TypeError(f"expected a message {cls.DESCRIPTOR.name}, got a {type(message).__name__}")
    return cls.FromString(message.SerializePartialToString())


def own_or_none(cls: type[M], message: Message | None) -> M | None:
    """Return `message` as a `cls`, like `own`; None, which leaves a field unset, stays None."""
    return None if message is None else own(cls, message)


def own_all(cls: type[M], messages: Iterable[Message] | None) -> list[M]:
    """Return all `messages` as `cls`, like `own`; for None, none."""
    return [own(cls, message) for message in messages or ()]
