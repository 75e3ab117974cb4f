"""The way of records from memory to the store or to the spool, and from the spool to the store."""

import time
from collections.abc import Callable, Iterator, Sequence

from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.client.transport import Transport
from lineage_store.recording.delivery.adoption import adopt
from lineage_store.recording.delivery.guard import GuardedSpool, tell_refused
from lineage_store.recording.delivery.journal import journals
from lineage_store.recording.delivery.losses import Losses
from lineage_store.recording.delivery.records import Record
from lineage_store.recording.delivery.sending import Outcome, send
from lineage_store.recording.delivery.spool import Spool
from lineage_store.recording.delivery.waiting import Waiting, settle
from lineage_store.recording.diagnostics import complain, forget, logger
from lineage_store.recording.options import RecordingOptions

ADOPT_SECONDS = 5.0
"""How often to look for journals of processes that ended."""


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
            complain(f"defect {error!r}", "a defect of recording; it goes on: %r", error)
            raise errors.Internal(f"a call failed: {error!r}") from None

    def stream(self, method: str, request: Message) -> Iterator[Message]:
        """Yield the messages that answer a request; see `Transport.stream`."""
        return self._transport.stream(method, request)

    def close(self) -> None:
        """Do nothing: the transport is the store's."""


class Courier:
    """Brings records to the store in order, as long as it is there, and else to the spool.

    Args:
        transport: Returns what carries the requests; it should fail rather than wait.
        spool: Where records wait; None: nowhere.
        losses: Counts what is lost on the way.
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
        self._left = 0

    def spool(self, records: Sequence[Record]) -> bool:
        """Keep records in the spool; return whether it took them."""
        if not self._guarded.add(records):
            return False
        self.has_spooled = True
        return True

    @property
    def spool_rests(self) -> bool:
        """Whether the spool failed a moment ago, or there is none."""
        return self._guarded.rests

    def hurry(self) -> None:
        """Try the spool now, even if it failed a moment ago."""
        self._guarded.retry_at = 0.0

    def look(self) -> None:
        """Look for all that may be in files now, and try the store."""
        self._adopt_at = self._retry_at = 0.0
        self.is_away = False
        if self._spool is not None:
            left = journals(self._spool.path.with_suffix(""))
            self.has_spooled = self._spool.path.exists() or bool(left)

    def rest(self) -> None:
        """Leave the store alone for a while."""
        self._retry_at = time.monotonic() + self._retry_seconds

    def block(self) -> None:
        """Deliver nothing for a while, after a defect."""
        self.rest()
        self.blocked_until = self._retry_at

    def due(self) -> float:
        """Return at what time there is something to do without new records."""
        return self._retry_at if self.has_spooled else float("inf")

    def deliver(self, batch: Sequence[Waiting]) -> list[Waiting]:
        """Bring records to the store, or to the spool; mark those that are settled.

        Returns:
            Those that the store does not take and no file takes; they are better not sent again
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
        outcome = self._send(records)
        return self._settle(batch, outcome)

    def _settle(self, batch: Sequence[Waiting], outcome: Outcome) -> list[Waiting]:
        left = outcome.waiting(len(batch))
        settle([e for at, e in enumerate(batch[: outcome.done]) if not outcome.is_open(at)])
        if outcome.refused:
            refusals = list(outcome.refused.values())
            tell_refused(refusals)
            if self._guarded.keep_refused(refusals):
                settle([batch[at] for at in outcome.refused])
        if left and self.spool([batch[at].record for at in left]):
            settle([batch[at] for at in left])
        elif outcome.away is not None:
            self.blocked_until = self._retry_at
        return [batch[at] for at in (*outcome.refused, *outcome.doubted)]

    def _send(self, records: Sequence[Record]) -> Outcome:
        outcome = send(_Guarded(self._transport(), self._is_closed), records)
        if outcome.away is not None:
            self._note_away(outcome.away)
        elif outcome.taken:
            self.is_away = False
            forget("away")
        return outcome

    def _note_away(self, error: errors.LineageError) -> None:
        self.is_away = True
        self.rest()
        where = "in memory" if self._spool is None else f"in {self._spool.path}"
        complain("away", "the store is away (%s); records are kept %s", error.message, where)

    def replay(self) -> None:
        """Send the oldest records of the spool, if it is time to look."""
        now = time.monotonic()
        if self._spool is None or now < self._retry_at:
            return
        if now >= self._adopt_at:
            self._left = self._adopt(self._spool)
        if self._spool.path.exists() and (outcome := self._guarded.replay(self._send)):
            self.has_spooled = True
            if outcome.away is None and outcome.taken:
                logger.info("sent %d records that were spooled", outcome.taken)
            return
        self.has_spooled = self._left > 0 or self._guarded.retry_at > 0
        self.rest()

    def _adopt(self, spool: Spool) -> int:
        """Take over the journals of processes that ended; return how many can't be."""
        self._adopt_at = time.monotonic() + ADOPT_SECONDS
        return adopt(spool.path.with_suffix(""), [self.spool, self._send_all], self._losses)

    def _send_all(self, records: Sequence[Record]) -> bool:
        """Send records that the spool does not take; return whether the store has them all."""
        if self.is_away and time.monotonic() < self._retry_at:
            return False
        return self._send(records).taken == len(records)
