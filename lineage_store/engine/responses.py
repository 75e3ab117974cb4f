"""Responses put together from stored bytes.

A repeated field is encoded as its elements one after the other, each behind a tag and a length,
so the stored bodies of nodes make up a response without being parsed.
"""

from collections.abc import Iterable

from google.protobuf.internal.encoder import _VarintBytes  # type: ignore[attr-defined]

_LENGTH_DELIMITED = 2


def repeated(field_number: int, bodies: Iterable[bytes]) -> bytes:
    """Return the encoding of a repeated message field."""
    tag = _VarintBytes(field_number << 3 | _LENGTH_DELIMITED)
    return b"".join([part for body in bodies for part in (tag, _VarintBytes(len(body)), body)])


def one(field_number: int, body: bytes | None) -> bytes:
    """Return the encoding of a singular message field, unset if `body` is None."""
    return b"" if body is None else repeated(field_number, [body])
