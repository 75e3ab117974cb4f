"""The place of records that the store has not taken: a file, else the memory, else none."""

from collections.abc import Callable, Sequence

from lineage_store.recording.delivery.buffer import Buffer
from lineage_store.recording.delivery.courier import Courier
from lineage_store.recording.delivery.guard import GuardedJournal
from lineage_store.recording.delivery.losses import Losses
from lineage_store.recording.delivery.record_queue import QueuedRecord, settle

NO_ROOM = "the store is away, no file takes them, and the memory for them is full"
AT_THE_END = "the process ended while the store was away and no file took them"


class Keeper:
    """Moves records from the buffer to files; whoever calls a method holds the buffer's lock.

    The spool takes them all, in their order. If that fails, the journal has them; the buffer has
    those that no file takes, as many as it may, and the others are counted as lost.

    Args:
        buffer: The records in memory.
        courier: Knows the spool, and whether the store is away.
        journal: Has each record from the beginning, if it works.
        losses: Counts lost records.
        is_child: Whether this process was forked: it sends nothing, so its journal is taken over
            when it ends.
    """

    def __init__(
        self,
        buffer: Buffer,
        courier: Courier,
        journal: GuardedJournal,
        losses: Losses,
        *,
        is_child: bool,
    ) -> None:
        self._buffer = buffer
        self._courier = courier
        self._journal = journal
        self._losses = losses
        self._is_child = is_child

    def make_room(self, seconds: float) -> None:
        """Move waiting records to a file; if none takes them, wait for a store that is there."""
        if not (self._courier.spool_rests and self._journal.rests):
            self.spill()
        if self._buffer.is_full:
            self._buffer.await_space(lambda: self._courier.is_away, seconds)
        self.drop_excess()

    def spill(self) -> None:
        """Move all records to a file; those on their way go first, to keep the order."""
        queued_records = self._buffer.gather()
        if queued_records and self._courier.spool([each.record for each in queued_records]):
            settle(queued_records)
        else:
            self._leave_to_journal(queued_records)
        self._buffer.drop_settled()
        if not self._is_child:
            self._journal.settle(self._buffer.all)

    def _leave_to_journal(self, queued_records: Sequence[QueuedRecord]) -> None:
        """Leave records to the journal: those that it has, and those that it takes now."""
        for each in queued_records:
            each.number = each.number or self._journal.append(each.record)
            if not each.number:
                break
        if self._is_child:
            settle([each for each in queued_records if each.number])
        else:
            self._journal.release(queued_records)

    def drop_excess(self) -> None:
        """Drop the latest records, until the others have room."""
        self._drop(lambda: self._buffer.is_full, NO_ROOM)

    def drop_all(self) -> None:
        """Drop all records that wait: no file took them, and the process ends."""
        self._drop(lambda: bool(len(self._buffer)), AT_THE_END)

    def _drop(self, is_too_much: Callable[[], bool], why: str) -> None:
        dropped = 0
        while is_too_much():
            self._buffer.pop()
            dropped += 1
        if dropped:
            self._losses.count(dropped, why)
