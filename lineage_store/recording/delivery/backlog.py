"""The backlog of a spool file, sent in order and past records that can't be sent now."""

import time
from collections.abc import Sequence
from pathlib import Path

from lineage_store import errors
from lineage_store.recording.delivery.records import Record, Refusal
from lineage_store.recording.delivery.sending import DeliveryResult
from lineage_store.recording.delivery.spool import BATCH_RECORDS, Spool

DOUBT_SECONDS = 600.0
"""Seconds that a record waits while the store fails on it but takes others; then it is refused."""

ROUND_SECONDS = 30.0
"""Seconds that a skipped record rests before it is sent again."""

UNREADABLE = "UNREADABLE: this version of lineage-store can't read it; a later one may"

Numbered = tuple[int, Record]


class Backlog:
    """Goes through a spool file again and again; a record that can't be sent blocks none behind it.

    A file on a full disk can't be changed. Its records are sent all the same, and removed as soon
    as that can be; another process that sends them until then does no harm.

    Args:
        spool: The file.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._file: int | None = None
        self._accepted_count = 0
        self._sent_numbers: set[int] = set()
        self._refusals: dict[int, str] = {}
        self._is_failing = False
        self._early_at = 0.0
        self.restart()

    def restart(self) -> None:
        """Begin anew with the oldest record."""
        self._last_number = 0
        self._round_start = time.monotonic()

    def batch(self, count: int = BATCH_RECORDS) -> list[Numbered]:
        """Return the next records to be sent; none: it is through for now.

        Raises:
            SpoolDamaged: The file is not intact.
            Unavailable: It can't be read.
        """
        self._settle()
        if self._last_number and time.monotonic() - self._round_start > ROUND_SECONDS:
            self.restart()
        while rows := self._spool.first(count, after=self._last_number):
            fresh = [row for row in rows if not self._is_settled(row[0])]
            unreadable = {number: UNREADABLE for number, record in fresh if not record.is_readable}
            self._refusals |= unreadable
            if batch := [row for row in fresh if row[0] not in unreadable]:
                return batch
            self._last_number = rows[-1][0]
        return []

    def _is_settled(self, number: int) -> bool:
        return number in self._sent_numbers or number in self._refusals

    def has_more(self) -> bool:
        """Return whether there is more to be sent in this round; see `batch`."""
        return self._spool.has_pending(after=self._last_number)

    def settle(self, batch: Sequence[Numbered], result: DeliveryResult) -> list[Refusal]:
        """Take in the result of a batch; return the records that are refused now.

        Raises:
            SpoolDamaged: The file is not intact.
        """
        numbers = [number for number, _ in batch[: result.tried_count]]
        refusals = {numbers[at]: refusal for at, refusal in result.refusals.items()}
        doubts = {numbers[at]: error for at, error in result.doubts.items()}
        self._accepted_count += result.accepted_count
        self._sent_numbers.update(n for n in numbers if n not in refusals and n not in doubts)
        refusals |= self._overdue(dict(batch), doubts)
        self._refusals |= {number: refusal.why for number, refusal in refusals.items()}
        self._last_number = max([self._last_number, *numbers])
        self._settle()
        self._note_success(result)
        return list(refusals.values())

    def _note_success(self, result: DeliveryResult) -> None:
        """Begin anew at once when a store that failed on everything takes records again."""
        self._is_failing |= result.outage is not None and bool(result.doubts)
        now = time.monotonic()
        if self._is_failing and result.accepted_count and now >= self._early_at:
            self._is_failing, self._early_at = False, now + ROUND_SECONDS
            self.restart()

    def _overdue(
        self, records: dict[int, Record], doubts: dict[int, errors.LineageError]
    ) -> dict[int, Refusal]:
        """Return the records that the store failed on for long, while it took others."""
        if not doubts or not self._accepted_count:
            return {}
        try:
            old_numbers = self._spool.older(doubts, DOUBT_SECONDS)
        except errors.Unavailable:
            return {}
        reasons = {n: f"{doubts[n].reason}: {doubts[n].message}" for n in old_numbers}
        return {n: Refusal(records[n], why) for n, why in reasons.items()}

    def _check_file(self) -> None:
        """Forget the numbers of records if they are those of another file, which took its place."""
        file = _inode(self._spool.path)
        if file != self._file:
            self._file, self._sent_numbers, self._refusals = file, set(), {}
            self.restart()

    def _settle(self) -> None:
        self._check_file()
        if not self._sent_numbers and not self._refusals:
            return
        try:
            self._spool.settle(self._sent_numbers, self._refusals)
        except errors.Unavailable:
            return
        self._sent_numbers, self._refusals = set(), {}


def _inode(path: Path) -> int | None:
    """Return the inode of a file, which tells it from a later one; None: there is no file."""
    try:
        return path.stat().st_ino
    except OSError:
        return None
