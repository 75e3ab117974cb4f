"""A spool and a journal that never raise: what fails is left alone for a while, and told once."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from lineage_store import errors
from lineage_store.recording.delivery.backlog import Backlog
from lineage_store.recording.delivery.journal import Journal
from lineage_store.recording.delivery.losses import Losses
from lineage_store.recording.delivery.records import Record, Refusal
from lineage_store.recording.delivery.salvage import recover
from lineage_store.recording.delivery.sending import Outcome
from lineage_store.recording.delivery.spool import Spool, SpoolDamaged
from lineage_store.recording.delivery.waiting import Waiting
from lineage_store.recording.diagnostics import complain, forget


class GuardedSpool:
    """A spool as the sender uses it; each method says whether it worked.

    Args:
        spool: The spool; None: nothing works.
        losses: Counts what a damaged file has lost.
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
            forget("spool")
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

    def replay(self, send: Callable[[Sequence[Record]], Outcome]) -> Outcome | None:
        """Send the next records that wait; None: it failed, or there are none."""
        outcomes: list[Outcome] = []

        def work(_: Spool) -> None:
            if self._backlog is None or not (batch := self._backlog.batch()):
                return
            outcome = send([record for _, record in batch])
            outcomes.append(outcome)
            tell_refused(self._backlog.settle(batch, outcome))

        self._try(work)
        return outcomes[-1] if outcomes else None

    @property
    def rests(self) -> bool:
        """Whether it failed a moment ago, or there is none."""
        return self._spool is None or time.monotonic() < self.retry_at

    def _try(self, work: Callable[[Spool], None]) -> bool:
        if self._spool is None or self.rests:
            return False
        try:
            self._repairing(self._spool, work)
        except errors.LineageError as error:
            self.retry_at = time.monotonic() + self._retry_seconds
            complain("spool", "%s", error.message)
            return False
        self.retry_at = 0.0
        return True

    def _repairing(self, spool: Spool, work: Callable[[Spool], None]) -> None:
        """Do something with the spool; if it is damaged, save what is intact, and do it then."""
        try:
            work(spool)
        except SpoolDamaged as error:
            complain("damaged", "%s", error.message)
            self._recover(spool)
            work(spool)

    def _recover(self, spool: Spool) -> None:
        if self._backlog is not None:
            self._backlog.restart()
        recovered = recover(spool.path)
        if recovered is not None:
            if recovered.lost:
                self._losses.count(recovered.lost, "the spool was damaged")
            lost = "an unknown number of" if recovered.lost is None else recovered.lost
            complain(
                f"recovered {recovered.damaged}",
                "saved %d records of a damaged spool; %s records are lost, the file is %s",
                recovered.saved,
                lost,
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
        """Whether it failed a moment ago, or there is none."""
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
            complain(
                "journal",
                "no journal of records can be kept (%s): a kill loses what is unsent",
                error.strerror or error,
            )
            return 0
        if self._retry_at:
            self._retry_at = 0.0
            forget("journal")
        return number

    def settle(self, waiting: Iterable[Waiting]) -> None:
        """Forget all records but those that wait, which are in their order."""
        if self._journal is not None:
            first = next((each.number for each in waiting if each.number), self._journal.last + 1)
            self._journal.settle(first - 1)

    def release(self, waiting: Sequence[Waiting]) -> None:
        """Leave the journal to who looks for those of processes that ended; a new one begins.

        What it has is settled for this process: it is on disk, and is sent from there.
        """
        if self._journal is not None:
            self._journal.release()
            for each in waiting:
                each.is_settled = each.is_settled or bool(each.number)

    def forget(self) -> None:
        """In a forked child: leave the files to the parent."""
        if self._journal is not None:
            self._journal.forget()


def tell_refused(refusals: Sequence[Refusal]) -> None:
    """Log why records were refused, once for each reason."""
    for refusal in refusals:
        complain(f"refused {refusal.why}", "the store refused a record: %s", refusal.why)
