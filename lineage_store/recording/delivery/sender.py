"""One background thread that brings records to the store, or to the spool if it is away."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.client.transport import Transport
from lineage_store.recording.complaints import complain, forget, logger
from lineage_store.recording.delivery.records import Outcome, Record, Refusal, send
from lineage_store.recording.delivery.replay import replay_batch
from lineage_store.recording.delivery.salvage import recover
from lineage_store.recording.delivery.spool import Spool, SpoolDamaged
from lineage_store.recording.options import RecordingOptions

BATCH_RECORDS = 500
BATCH_BYTES = 8 * 1024 * 1024
LINGER_SECONDS = 0.02
"""How long to wait for more before a batch is sent."""


class _WhileOpen:
    """A transport whose errors say nothing about the requests once the sender is closed.

    Args:
        transport: Carries the requests.
        is_closed: Returns whether it may be closed by now.
    """

    def __init__(self, transport: Transport, is_closed: Callable[[], bool]) -> None:
        self._transport = transport
        self._is_closed = is_closed

    def call(self, method: str, request: Message) -> Message:
        """Return the response to a request; see `Transport.call`."""
        try:
            return self._transport.call(method, request)
        except Exception:
            if self._is_closed():
                raise errors.Cancelled("the store was closed") from None
            raise

    def stream(self, method: str, request: Message) -> Iterator[Message]:
        """Yield the messages that answer a request; see `Transport.stream`."""
        return self._transport.stream(method, request)

    def close(self) -> None:
        """Do nothing: the transport is the store's."""


class Sender:
    """Takes records without delay, and sends them in their order; never raises.

    While the store is away, and until all that was spooled is sent, records go to the spool. What
    was handed over but not answered may be spooled as well: the store knows what it has.

    Args:
        transport: Returns what carries the requests; it should fail rather than wait.
        spool: Where records wait; None: what can't be sent is lost.
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
        self._transport = transport
        self._spool = spool
        self._options = options
        self._chores = chores
        self._is_child = False
        self._begin()

    def _begin(self) -> None:
        self._changed = threading.Condition()
        self._buffer: list[Record] = []
        self._bytes = 0
        self._sending: list[Record] = []
        self._sending_is_spooled = False
        self._has_spooled = self._spool is not None and self._spool.path.exists()
        self._is_away = False
        self._retry_at = 0.0
        self._hurries = 0
        self._closed = False
        self._thread: threading.Thread | None = None

    def after_fork(self) -> None:
        """In a child: the records are the parent's, and neither its thread nor its channel is here.

        What the child records goes to the spool, which the parent, or any later process, sends.
        """
        self._is_child = True
        self._begin()

    @property
    def is_child(self) -> bool:
        """Whether this process was forked, and can't talk to the store."""
        return self._is_child

    def put(self, record: Record) -> None:
        """Take a record; it is in the buffer, or on disk, when this returns."""
        if self._is_child:
            self._to_spool([record])
            return
        with self._changed:
            may_overflow = self._await_space()
            self._buffer.append(record)
            self._bytes += record.size()
            if self._closed or (self._is_full() and not may_overflow):
                self._spill()
            self._start()
            if len(self._buffer) <= 1:  # else the thread knows that there is something to send
                self._changed.notify_all()

    def _await_space(self) -> bool:
        """Without a spool, wait for the thread: a store that is there loses nothing.

        Returns:
            Whether one more record may be taken although the buffer is full with it.
        """
        if self._spool is not None:
            return False
        return self._changed.wait_for(lambda: not self._is_full(), self._options.flush_seconds)

    def _is_full(self) -> bool:
        options = self._options
        return len(self._buffer) > options.buffer_records or self._bytes > options.buffer_bytes

    def _spill(self) -> None:
        """Move all that waits to the spool, what is being sent first, to keep the order."""
        under_way = [] if self._sending_is_spooled else self._sending
        self._sending_is_spooled = True
        waiting, self._buffer, self._bytes = self._buffer, [], 0
        self._to_spool([*under_way, *waiting])

    def _start(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._run, name="lineage-store", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Make the thread do its chores now."""
        with self._changed:
            self._start()
            self._changed.notify_all()

    def flush(self, seconds: float) -> bool:
        """Return when all that was taken is sent or spooled; False: it is not, in this time."""
        with self._changed:
            self._hurries += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(self._is_idle, seconds)
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
            self._has_spooled = self._spool is not None and self._spool.path.exists()
            self._is_away, self._retry_at = False, 0.0
            self._start()
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._has_spooled or self._is_away, seconds)
            return not self._has_spooled

    def _is_idle(self) -> bool:
        return not self._buffer and not self._sending

    def close(self, seconds: float) -> None:
        """Flush, spool what is left, and stop; what is put later goes to the spool."""
        if self._is_child or self._closed:
            return
        end = time.monotonic() + seconds
        self.flush(seconds)
        with self._changed:
            self._closed = True
            self._spill()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(max(0.0, end - time.monotonic()))

    def _run(self) -> None:
        due = 0.0
        while not self._closed:
            try:
                self._wait(due)
                self._send_batch()
                self._replay_batch()
                self._tell_of_spool()
                due = time.monotonic() + self._chores()
            except Exception as error:
                complain(f"defect {error!r}", "a defect of recording; it goes on: %r", error)
                self._retry_at = due = time.monotonic() + self._options.retry_seconds
        with suppress(Exception):
            self._chores()  # gives claims back that others wait for

    def _wait(self, due: float) -> None:
        """Wait for records, for a chore, or until what was spooled is to be sent again."""
        with self._changed:
            if not self._buffer:
                now = time.monotonic()
                at = min(due, self._retry_at) if self._has_spooled else due
                # records of a forked child, or of another process, are found by looking
                self._changed.wait(max(0.0, min(at - now, 5.0)))
            if self._buffer and not self._hurries and len(self._buffer) < BATCH_RECORDS:
                self._changed.wait_for(lambda: self._hurries or self._closed, LINGER_SECONDS)

    def _take(self) -> list[Record]:
        size, count = 0, 0
        for record in self._buffer[:BATCH_RECORDS]:
            size += record.size()
            if count and size > BATCH_BYTES:
                break
            count += 1
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        self._bytes -= sum(record.size() for record in taken)
        return taken

    def _send_batch(self) -> None:
        with self._changed:
            batch = self._take()
            self._sending, self._sending_is_spooled = batch, False
            self._changed.notify_all()
        if not batch:
            return
        outcome = Outcome() if self._must_queue() else self._sent(batch)
        if not self._sending_is_spooled:
            self._settle(batch, outcome)
        with self._changed:
            self._sending = []
            self._changed.notify_all()

    def _open_transport(self) -> Transport:
        return _WhileOpen(self._transport(), lambda: self._closed)

    def _sent(self, batch: Sequence[Record]) -> Outcome:
        try:
            return send(self._open_transport(), batch)
        except Exception as error:
            complain(f"defect {error!r}", "a defect of recording; it goes on: %r", error)
            self._retry_at = time.monotonic() + self._options.retry_seconds
            return Outcome()

    def _must_queue(self) -> bool:
        """Whether records have to go behind those in the spool."""
        return self._has_spooled and self._pending()

    def _settle(self, batch: Sequence[Record], outcome: Outcome) -> None:
        if outcome.refused:
            self._keep_refused(list(outcome.refused.values()))
        if outcome.away is not None:
            self._note_away(outcome.away)
        if outcome.done < len(batch):
            self._to_spool(batch[outcome.done :])

    def _note_away(self, error: errors.LineageError) -> None:
        self._is_away = True
        self._retry_at = time.monotonic() + self._options.retry_seconds
        where = "and lost" if self._spool is None else f"in {self._spool.path}"
        complain("away", "the store is away (%s); records are kept %s", error.message, where)

    def _to_spool(self, records: Sequence[Record]) -> None:
        if not records:
            return
        if self._spool is None:
            complain("lost", "%d records of steps are lost: there is no spool", len(records))
            return
        try:
            self._spooling(lambda spool: spool.add(records))
            self._has_spooled = True
        except errors.LineageError as error:
            complain("lost", "%d records of steps are lost: %s", len(records), error.message)

    def _keep_refused(self, refusals: Sequence[Refusal]) -> None:
        for refusal in refusals:
            complain(f"refused {refusal.why}", "the store refused a record: %s", refusal.why)
        try:
            self._spooling(lambda spool: spool.keep_refused(refusals))
        except errors.LineageError as error:
            complain("lost", "%d refused records are lost: %s", len(refusals), error.message)

    def _spooling(self, work: Callable[[Spool], object]) -> None:
        """Do something with the spool; if it is damaged, save what is intact, and do it then."""
        if self._spool is None:
            return
        try:
            work(self._spool)
        except SpoolDamaged as error:
            complain("damaged", "%s", error.message)
            self._recover(self._spool)
            work(self._spool)

    def _recover(self, spool: Spool) -> None:
        found = recover(spool.path)
        if found is not None:
            lost = "an unknown number of" if found.lost is None else found.lost
            complain(
                f"recovered {found.damaged}",
                "saved %d records of a damaged spool; %s records are lost, the file is %s",
                found.saved,
                lost,
                found.damaged,
            )

    def _pending(self) -> bool:
        if self._spool is None:
            return False
        try:
            self._has_spooled = self._spool.has_pending()
        except SpoolDamaged as error:
            complain("damaged", "%s", error.message)
            self._recover(self._spool)
        return self._has_spooled

    def _replay_batch(self) -> None:
        """Send the oldest records of the spool, if it is time to try."""
        spool = self._spool
        if spool is None or not spool.path.exists():
            self._has_spooled = False
            return
        if time.monotonic() < self._retry_at:
            return
        try:
            self._replay(spool)
        except SpoolDamaged as error:
            complain("damaged", "%s", error.message)
            self._recover(spool)
        except errors.LineageError as error:
            complain("spool", "%s", error.message)
            self._retry_at = time.monotonic() + self._options.retry_seconds

    def _tell_of_spool(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _replay(self, spool: Spool) -> None:
        batch = spool.first(BATCH_RECORDS)
        if not batch:
            self._has_spooled = False
            self._retry_at = time.monotonic() + self._options.retry_seconds
            return
        outcome = replay_batch(self._open_transport(), spool, batch)
        self._has_spooled = True
        if outcome.away is not None:
            self._note_away(outcome.away)
            return
        self._retry_at = 0.0
        forget("away")
        logger.info("sent %d records that were spooled", outcome.sent)
