"""Responses put together from stored bytes.

A repeated field is encoded as its elements one after the other, each behind a tag and a length,
so the stored bodies of nodes make up a response without being parsed.
"""

from collections.abc import Iterable
from functools import lru_cache

from google.protobuf.internal.encoder import _VarintBytes  # type: ignore[attr-defined]

_LENGTH_DELIMITED = 2


def repeated(field_number: int, bodies: Iterable[bytes]) -> bytes:
    """Return the encoding of a repeated message field."""
    return b"".join([part for body in bodies for part in (_header(field_number, len(body)), body)])


@lru_cache(maxsize=65_536)  # bodies have few lengths; to encode one costs more than to read a row
def _header(field_number: int, length: int) -> bytes:
    """Return the tag and the length that stand before an element."""
    tag: bytes = _VarintBytes(field_number << 3 | _LENGTH_DELIMITED)
    encoded_length: bytes = _VarintBytes(length)
    return tag + encoded_length


def one(field_number: int, body: bytes | None) -> bytes:
    """Return the encoding of a singular message field, unset if `body` is None."""
    return b"" if body is None else repeated(field_number, [body])
