"""One background thread that brings records to the store, or to the spool if it is away."""

import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from functools import partial

from lineage_store.client.transport import Transport
from lineage_store.recording.delivery.buffer import Buffer
from lineage_store.recording.delivery.courier import Courier
from lineage_store.recording.delivery.guard import GuardedJournal
from lineage_store.recording.delivery.keeper import Keeper
from lineage_store.recording.delivery.losses import SUFFIX, Losses
from lineage_store.recording.delivery.record_queue import QueuedRecord
from lineage_store.recording.delivery.records import Record
from lineage_store.recording.delivery.spool import Spool
from lineage_store.recording.diagnostics import warn_once
from lineage_store.recording.options import RecordingOptions
from lineage_store.worker import Worker

LOOK_SECONDS = 5.0
"""Seconds between two looks for records that forked children, and ended processes, left."""

UNANSWERED = "the process ended before the store answered, and no file took them"


class State(Enum):
    """The way that records go from a sender."""

    SENDING = "to the store; to files, while it is away or the memory is full"
    FORKED = "to files, from which the parent or a later process sends them"
    CLOSED = "to files; those that no file takes are lost"


# In the names of the module, since a look-up in an enum would cost each record 0.1 µs.
SENDING, FORKED, CLOSED = State


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

    Attributes:
        is_child: True if this process was forked, and can't talk to the store.
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
        stem = None if spool is None else spool.path.with_suffix("")
        url = "" if spool is None else spool.url
        self._losses = Losses(None if stem is None else stem.with_suffix(SUFFIX))
        self._courier = Courier(
            transport, spool, self._losses, options, lambda: self._state is CLOSED
        )
        self._new_journal = partial(
            GuardedJournal, stem, url, options.spool_bytes, options.retry_seconds
        )
        self._begin(SENDING)

    def _begin(self, state: State) -> None:
        options = self._options
        self._state = state
        self.is_child = state is FORKED
        self._buffer = Buffer(options.buffer_records, options.buffer_bytes, options.retry_seconds)
        self._journal = self._new_journal()
        self._keeper = Keeper(
            self._buffer, self._courier, self._journal, self._losses, is_child=self.is_child
        )
        self._worker = Worker(
            "lineage-store", self._cycle, on_defect=self._go_on, at_end=self._last_chores
        )
        self._chores_at = 0.0

    def after_fork(self) -> None:
        """In a child: the records are the parent's, and neither its thread nor its channel is here.

        The child's records go to the spool, which the parent, or any later process, sends.
        """
        self._journal.forget()
        self._courier.after_fork()
        self._losses.after_fork()
        self._begin(FORKED)

    def put(self, record: Record) -> None:
        """Take a record; it is on disk, or else in memory, when this returns."""
        buffer = self._buffer
        with buffer.changed:
            number = 0 if self.is_child else self._journal.append(record)
            buffer.append(QueuedRecord(record, number))
            if self._state is not SENDING:
                self._keep_all()
                return
            if len(buffer) <= 1:  # else the thread knows that there is something to send
                self._worker.wake()
            if buffer.is_full:
                self._keeper.make_room(self._options.flush_seconds)

    def _keep_all(self) -> None:
        """Move all records to files."""
        self._keeper.spill()
        self._drop_excess()

    def _drop_excess(self) -> None:
        if self._state is CLOSED:
            self._keeper.drop_all()
        else:
            self._keeper.drop_excess()

    def wake(self) -> None:
        """Make the thread do its chores now."""
        if self._state is SENDING:
            self._worker.wake()

    def flush(self, seconds: float) -> bool:
        """Return when all that was taken is in the store or in a file; False: it is not, in time.

        It does not wait longer than for one try while neither store nor spool takes anything.
        """
        buffer = self._buffer
        with buffer.changed:
            if buffer.is_empty:
                return True
            before = buffer.failure_count
            self.wake()
            with buffer.hurry():
                buffer.changed.wait_for(
                    lambda: buffer.is_empty or buffer.failure_count > before, seconds
                )
            return buffer.is_empty or buffer.is_journalled

    def settle(self, seconds: float) -> bool:
        """Return when all that was taken, and all that was spooled, is in the store.

        False: it is not, in this time, or because the store is away. Records of forked children
        are in the spool, and so are those of which the process that took them has ended.
        """
        if self.is_child or not self.flush(seconds):
            return False
        courier, changed = self._courier, self._buffer.changed
        with changed:
            courier.look()
            self.wake()
            changed.wait_for(lambda: not courier.has_spooled or courier.is_away, seconds)
            return not courier.has_spooled

    def close(self, seconds: float) -> None:
        """Flush, keep the rest in a file, and stop; later records go to the spool."""
        if self._state is CLOSED:
            return
        end = time.monotonic() + seconds
        if self._state is SENDING:
            self.flush(seconds)
        with self._buffer.changed:
            self._state = CLOSED
            self._courier.hurry()
            self._keep_all()
            self._journal.release([])
            self._buffer.changed.notify_all()
        self._worker.stop(max(0.0, end - time.monotonic()))
        if unanswered := sum(not each.is_settled for each in self._buffer.sending):
            self._losses.count(unanswered, UNANSWERED)
        self._losses.tell()

    def _cycle(self) -> float | None:
        with self._buffer.changed:
            if self._state is CLOSED:
                return None
            self._buffer.linger(lambda: self._state is CLOSED)
        self._send_batch()
        self._courier.replay()
        self._losses.write()
        with self._buffer.changed:
            self._buffer.changed.notify_all()
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

    def _rest_seconds(self) -> float:
        """Return the time until there are records, chores or files to be looked after."""
        now, courier = time.monotonic(), self._courier
        with self._buffer.changed:
            buffer_due = self._buffer.due(courier.blocked_until)
        return max(0.0, min(self._chores_at, courier.due(), buffer_due, now + LOOK_SECONDS) - now)

    def _send_batch(self) -> None:
        """Send waiting records; whatever happens, unsettled records wait on."""
        with self._buffer.changed:
            if time.monotonic() < self._courier.blocked_until:
                return
            batch = self._buffer.take_batch()
        if not batch:
            return
        deferred_records: list[QueuedRecord] = []
        try:
            deferred_records = self._courier.deliver(batch)
        finally:
            with self._buffer.changed:
                self._take_back(deferred_records)

    def _take_back(self, deferred_records: list[QueuedRecord]) -> None:
        self._buffer.take_back(deferred_records)
        is_closed = self._state is CLOSED
        if self._buffer.is_full or is_closed:
            self._keeper.spill()
        if self._courier.is_away or is_closed:
            self._drop_excess()
        self._journal.settle(self._buffer.unsent())
        self._buffer.changed.notify_all()
