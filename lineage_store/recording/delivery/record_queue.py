"""Records that wait in memory, in their order, each with its number in the journal."""

from collections.abc import Iterable
from dataclasses import dataclass

from lineage_store.recording.delivery.records import Record

BATCH_RECORDS = 500
BATCH_BYTES = 8 * 1024 * 1024


@dataclass(slots=True, eq=False)
class QueuedRecord:
    """A record in memory.

    Attributes:
        record: The record.
        number: Its number in the journal; 0: it is in memory alone.
        is_settled: True if this process need not care for it any more.
    """

    record: Record
    number: int = 0
    is_settled: bool = False


class Queue:
    """Records that wait; not safe for threads.

    Args:
        most_records: The bound on records.
        most_bytes: The bound on their bytes.
    """

    def __init__(self, most_records: int, most_bytes: int) -> None:
        self._most_records = most_records
        self._most_bytes = most_bytes
        self._records: list[QueuedRecord] = []
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._records)

    @property
    def is_full(self) -> bool:
        """True if there are more records, or more bytes, than the bounds allow."""
        return len(self._records) > self._most_records or self.bytes > self._most_bytes

    @property
    def all(self) -> list[QueuedRecord]:
        """All that wait, in their order."""
        return self._records

    def append(self, queued_record: QueuedRecord) -> None:
        """Add a record behind all others."""
        self._records.append(queued_record)
        self.bytes += queued_record.record.size()

    def pop(self) -> QueuedRecord:
        """Remove the last record and return it."""
        last = self._records.pop()
        self.bytes -= last.record.size()
        return last

    def take(self) -> list[QueuedRecord]:
        """Remove the first records, as many as are sent at once, and return them."""
        size, count = 0, 0
        for queued_record in self._records[:BATCH_RECORDS]:
            size += queued_record.record.size()
            if count and size > BATCH_BYTES:
                break
            count += 1
        batch, self._records = self._records[:count], self._records[count:]
        self.bytes -= _size(batch)
        return batch

    def put_back(self, batch: Iterable[QueuedRecord]) -> None:
        """Put the unsettled records of a batch before all others again."""
        unsettled = [each for each in batch if not each.is_settled]
        self._records = [*unsettled, *self._records]
        self.bytes += _size(unsettled)

    def drop_settled(self) -> None:
        """Remove the settled records."""
        self._records = [each for each in self._records if not each.is_settled]
        self.bytes = _size(self._records)


def _size(records: Iterable[QueuedRecord]) -> int:
    return sum(each.record.size() for each in records)


def settle(records: Iterable[QueuedRecord]) -> None:
    """Mark records as settled: this process need not care for them any more."""
    for each in records:
        each.is_settled = True
