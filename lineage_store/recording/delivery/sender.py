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
from lineage_store.recording.delivery.records import Record
from lineage_store.recording.delivery.spool import Spool
from lineage_store.recording.delivery.waiting import BATCH_RECORDS, Queue, Waiting, settle
from lineage_store.recording.diagnostics import complain
from lineage_store.recording.options import RecordingOptions

LINGER_SECONDS = 0.02
"""How long to wait for more before a batch is sent."""

LOOK_SECONDS = 5.0
"""How often to look for what forked children, and processes that ended, have left."""

NO_ROOM = "the store is away, no file takes them, and the memory for them is full"
UNANSWERED = "the process ended before the store answered, and no file took them"
AT_THE_END = "the process ended while the store was away and no file took them"


class Sender:
    """Takes records without delay, and sends them in their order; never raises.

    A record that was taken is in the journal, if there is one, until it is sent or spooled. While
    the store is away, and until all that was spooled is sent, records go to the spool; if that
    fails they wait in memory, as many as may, and then in the journal alone. What was handed over
    but not answered may be kept as well: the store knows what it has.

    Args:
        transport: Returns what carries the requests; it should fail rather than wait.
        spool: Where records wait, and beside it their journal; None: what can't be sent is lost.
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
        self._sending: list[Waiting] = []
        self._held: list[Waiting] = []
        self._held_until = 0.0
        self._journal = GuardedJournal(
            self._stem, self._url, options.spool_bytes, options.retry_seconds
        )
        self._hurries = 0
        self._failures = 0
        self._closed = False
        self._thread: threading.Thread | None = None

    def after_fork(self) -> None:
        """In a child: the records are the parent's, and neither its thread nor its channel is here.

        What the child records goes to the spool, which the parent, or any later process, sends.
        """
        self._is_child = True
        self._journal.forget()
        self._courier.after_fork()
        self._losses.after_fork()
        self._begin()

    @property
    def is_child(self) -> bool:
        """Whether this process was forked, and can't talk to the store."""
        return self._is_child

    def put(self, record: Record) -> None:
        """Take a record; it is on disk, or else in memory, when this returns."""
        with self._changed:
            number = 0 if self._is_child else self._journal.append(record)
            self._queue.append(Waiting(record, number))
            self._start()
            if len(self._queue) <= 1:  # else the thread knows that there is something to send
                self._changed.notify_all()
            if self._is_child or self._closed:
                self._spill()
                self._drop_what_is_too_much()
            elif self._queue.is_full:
                self._make_room()

    def _make_room(self) -> None:
        """Move what waits to a file; if none takes it, let the store take it, if it is there."""
        if not self._are_files_at_rest():
            self._spill()
        if self._queue.is_full:
            courier, seconds = self._courier, self._options.flush_seconds
            self._changed.wait_for(lambda: courier.is_away or not self._queue.is_full, seconds)
        self._drop_what_is_too_much()

    def _are_files_at_rest(self) -> bool:
        """Whether neither spool nor journal takes anything now."""
        return self._courier.spool_rests and self._journal.rests

    def _spill(self) -> None:
        """Move all that waits to a file, what is being sent first, to keep the order."""
        self._queue.put_back(self._held)
        self._held = []
        waiting = [each for each in (*self._sending, *self._queue.all) if not each.is_settled]
        if waiting and self._courier.spool([each.record for each in waiting]):
            settle(waiting)
        else:
            self._journal_all(waiting)
        self._queue.drop_settled()
        if not self._is_child:
            self._journal.settle(self._queue.all)

    def _journal_all(self, waiting: Sequence[Waiting]) -> None:
        """Leave to the journal what it has, and what it takes now."""
        for each in waiting:
            each.number = each.number or self._journal.append(each.record)
            if not each.number:
                break
        if self._is_child:  # it sends nothing: its journal is taken over when it ends
            settle([each for each in waiting if each.number])
        else:
            self._journal.release(waiting)

    def _drop_what_is_too_much(self) -> None:
        """Lose the latest of what no file and no store took; after the end, all of it."""
        dropped = 0
        while self._queue.is_full or (self._closed and len(self._queue)):
            self._queue.pop()
            dropped += 1
        if dropped:
            self._losses.count(dropped, AT_THE_END if self._closed else NO_ROOM)

    def _start(self) -> None:
        if self._thread is None and not self._closed and not self._is_child:
            self._thread = threading.Thread(target=self._run, name="lineage-store", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Make the thread do its chores now."""
        with self._changed:
            self._start()
            self._changed.notify_all()

    def flush(self, seconds: float) -> bool:
        """Return when all that was taken is in the store or in a file; False: it is not, in time.

        It does not wait longer than for one try while neither store nor spool takes anything.
        """
        with self._changed:
            before = self._failures
            self._hurries += 1
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
            self._start()
            self._changed.notify_all()
            courier = self._courier
            self._changed.wait_for(lambda: not courier.has_spooled or courier.is_away, seconds)
            return not courier.has_spooled

    def _is_idle(self) -> bool:
        return not len(self._queue) and not self._sending and not self._held

    def _is_journalled(self) -> bool:
        return all(each.number for each in chain(self._sending, self._held, self._queue.all))

    def close(self, seconds: float) -> None:
        """Flush, keep what is left in a file, and stop; what is put later goes to the spool."""
        if self._closed:
            return
        end = time.monotonic() + seconds
        if not self._is_child:
            self.flush(seconds)
        with self._changed:
            self._closed = True
            self._courier.hurry()
            self._spill()
            self._drop_what_is_too_much()
            self._journal.release([])
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(max(0.0, end - time.monotonic()))
        if unanswered := sum(not each.is_settled for each in self._sending):
            self._losses.count(unanswered, UNANSWERED)
        self._losses.tell()

    def _run(self) -> None:
        due = 0.0
        while not self._closed:
            try:
                self._wait(due)
                self._send_batch()
                self._courier.replay()
                self._tell()
                due = time.monotonic() + self._chores()
            except Exception as error:
                complain(f"defect {error!r}", "a defect of recording; it goes on: %r", error)
                due = time.monotonic() + self._options.retry_seconds
                self._courier.block()
        with suppress(Exception):
            self._chores()  # gives claims back that others wait for

    def _tell(self) -> None:
        self._losses.write()
        with self._changed:
            self._changed.notify_all()

    def _wait(self, due: float) -> None:
        """Wait for records, for a chore, or until something is to be tried again."""
        with self._changed:
            now = time.monotonic()
            if len(self._queue) and now >= self._courier.blocked_until:
                self._linger()
                return
            at = min(due, self._courier.due(), now + LOOK_SECONDS)
            if len(self._queue):
                at = min(at, self._courier.blocked_until)
            elif self._held:
                at = min(at, self._held_until)
            self._changed.wait(max(0.0, at - now))
            if len(self._queue):
                self._linger()

    def _linger(self) -> None:
        """Give more records the time to come, unless someone waits for these."""
        if not self._hurries and len(self._queue) < BATCH_RECORDS:
            self._changed.wait_for(lambda: self._hurries or self._closed, LINGER_SECONDS)

    def _send_batch(self) -> None:
        """Send what waits; whatever happens, what is not settled waits on."""
        with self._changed:
            if time.monotonic() < self._courier.blocked_until:
                return
            if time.monotonic() >= self._held_until:
                self._queue.put_back(self._held)
                self._held = []
            batch = self._sending = self._queue.take()
            self._changed.notify_all()
        if not batch:
            return
        held: list[Waiting] = []
        try:
            held = self._courier.deliver(batch)
        finally:
            with self._changed:
                self._take_back(batch, held)

    def _take_back(self, batch: list[Waiting], held: list[Waiting]) -> None:
        self._sending = []
        aside = {id(each) for each in held}
        self._held += [each for each in held if not each.is_settled]
        if aside:
            self._held_until = time.monotonic() + self._options.retry_seconds
        self._queue.put_back([each for each in batch if id(each) not in aside])
        self._failures += any(not each.is_settled for each in batch)
        if self._queue.is_full or self._closed:
            self._spill()
        if self._courier.is_away or self._closed:
            self._drop_what_is_too_much()
        self._journal.settle(chain(self._held, self._queue.all))
        self._changed.notify_all()
