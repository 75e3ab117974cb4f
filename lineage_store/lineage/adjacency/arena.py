"""Encoded events, kept as they are sent.

Events of one length are the rows of one matrix, so a million of them are picked out at once, and no
event needs an offset. Lengths are few: ids grow slowly, and paths repeat.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lineage_store.lineage.adjacency.distinct import distinct
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.wire import message_prefix

Numbers = NDArray[np.integer[Any]]
Bytes = NDArray[np.uint8]

Piece = bytes | memoryview
"""A piece of an encoded message; many small elements of it are the rows of a matrix."""

MAX_LENGTHS = 255
"""Lengths that have a matrix; events of further lengths are kept one by one."""

FEW = 64
"""Events from which on it is quicker to pick them out together."""

LONG = 255
"""The code of events that are kept one by one."""

OVERHEAD = 80
"""About how many bytes Python needs for an event that is kept alone, beside its own."""

_EVENTS = pb.LineageGraph.DESCRIPTOR.fields_by_name["events"].number
_EVENTS_TAG = message_prefix(_EVENTS, 0)[:-1]


prefix = partial(message_prefix, _EVENTS)
"""Returns the bytes before an event of a size in the field `events` of a LineageGraph."""


def framed(body: bytes) -> bytes:
    """Return an encoded event as an element of the field `events` of a LineageGraph."""
    return prefix(len(body)) + body


class Arena:
    """The encoded events of a log, by number; never changed.

    Args:
        sizes: The length of the events in each matrix.
        matrices: A row for each event of that length: what `framed` makes of it.
        long: The events of further lengths, framed.
        codes: For each event, its matrix, or LONG.
        rows: For each event, its row in it, or its place in `long`.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        matrices: Sequence[Bytes],
        long: Sequence[bytes],
        codes: Bytes,
        rows: NDArray[np.int32],
    ) -> None:
        self.sizes, self.matrices, self.long = sizes, matrices, long
        self.codes, self.rows = codes, rows
        self._codes, self._rows = codes.data, rows.data

    @property
    def nbytes(self) -> int:
        """The memory it takes, in bytes."""
        arrays = (
            sum(matrix.nbytes for matrix in self.matrices) + self.codes.nbytes + self.rows.nbytes
        )
        return arrays + sum(len(body) + OVERHEAD for body in self.long)

    def body(self, number: int) -> bytes:
        """Return an encoded event."""
        frame = self._frame(number)
        return frame[_start(frame) :]

    def bodies(self, numbers: Numbers) -> list[bytes]:
        """Return some encoded events, in order."""
        codes, rows = self.codes[numbers], self.rows[numbers]
        bodies = [b""] * len(numbers)
        for code in np.flatnonzero(np.bincount(codes, minlength=1)).tolist():
            places = np.flatnonzero(codes == code)
            if code == LONG:
                part = [self.body(number) for number in numbers[places].tolist()]
            else:
                part = _split(self.matrices[code].take(rows[places], axis=0), self.sizes[code])
            for place, body in zip(places.tolist(), part, strict=True):
                bodies[place] = body
        return bodies

    def frames(self, numbers: Numbers) -> list[Piece]:
        """Return some events, framed, in pieces that only need to be joined; in no order."""
        pieces: list[Piece] = []
        if len(numbers) < FEW:
            pieces += map(self._frame, numbers.tolist())
            return pieces
        codes = self.codes[numbers]
        rows = self.rows[numbers]
        for code in np.flatnonzero(np.bincount(codes, minlength=1)).tolist():
            size_rows = rows[codes == code]
            if code == LONG:
                pieces += [self.long[row] for row in size_rows.tolist()]
            else:
                pieces.append(self.matrices[code].take(size_rows, axis=0).data)
        return pieces

    def _frame(self, number: int) -> bytes:
        code, row = self._codes[number], self._rows[number]
        return self.long[row] if code == LONG else self.matrices[code][row].tobytes()


def _split(matrix: Bytes, size: int) -> list[bytes]:
    """Return the last bytes of each row of a matrix."""
    width = matrix.shape[1]
    joint = matrix.tobytes()
    return [joint[end - size : end] for end in range(width, len(joint) + 1, width)]


def _start(frame: bytes) -> int:
    """Return where the event in a frame begins: behind its tag and the bytes of its length."""
    at = len(_EVENTS_TAG)
    while frame[at] & 0x80:
        at += 1
    return at + 1


class ArenaBuilder:
    """Puts events into an arena.

    Args:
        start: The arena to go on from; it is left as it is.
    """

    def __init__(self, start: Arena | None = None) -> None:
        self._sizes = list(start.sizes) if start else []
        self._code_of = {size: code for code, size in enumerate(self._sizes)}
        # A buffer that grows in place: parts would all be there twice while they are joined.
        self._buffers = [bytearray(m.data.cast("B")) for m in start.matrices] if start else []
        self._counts = [len(m) for m in start.matrices] if start else []
        self._long = list(start.long) if start else []
        self._codes: list[Bytes] = [start.codes] if start else []
        self._rows: list[NDArray[np.int32]] = [start.rows] if start else []
        self.nbytes = start.nbytes if start else 0

    def add(self, bodies: Sequence[bytes]) -> None:
        """Put further encoded events behind the others."""
        lengths = np.fromiter(map(len, bodies), np.int64, len(bodies))
        codes = np.empty(len(bodies), np.uint8)
        rows = np.empty(len(bodies), np.int32)
        for size in distinct(lengths).tolist():
            places = np.flatnonzero(lengths == size)
            code = self._code(size)
            codes[places] = code
            rows[places] = self._put(code, size, [bodies[i] for i in places.tolist()])
        self._codes.append(codes)
        self._rows.append(rows)
        self.nbytes += codes.nbytes + rows.nbytes

    def build(self) -> Arena:
        """Return the arena; the builder is of no more use."""
        matrices = [
            np.frombuffer(buffer, np.uint8).reshape(-1, len(prefix(size)) + size)
            for size, buffer in zip(self._sizes, self._buffers, strict=True)
        ]
        codes, rows = joined(self._codes), joined32(self._rows)
        self._codes.clear()
        self._rows.clear()
        return Arena(self._sizes, matrices, self._long, codes, rows)

    def _code(self, size: int) -> int:
        if size not in self._code_of and len(self._sizes) < MAX_LENGTHS:
            self._code_of[size] = len(self._sizes)
            self._sizes.append(size)
            self._buffers.append(bytearray())
            self._counts.append(0)
        return self._code_of.get(size, LONG)

    def _put(self, code: int, size: int, bodies: Sequence[bytes]) -> NDArray[np.int32]:
        """Keep events of one size; return their rows."""
        if code == LONG:
            first = len(self._long)
            self._long += map(framed, bodies)
            self.nbytes += len(bodies) * (size + OVERHEAD)
        else:
            first = self._counts[code]
            self._counts[code] += len(bodies)
            before = prefix(size)
            self._buffers[code] += before.join([b"", *bodies])
            self.nbytes += len(bodies) * (len(before) + size)
        return np.arange(first, first + len(bodies), dtype=np.int32)


def joined(parts: Sequence[Bytes]) -> Bytes:
    """Return parts of an array as one."""
    return np.concatenate(parts) if parts else np.empty(0, np.uint8)


def joined32(parts: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
    """Return parts of an array as one."""
    return np.concatenate(parts) if parts else np.empty(0, np.int32)
