"""Records that wait in memory, in their order, each with what keeps it meanwhile."""

from collections.abc import Iterable
from dataclasses import dataclass

from lineage_store.recording.delivery.records import Record

BATCH_RECORDS = 500
BATCH_BYTES = 8 * 1024 * 1024


@dataclass(slots=True, eq=False)
class Waiting:
    """A record in memory.

    Attributes:
        record: The record.
        number: Its number in the journal; 0: it is in memory alone.
        is_settled: Whether this process need not care for it any more.
    """

    record: Record
    number: int = 0
    is_settled: bool = False


class Queue:
    """Records that wait; not safe for threads.

    Args:
        most_records: How many of them make it full.
        most_bytes: How many bytes of them make it full.
    """

    def __init__(self, most_records: int, most_bytes: int) -> None:
        self._most_records = most_records
        self._most_bytes = most_bytes
        self._waiting: list[Waiting] = []
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether there are more than may be."""
        return len(self._waiting) > self._most_records or self.bytes > self._most_bytes

    @property
    def all(self) -> list[Waiting]:
        """All that wait, in their order."""
        return self._waiting

    def append(self, waiting: Waiting) -> None:
        """Add a record behind all others."""
        self._waiting.append(waiting)
        self.bytes += waiting.record.size()

    def pop(self) -> Waiting:
        """Remove the last record and return it."""
        last = self._waiting.pop()
        self.bytes -= last.record.size()
        return last

    def take(self) -> list[Waiting]:
        """Remove the first records, as many as are sent at once, and return them."""
        size, count = 0, 0
        for waiting in self._waiting[:BATCH_RECORDS]:
            size += waiting.record.size()
            if count and size > BATCH_BYTES:
                break
            count += 1
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        self.bytes -= _size(taken)
        return taken

    def put_back(self, taken: Iterable[Waiting]) -> None:
        """Put those that are not settled before all others again."""
        left = [each for each in taken if not each.is_settled]
        self._waiting = [*left, *self._waiting]
        self.bytes += _size(left)

    def drop_settled(self) -> None:
        """Remove those that are settled."""
        self._waiting = [each for each in self._waiting if not each.is_settled]
        self.bytes = _size(self._waiting)


def _size(waiting: Iterable[Waiting]) -> int:
    return sum(each.record.size() for each in waiting)


def settle(waiting: Iterable[Waiting]) -> None:
    """Say of records that this process need not care for them any more."""
    for each in waiting:
        each.is_settled = True
