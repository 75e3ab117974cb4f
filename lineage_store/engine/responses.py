"""Responses put together from stored bytes.

A repeated field is encoded as its elements one after the other, each behind a tag and a length,
so the stored bodies of nodes make up a response without being parsed.
"""

from collections.abc import Iterable

from lineage_store.wire import message_prefix

_MAX_HEADERS = 65_536


class _Headers(dict[int, bytes]):
    """The tag and the length that stand before an element of a field, by its length.

    Bodies have few lengths; to encode one costs more than to read a row.
    """

    def __init__(self, field_number: int) -> None:
        super().__init__()
        self._field_number = field_number

    def __missing__(self, length: int) -> bytes:
        header = message_prefix(self._field_number, length)
        if len(self) < _MAX_HEADERS:
            self[length] = header
        return header


_HEADERS = {number: _Headers(number) for number in range(1, 16)}


def repeated(field_number: int, bodies: Iterable[bytes]) -> bytes:
    """Return the encoding of a repeated message field, whose number is below 16."""
    bodies = bodies if isinstance(bodies, list) else list(bodies)
    parts = [b""] * (2 * len(bodies))
    parts[::2] = map(_HEADERS[field_number].__getitem__, map(len, bodies))
    parts[1::2] = bodies
    return b"".join(parts)


def one(field_number: int, body: bytes | None) -> bytes:
    """Return the encoding of a singular message field, unset if `body` is None."""
    return b"" if body is None else _HEADERS[field_number][len(body)] + body
