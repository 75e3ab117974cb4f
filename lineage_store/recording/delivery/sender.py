"""One background thread that brings records to the store, or to the spool if it is away."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain

from lineage_store.client.transport import Transport
from lineage_store.recording.delivery.courier import Courier
from lineage_store.recording.delivery.guard import GuardedJournal
from lineage_store.recording.delivery.losses import SUFFIX, Losses
from lineage_store.recording.delivery.record_queue import BATCH_RECORDS, Queue, QueuedRecord, settle
from lineage_store.recording.delivery.records import Record
from lineage_store.recording.delivery.spool import Spool
from lineage_store.recording.diagnostics import warn_once
from lineage_store.recording.options import RecordingOptions
from lineage_store.worker import Worker

LINGER_SECONDS = 0.02
"""Seconds to wait for more records before a batch is sent."""

LOOK_SECONDS = 5.0
"""Seconds between two looks for records that forked children, and ended processes, left."""

NO_ROOM = "the store is away, no file takes them, and the memory for them is full"
UNANSWERED = "the process ended before the store answered, and no file took them"
AT_THE_END = "the process ended while the store was away and no file took them"


class Sender:
    """Takes records without delay, and sends them in their order; never raises.

    A record that was taken is in the journal, if there is one, until it is sent or spooled. While
    the store is away, and until all that was spooled is sent, records go to the spool; if that
    fails they wait in memory, as many as may, and then in the journal alone. A record handed over
    but not answered may be kept as well: the store knows what it has.

    Args:
        transport: Returns the transport, which should fail rather than wait.
        spool: The file in which records wait, beside their journal; None: unsent records are lost.
        options: Bounds and times.
        chores: Called now and then by the thread; returns in how many seconds to be called again.
    """

    def __init__(
        self,
        transport: Callable[[], Transport],
        spool: Spool | None,
        options: RecordingOptions,
        chores: Callable[[], float],
    ) -> None:
        self._options = options
        self._chores = chores
        self._stem = None if spool is None else spool.path.with_suffix("")
        self._url = "" if spool is None else spool.url
        self._losses = Losses(None if self._stem is None else self._stem.with_suffix(SUFFIX))
        self._courier = Courier(transport, spool, self._losses, options, lambda: self._closed)
        self._is_child = False
        self._begin()

    def _begin(self) -> None:
        options = self._options
        self._changed = threading.Condition()
        self._queue = Queue(options.buffer_records, options.buffer_bytes)
        self._sending: list[QueuedRecord] = []
        self._deferred_records: list[QueuedRecord] = []
        self._deferred_until = 0.0
        self._journal = GuardedJournal(
            self._stem, self._url, options.spool_bytes, options.retry_seconds
        )
        self._hurries = 0
        self._failures = 0
        self._closed = False
        self._worker = Worker(
            "lineage-store", self._cycle, on_defect=self._go_on, at_end=self._last_chores
        )
        self._chores_at = 0.0

    def after_fork(self) -> None:
        """In a child: the records are the parent's, and neither its thread nor its channel is here.

        The child's records go to the spool, which the parent, or any later process, sends.
        """
        self._is_child = True
        self._journal.forget()
        self._courier.after_fork()
        self._losses.after_fork()
        self._begin()

    @property
    def is_child(self) -> bool:
        """True if this process was forked, and can't talk to the store."""
        return self._is_child

    def put(self, record: Record) -> None:
        """Take a record; it is on disk, or else in memory, when this returns."""
        with self._changed:
            number = 0 if self._is_child else self._journal.append(record)
            self._queue.append(QueuedRecord(record, number))
            if len(self._queue) <= 1:  # else the thread knows that there is something to send
                self._wake()
            if self._is_child or self._closed:
                self._spill()
                self._drop_excess()
            elif self._queue.is_full:
                self._make_room()

    def _make_room(self) -> None:
        """Move waiting records to a file; if none takes them, wait for a store that is there."""
        if not self._are_files_at_rest():
            self._spill()
        if self._queue.is_full:
            courier, seconds = self._courier, self._options.flush_seconds
            self._changed.wait_for(lambda: courier.is_away or not self._queue.is_full, seconds)
        self._drop_excess()

    def _are_files_at_rest(self) -> bool:
        """Return whether neither spool nor journal takes anything now."""
        return self._courier.spool_rests and self._journal.rests

    def _spill(self) -> None:
        """Move all waiting records to a file; those being sent go first, to keep the order."""
        self._queue.put_back(self._deferred_records)
        self._deferred_records = []
        queued_records = [
            each for each in (*self._sending, *self._queue.all) if not each.is_settled
        ]
        if queued_records and self._courier.spool([each.record for each in queued_records]):
            settle(queued_records)
        else:
            self._journal_all(queued_records)
        self._queue.drop_settled()
        if not self._is_child:
            self._journal.settle(self._queue.all)

    def _journal_all(self, queued_records: Sequence[QueuedRecord]) -> None:
        """Leave records to the journal: those that it has, and those that it takes now."""
        for each in queued_records:
            each.number = each.number or self._journal.append(each.record)
            if not each.number:
                break
        if self._is_child:  # it sends nothing: its journal is taken over when it ends
            settle([each for each in queued_records if each.number])
        else:
            self._journal.release(queued_records)

    def _drop_excess(self) -> None:
        """Drop the latest records that no file and no store took; after the end, all of them."""
        dropped = 0
        while self._queue.is_full or (self._closed and len(self._queue)):
            self._queue.pop()
            dropped += 1
        if dropped:
            self._losses.count(dropped, AT_THE_END if self._closed else NO_ROOM)

    def wake(self) -> None:
        """Make the thread do its chores now."""
        with self._changed:
            self._wake()

    def _wake(self) -> None:
        if not self._closed and not self._is_child:
            self._worker.wake()

    def flush(self, seconds: float) -> bool:
        """Return when all that was taken is in the store or in a file; False: it is not, in time.

        It does not wait longer than for one try while neither store nor spool takes anything.
        """
        with self._changed:
            if self._is_idle():
                return True
            before = self._failures
            self._hurries += 1
            self._wake()
            self._changed.notify_all()
            try:
                self._changed.wait_for(lambda: self._is_idle() or self._failures > before, seconds)
                return self._is_idle() or self._is_journalled()
            finally:
                self._hurries -= 1

    def settle(self, seconds: float) -> bool:
        """Return when all that was taken, and all that was spooled, is in the store.

        False: it is not, in this time, or because the store is away. Records of forked children
        are in the spool, and so are those of which the process that took them has ended.
        """
        if self._is_child or not self.flush(seconds):
            return False
        with self._changed:
            self._courier.look()
            self._wake()
            courier = self._courier
            self._changed.wait_for(lambda: not courier.has_spooled or courier.is_away, seconds)
            return not courier.has_spooled

    def _is_idle(self) -> bool:
        return not len(self._queue) and not self._sending and not self._deferred_records

    def _is_journalled(self) -> bool:
        return all(
            each.number for each in chain(self._sending, self._deferred_records, self._queue.all)
        )

    def close(self, seconds: float) -> None:
        """Flush, keep the rest in a file, and stop; later records go to the spool."""
        if self._closed:
            return
        end = time.monotonic() + seconds
        if not self._is_child:
            self.flush(seconds)
        with self._changed:
            self._closed = True
            self._courier.hurry()
            self._spill()
            self._drop_excess()
            self._journal.release([])
            self._changed.notify_all()
        self._worker.stop(max(0.0, end - time.monotonic()))
        if unanswered := sum(not each.is_settled for each in self._sending):
            self._losses.count(unanswered, UNANSWERED)
        self._losses.tell()

    def _cycle(self) -> float | None:
        if self._closed:
            return None
        self._linger()
        self._send_batch()
        self._courier.replay()
        self._tell()
        self._chores_at = time.monotonic() + self._chores()
        return self._rest_seconds()

    def _go_on(self, error: Exception) -> float:
        warn_once(f"defect {error!r}", "recording goes on after a defect: %r", error)
        self._chores_at = time.monotonic() + self._options.retry_seconds
        self._courier.block()
        return self._rest_seconds()

    def _last_chores(self) -> None:
        """Give claims back that others wait for."""
        with suppress(Exception):
            self._chores()

    def _tell(self) -> None:
        self._losses.write()
        with self._changed:
            self._changed.notify_all()

    def _rest_seconds(self) -> float:
        """Return the time until there are records, chores or files to be looked after."""
        with self._changed:
            now = time.monotonic()
            at = min(self._chores_at, self._courier.due(), now + LOOK_SECONDS)
            if len(self._queue):
                at = min(at, self._courier.blocked_until)
            elif self._deferred_records:
                at = min(at, self._deferred_until)
            return max(0.0, at - now)

    def _linger(self) -> None:
        """Give more records the time to come, unless someone waits for these."""
        with self._changed:
            if not self._hurries and 0 < len(self._queue) < BATCH_RECORDS:
                self._changed.wait_for(lambda: self._hurries or self._closed, LINGER_SECONDS)

    def _send_batch(self) -> None:
        """Send waiting records; whatever happens, unsettled records wait on."""
        with self._changed:
            if time.monotonic() < self._courier.blocked_until:
                return
            if time.monotonic() >= self._deferred_until:
                self._queue.put_back(self._deferred_records)
                self._deferred_records = []
            batch = self._sending = self._queue.take()
            self._changed.notify_all()
        if not batch:
            return
        deferred_records: list[QueuedRecord] = []
        try:
            deferred_records = self._courier.deliver(batch)
        finally:
            with self._changed:
                self._take_back(batch, deferred_records)

    def _take_back(self, batch: list[QueuedRecord], deferred_records: list[QueuedRecord]) -> None:
        self._sending = []
        aside = {id(each) for each in deferred_records}
        self._deferred_records += [each for each in deferred_records if not each.is_settled]
        if aside:
            self._deferred_until = time.monotonic() + self._options.retry_seconds
        self._queue.put_back([each for each in batch if id(each) not in aside])
        self._failures += any(not each.is_settled for each in batch)
        if self._queue.is_full or self._closed:
            self._spill()
        if self._courier.is_away or self._closed:
            self._drop_excess()
        self._journal.settle(chain(self._deferred_records, self._queue.all))
        self._changed.notify_all()
