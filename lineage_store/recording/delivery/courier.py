"""Moves records from memory to the store or the spool, and from the spool to the store."""

import time
from collections.abc import Callable, Iterator, Sequence

from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.client.transport import Transport
from lineage_store.recording.delivery.adoption import adopt
from lineage_store.recording.delivery.guard import GuardedSpool, warn_of_refusals
from lineage_store.recording.delivery.journal import journals
from lineage_store.recording.delivery.losses import Losses
from lineage_store.recording.delivery.record_queue import QueuedRecord, settle
from lineage_store.recording.delivery.records import Record
from lineage_store.recording.delivery.sending import DeliveryResult, send
from lineage_store.recording.delivery.spool import Spool
from lineage_store.recording.diagnostics import logger, rearm, warn_once
from lineage_store.recording.options import RecordingOptions

ADOPT_SECONDS = 5.0
"""Seconds between two looks for journals of processes that ended."""


class _Guarded:
    """A transport that raises only errors of the store, and is closed when the sender is.

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
        except Exception as error:
            if self._is_closed():
                raise errors.Cancelled("the store was closed") from None
            if isinstance(error, errors.LineageError):
                raise
            warn_once(f"defect {error!r}", "recording goes on after a defect: %r", error)
            raise errors.Internal(f"a call failed: {error!r}") from None

    def stream(self, method: str, request: Message) -> Iterator[Message]:
        """Yield the messages that answer a request; see `Transport.stream`."""
        return self._transport.stream(method, request)

    def close(self) -> None:
        """Do nothing: the transport is the store's."""


class Courier:
    """Brings records to the store in order, as long as it is there, and else to the spool.

    Args:
        transport: Returns the transport, which should fail rather than wait.
        spool: The file in which records wait; None: there is none.
        losses: Counts records lost on the way.
        options: Bounds and times.
        is_closed: Returns whether the sender is closed.
    """

    def __init__(
        self,
        transport: Callable[[], Transport],
        spool: Spool | None,
        losses: Losses,
        options: RecordingOptions,
        is_closed: Callable[[], bool],
    ) -> None:
        self._transport = transport
        self._spool = spool
        self._losses = losses
        self._retry_seconds = options.retry_seconds
        self._is_closed = is_closed
        self.after_fork()

    def after_fork(self) -> None:
        """Begin anew, as in a child, which sends nothing."""
        self._guarded = GuardedSpool(self._spool, self._losses, self._retry_seconds)
        self.has_spooled = self._spool is not None and self._spool.path.exists()
        self.is_away = False
        self.blocked_until = 0.0
        self._retry_at = 0.0
        self._adopt_at = 0.0
        self._orphan_count = 0

    def spool(self, records: Sequence[Record]) -> bool:
        """Keep records in the spool; return whether it took them."""
        if not self._guarded.add(records):
            return False
        self.has_spooled = True
        return True

    @property
    def spool_rests(self) -> bool:
        """True if the spool failed a moment ago, or if there is none."""
        return self._guarded.rests

    def hurry(self) -> None:
        """Try the spool now, even if it failed a moment ago."""
        self._guarded.retry_at = 0.0

    def look(self) -> None:
        """Look for all that may be in files now, and try the store."""
        self._adopt_at = self._retry_at = 0.0
        self.is_away = False
        if self._spool is not None:
            journal_paths = journals(self._spool.path.with_suffix(""))
            self.has_spooled = self._spool.path.exists() or bool(journal_paths)

    def rest(self) -> None:
        """Leave the store alone for a while."""
        self._retry_at = time.monotonic() + self._retry_seconds

    def block(self) -> None:
        """Deliver nothing for a while, after a defect."""
        self.rest()
        self.blocked_until = self._retry_at

    def due(self) -> float:
        """Return the time of the next work that needs no new records."""
        return self._retry_at if self.has_spooled else float("inf")

    def deliver(self, batch: Sequence[QueuedRecord]) -> list[QueuedRecord]:
        """Bring records to the store, or to the spool; mark those that are settled.

        Returns:
            Records that neither the store nor a file takes; they are better not sent again
            at once.
        """
        records = [each.record for each in batch]
        is_resting = self.is_away and time.monotonic() < self._retry_at
        must_queue = is_resting or (self.has_spooled and self._guarded.has_more())
        if must_queue and self.spool(records):
            settle(batch)
            return []
        if is_resting:
            self.blocked_until = self._retry_at
            return []
        result = self._send(records)
        return self._settle(batch, result)

    def _settle(self, batch: Sequence[QueuedRecord], result: DeliveryResult) -> list[QueuedRecord]:
        unsettled = result.unsent_positions(len(batch))
        settle([e for at, e in enumerate(batch[: result.tried_count]) if not result.is_open(at)])
        if result.refusals:
            refusals = list(result.refusals.values())
            warn_of_refusals(refusals)
            if self._guarded.keep_refused(refusals):
                settle([batch[at] for at in result.refusals])
        if unsettled and self.spool([batch[at].record for at in unsettled]):
            settle([batch[at] for at in unsettled])
        elif result.outage is not None:
            self.blocked_until = self._retry_at
        return [batch[at] for at in (*result.refusals, *result.doubts)]

    def _send(self, records: Sequence[Record]) -> DeliveryResult:
        result = send(_Guarded(self._transport(), self._is_closed), records)
        if result.outage is not None:
            self._note_away(result.outage)
        elif result.accepted_count:
            self.is_away = False
            rearm("away")
        return result

    def _note_away(self, error: errors.LineageError) -> None:
        self.is_away = True
        self.rest()
        where = "in memory" if self._spool is None else f"in {self._spool.path}"
        warn_once("away", "the store is away (%s); records are kept %s", error.message, where)

    def replay(self) -> None:
        """Send the oldest records of the spool, if it is time to look."""
        now = time.monotonic()
        if self._spool is None or now < self._retry_at:
            return
        if now >= self._adopt_at:
            self._orphan_count = self._adopt(self._spool)
        if self._spool.path.exists() and (result := self._guarded.replay(self._send)):
            self.has_spooled = True
            if result.outage is None and result.accepted_count:
                logger.info("sent %d records that were spooled", result.accepted_count)
            return
        self.has_spooled = self._orphan_count > 0 or self._guarded.retry_at > 0
        self.rest()

    def _adopt(self, spool: Spool) -> int:
        """Take over the journals of processes that ended; return the number that could not be."""
        self._adopt_at = time.monotonic() + ADOPT_SECONDS
        return adopt(spool.path.with_suffix(""), [self.spool, self._send_all], self._losses)

    def _send_all(self, records: Sequence[Record]) -> bool:
        """Send records that the spool does not take; return whether the store has them all."""
        if self.is_away and time.monotonic() < self._retry_at:
            return False
        return self._send(records).accepted_count == len(records)
