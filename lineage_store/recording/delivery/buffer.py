"""The memory of a sender: records that wait, that are on their way, or that were put off."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

from lineage_store.recording.delivery.record_queue import BATCH_RECORDS, Queue, QueuedRecord

LINGER_SECONDS = 0.02
"""Seconds to wait for more records before a batch is sent."""


class Buffer(Queue):
    """A queue that several threads share: whoever calls a method holds `changed`.

    Args:
        most_records: The bound on the records that wait.
        most_bytes: The bound on their bytes.
        retry_seconds: How long records that are put off wait.

    Attributes:
        changed: The lock; notified when records were taken, came back or were settled.
        sending: The records that are on their way.
        failure_count: How many batches came back with a record that was not settled.
    """

    def __init__(self, most_records: int, most_bytes: int, retry_seconds: float) -> None:
        super().__init__(most_records, most_bytes)
        self.changed = threading.Condition()
        self.sending: list[QueuedRecord] = []
        self.failure_count = 0
        self._retry_seconds = retry_seconds
        self._deferred_records: list[QueuedRecord] = []
        self._deferred_until = 0.0
        self._hurry_count = 0

    @property
    def is_empty(self) -> bool:
        """True if no record waits, is on its way or was put off."""
        return not len(self) and not self.sending and not self._deferred_records

    @property
    def is_journalled(self) -> bool:
        """True if the journal has all records."""
        return all(each.number for each in chain(self.sending, self.unsent()))

    def unsent(self) -> Iterator[QueuedRecord]:
        """Yield the records that are not on their way, in their order."""
        return chain(self._deferred_records, self.all)

    def gather(self) -> list[QueuedRecord]:
        """Return all unsettled records, those on their way first; none is put off any more."""
        self._end_deferral()
        return [each for each in (*self.sending, *self.all) if not each.is_settled]

    def await_space(self, is_hopeless: Callable[[], bool], seconds: float) -> None:
        """Wait until the buffer is not full, while there is hope and time."""
        self.changed.wait_for(lambda: is_hopeless() or not self.is_full, seconds)

    def linger(self, is_last: Callable[[], bool]) -> None:
        """Give more records the time to come, unless someone waits for those that are here."""
        if not self._hurry_count and 0 < len(self) < BATCH_RECORDS:
            self.changed.wait_for(lambda: self._hurry_count or is_last(), LINGER_SECONDS)

    @contextmanager
    def hurry(self) -> Iterator[None]:
        """Let no record linger meanwhile."""
        self._hurry_count += 1
        self.changed.notify_all()
        try:
            yield
        finally:
            self._hurry_count -= 1

    def due(self, blocked_until: float) -> float:
        """Return when there is something to be sent, if that may not be before some time."""
        if len(self):
            return blocked_until
        return self._deferred_until if self._deferred_records else float("inf")

    def take_batch(self) -> list[QueuedRecord]:
        """Return the next records that are sent at once; they are on their way from now on."""
        if time.monotonic() >= self._deferred_until:
            self._end_deferral()
        self.sending = self.take()
        self.changed.notify_all()
        return self.sending

    def take_back(self, deferred_records: Sequence[QueuedRecord]) -> None:
        """Let the records on their way that are not settled wait again; put some of them off."""
        batch, self.sending = self.sending, []
        deferred_ids = {id(each) for each in deferred_records}
        self._deferred_records += [each for each in deferred_records if not each.is_settled]
        if deferred_ids:
            self._deferred_until = time.monotonic() + self._retry_seconds
        self.put_back([each for each in batch if id(each) not in deferred_ids])
        self.failure_count += any(not each.is_settled for each in batch)

    def _end_deferral(self) -> None:
        self.put_back(self._deferred_records)
        self._deferred_records = []
