"""A spool and a journal that never raise: after a failure they rest, and the log says so once."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from lineage_store import errors
from lineage_store.recording.delivery.backlog import Backlog
from lineage_store.recording.delivery.journal import Journal
from lineage_store.recording.delivery.losses import Losses
from lineage_store.recording.delivery.record_queue import QueuedRecord
from lineage_store.recording.delivery.records import Record, Refusal
from lineage_store.recording.delivery.salvage import recover
from lineage_store.recording.delivery.sending import DeliveryResult
from lineage_store.recording.delivery.spool import Spool, SpoolDamaged
from lineage_store.recording.diagnostics import rearm, warn_once


class GuardedSpool:
    """A spool as the sender uses it; each method says whether it worked.

    Args:
        spool: The spool; None: nothing works.
        losses: Counts the records that a damaged file lost.
        retry_seconds: How long it is left alone after it failed.
    """

    def __init__(self, spool: Spool | None, losses: Losses, retry_seconds: float) -> None:
        self._spool = spool
        self._losses = losses
        self._retry_seconds = retry_seconds
        self._backlog = None if spool is None else Backlog(spool)
        self.retry_at = 0.0

    def add(self, records: Sequence[Record]) -> bool:
        """Keep records, behind those that are there."""
        was_added = self._try(lambda spool: spool.add(records))
        if was_added:
            rearm("spool")
        return was_added

    def keep_refused(self, refusals: Sequence[Refusal]) -> bool:
        """Keep records that the store refused."""
        return self._try(lambda spool: spool.keep_refused(refusals))

    def has_more(self) -> bool:
        """Return whether records wait that are to be sent before others; False, if it fails."""
        more = [False]

        def look(_: Spool) -> None:
            more[0] = self._backlog is not None and self._backlog.has_more()

        return self._try(look) and more[0]

    def replay(self, send: Callable[[Sequence[Record]], DeliveryResult]) -> DeliveryResult | None:
        """Send the next records that wait; None: it failed, or there are none."""
        results: list[DeliveryResult] = []

        def work(_: Spool) -> None:
            if self._backlog is None or not (batch := self._backlog.batch()):
                return
            result = send([record for _, record in batch])
            results.append(result)
            warn_of_refusals(self._backlog.settle(batch, result))

        self._try(work)
        return results[-1] if results else None

    @property
    def rests(self) -> bool:
        """True if the spool failed a moment ago, or if there is none."""
        return self._spool is None or time.monotonic() < self.retry_at

    def _try(self, work: Callable[[Spool], None]) -> bool:
        if self._spool is None or self.rests:
            return False
        try:
            self._repairing(self._spool, work)
        except errors.LineageError as error:
            self.retry_at = time.monotonic() + self._retry_seconds
            warn_once("spool", "%s", error.message)
            return False
        self.retry_at = 0.0
        return True

    def _repairing(self, spool: Spool, work: Callable[[Spool], None]) -> None:
        """Work on the spool; if it is damaged, save the intact records first."""
        try:
            work(spool)
        except SpoolDamaged as error:
            warn_once("damaged", "%s", error.message)
            self._recover(spool)
            work(spool)

    def _recover(self, spool: Spool) -> None:
        if self._backlog is not None:
            self._backlog.restart()
        recovered = recover(spool.path)
        if recovered is not None:
            if recovered.lost:
                self._losses.count(recovered.lost, "the spool was damaged")
            lost_count = "an unknown number of" if recovered.lost is None else recovered.lost
            warn_once(
                f"recovered {recovered.damaged}",
                "saved %d records of a damaged spool; %s records are lost, the file is %s",
                recovered.saved,
                lost_count,
                recovered.damaged,
            )


class GuardedJournal:
    """A journal; while it fails, records are in memory alone.

    Args:
        stem: Directory and beginning of the name of its files; None: there is no journal.
        url: The store that the records are for.
        max_bytes: How much it may hold.
        retry_seconds: How long it is left alone after it failed.
    """

    def __init__(self, stem: Path | None, url: str, max_bytes: int, retry_seconds: float) -> None:
        self._journal = None if stem is None else Journal(stem, url, max_bytes)
        self._retry_seconds = retry_seconds
        self._retry_at = 0.0

    @property
    def rests(self) -> bool:
        """True if the journal failed a moment ago, or if there is none."""
        if self._journal is None:
            return True
        return bool(self._retry_at) and time.monotonic() < self._retry_at

    def append(self, record: Record) -> int:
        """Keep a record; return its number, or 0: it is not kept."""
        if self._journal is None or self.rests:
            return 0
        try:
            number = self._journal.append(record)
        except OSError as error:
            self._retry_at = time.monotonic() + self._retry_seconds
            warn_once(
                "journal",
                "no journal of records can be kept (%s): a kill loses unsent records",
                error.strerror or error,
            )
            return 0
        if self._retry_at:
            self._retry_at = 0.0
            rearm("journal")
        return number

    def settle(self, queued_records: Iterable[QueuedRecord]) -> None:
        """Forget all records but those that wait, which are in their order."""
        if self._journal is not None:
            first = next(
                (each.number for each in queued_records if each.number), self._journal.last + 1
            )
            self._journal.settle(first - 1)

    def release(self, queued_records: Sequence[QueuedRecord]) -> None:
        """Leave the journal to who looks for those of processes that ended; a new one begins.

        Its records are settled for this process: they are on disk, and are sent from there.
        """
        if self._journal is not None:
            self._journal.release()
            for each in queued_records:
                each.is_settled = each.is_settled or bool(each.number)

    def forget(self) -> None:
        """In a forked child: leave the files to the parent."""
        if self._journal is not None:
            self._journal.forget()


def warn_of_refusals(refusals: Sequence[Refusal]) -> None:
    """Log why records were refused, once for each reason."""
    for refusal in refusals:
        warn_once(f"refused {refusal.why}", "the store refused a record: %s", refusal.why)
