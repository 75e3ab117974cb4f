"""The log of events in columns, and what puts it there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lineage_store.kinds import ARTIFACT, EXECUTION, NodeKind
from lineage_store.lineage.adjacency.arena import Arena, ArenaBuilder, joined
from lineage_store.lineage.adjacency.distinct import distinct

EventEntry = tuple[int, int, int, int, bytes, int]
"""An event of the log: its id, artifact id, execution id, type, encoded message, `recorded_at`."""

Mark = tuple[int, int]
"""The id of an event of the log and its `recorded_at`, which identify the event."""

Ids = NDArray[np.int64] | NDArray[np.int32]

SHORT = 2**31
"""The upper bound of ids of 32 bits."""

BEGINNING: Mark = (0, 0)
"""The mark of a log without events."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The beginning of a log; never changed.

    Attributes:
        ids: The ids of the nodes of each kind that have events, ascending.
        ends: The number of the node of each kind at the end of each event.
        types: The type of each event.
        arena: The encoded events.
        last: The mark of the last event.
    """

    ids: dict[NodeKind, NDArray[np.int64]]
    ends: dict[NodeKind, NDArray[np.int32]]
    types: NDArray[np.uint8]
    arena: Arena
    last: Mark

    @property
    def nbytes(self) -> int:
        """The memory they take, in bytes."""
        ids = sum(array.nbytes for array in self.ids.values())
        ends = sum(array.nbytes for array in self.ends.values())
        return ids + ends + self.types.nbytes + self.arena.nbytes


class ColumnsBuilder:
    """Puts a log into columns, part by part.

    Args:
        start: The columns to go on from; they are left as they are.
    """

    def __init__(self, start: Columns | None = None) -> None:
        self._start = start
        self._arena = ArenaBuilder(start.arena if start else None)
        self._types = [start.types] if start else []
        self._new: dict[NodeKind, list[Ids]] = {ARTIFACT: [], EXECUTION: []}
        self._count = len(start.types) if start else 0
        self.last = start.last if start else BEGINNING

    @property
    def nbytes(self) -> int:
        """About how much memory the graph is going to take; see `graph.Compressed`."""
        return self._arena.nbytes + BYTES_PER_EVENT * self._count

    def add(self, entries: Sequence[EventEntry]) -> None:
        """Put further events behind the others."""
        if not entries:
            return
        _, artifacts, executions, types, bodies, _ = zip(*entries, strict=True)
        self._new[ARTIFACT].append(_short(np.array(artifacts, np.int64)))
        self._new[EXECUTION].append(_short(np.array(executions, np.int64)))
        self._types.append(np.array(types, np.uint8))
        self._arena.add(bodies)
        self._count += len(entries)
        self.last = (entries[-1][0], entries[-1][5])

    def build(self) -> Columns:
        """Return the columns; the builder is of no more use."""
        ids, ends = {}, {}
        for kind in (ARTIFACT, EXECUTION):
            ids[kind], ends[kind] = self._numbered(kind, self._new.pop(kind))
        types = joined(self._types)
        self._types.clear()
        return Columns(ids, ends, types, self._arena.build(), self.last)

    def _numbered(
        self, kind: NodeKind, parts: list[Ids]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return the ids of all nodes of a kind, and the number of that of each event.

        Part by part, so that little is there twice.
        """
        before = self._start.ids[kind] if self._start else np.empty(0, np.int64)
        ids = distinct(np.concatenate([before, *map(distinct, parts)]))
        ends = np.empty(self._count, np.int32)
        at = 0
        if self._start is not None:
            moved = np.searchsorted(ids, before).astype(np.int32)
            at = len(self._start.ends[kind])
            ends[:at] = moved[self._start.ends[kind]]
        for part in parts:
            ends[at : at + len(part)] = np.searchsorted(ids, part)
            at += len(part)
        return ids, ends


def _short(ids: NDArray[np.int64]) -> Ids:
    """Return ids in half of the memory if they fit in there."""
    return ids.astype(np.int32) if ids.max(initial=0) < SHORT else ids


BYTES_PER_EVENT = 26
"""Memory for an event beside its encoded message: columns, rows, and the nodes at its ends."""
