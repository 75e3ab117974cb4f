"""Bounds of stored sizes: nodes, types, events and entries share one bound, on every database."""

from collections.abc import Iterator

from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.database.transaction import Transaction

_MAPS = ("properties", "custom_properties", "output_parameters")
_LISTS = ("components",)


def check_size(tx: Transaction, size: int, field: str, message: Message | None = None) -> None:
    """Check that the store holds something of a size.

    Args:
        tx: The transaction, which knows the bound.
        size: Bytes that are to be stored.
        field: Where they are in the request.
        message: The message that they encode, so that the error can name its largest part.

    Raises:
        InvalidArgument: It is too large; the error names the field, the size and the bound.
    """
    if size > tx.node_bound.bytes:
        raise errors.InvalidArgument(
            f"{field} has {size} bytes; the store takes {tx.node_bound.bytes} "
            f"({tx.node_bound.reason}){_largest_part(message)}"
        )


def _largest_part(message: Message | None) -> str:
    name, size = max(_parts(message), key=lambda part: part[1], default=("", 0))
    return f"; {name} has {size} of them" if name else ""


def _parts(message: Message | None) -> Iterator[tuple[str, int]]:
    """Yield the parts of a message that may be large, each with its bytes."""
    if message is None:
        return
    for field, value in message.ListFields():
        if field.name in _MAPS and hasattr(value, "items"):
            for key, item in value.items():
                yield f"{field.name}[{key[:_SHOWN]!r}]", _bytes(item)
        elif field.name in _LISTS:
            for at, item in enumerate(value):
                yield f"{field.name}[{at}]", _bytes(item)
        elif isinstance(value, (str, bytes)):
            yield field.name, _bytes(value)


_SHOWN = 100
"""Characters of a name that an error shows."""


def _bytes(value: object) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, bytes):
        return len(value)
    return int(value.ByteSize()) if hasattr(value, "ByteSize") else 0
