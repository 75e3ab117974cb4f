"""Parts of an answer, put together from stored bytes."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lineage_store.engine.responses import one
from lineage_store.kinds import NodeKind
from lineage_store.lineage.adjacency.arena import Piece
from lineage_store.v1 import lineage_pb2 as pb
from lineage_store.wire import integer_field, message_prefix

PART_BYTES = 1_000_000
"""About how large a part of a streamed answer is."""

_VARINT_ENDS = np.array([1 << 7 * size for size in range(1, 9)])
"""The first number that takes more than 1, 2, … bytes as a varint; ids stay below 2^53."""

_ID_TAG = b"\x08"

_FIELDS = {name: field.number for name, field in pb.TraceResponse.DESCRIPTOR.fields_by_name.items()}


def id_only(node_id: int) -> bytes:
    """Return an encoded artifact, execution or context that has its id alone."""
    return integer_field(1, node_id)


def ids_only(field_number: int, ids: NDArray[np.int64]) -> list[Piece]:
    """Return the encoding of a repeated field of nodes that have their ids alone.

    Args:
        field_number: The number of the field.
        ids: The ids, ascending.
    """
    pieces: list[Piece] = []
    first = 0
    for size, last in enumerate(np.searchsorted(ids, _VARINT_ENDS).tolist(), 1):
        if last > first:
            before = message_prefix(field_number, 1 + size) + _ID_TAG
            pieces.append(_framed_varints(ids[first:last], size, before).data)
        first = last
    return pieces


def _framed_varints(values: NDArray[np.int64], size: int, before: bytes) -> NDArray[np.uint8]:
    """Return values that take so many bytes as varints, each behind some bytes."""
    matrix = np.empty((len(values), len(before) + size), np.uint8)
    matrix[:, : len(before)] = np.frombuffer(before, np.uint8)
    for at in range(size):
        group = (values >> 7 * at) & 0x7F
        matrix[:, len(before) + at] = group | (0x80 if at < size - 1 else 0)
    return matrix


def size_of(pieces: Iterable[Piece]) -> int:
    """Return how many bytes some pieces have together."""
    return sum(len(piece) if isinstance(piece, bytes) else piece.nbytes for piece in pieces)


def joined(field_number: int, pieces: Sequence[Piece]) -> bytes:
    """Return the encoding of a message field whose content is given in pieces."""
    size = size_of(pieces)
    return b"".join([message_prefix(field_number, size), *pieces])


def parts(
    hop: int, kind: NodeKind, nodes: Iterable[bytes], events: Sequence[bytes]
) -> Iterator[bytes]:
    """Return encoded TraceResponses that together hold some nodes and events, none too large."""
    start = integer_field(_FIELDS["hop"], hop)
    fields = [message_prefix(_FIELDS[kind.plural], len(body)) + body for body in nodes]
    fields += [message_prefix(_FIELDS["events"], len(body)) + body for body in events]
    batch: list[bytes] = []
    size = 0
    for field in fields:
        if batch and size + len(field) > PART_BYTES:
            yield start + b"".join(batch)
            batch, size = [], 0
        batch.append(field)
        size += len(field)
    if batch:
        yield start + b"".join(batch)


def last_part(verdict: pb.Verdict) -> bytes:
    """Return the encoded TraceResponse that ends an answer."""
    return one(_FIELDS["verdict"], verdict.SerializeToString())
