"""What waits in a spool file, as one process sends it: in order, past what can't be sent now."""

import time
from collections.abc import Sequence
from pathlib import Path

from lineage_store import errors
from lineage_store.recording.delivery.records import Record, Refusal
from lineage_store.recording.delivery.sending import Outcome
from lineage_store.recording.delivery.spool import BATCH_RECORDS, Spool

DOUBT_SECONDS = 600.0
"""How long a record waits that the store fails on, while it takes others; then it is refused."""

ROUND_SECONDS = 30.0
"""How long what was passed over rests before it is sent again."""

UNREADABLE = "UNREADABLE: this version of lineage-store can't read it; a later one may"

Numbered = tuple[int, Record]


class Backlog:
    """Goes through a spool file once and again; what can't be sent now holds up nothing behind it.

    A file on a full disk can't be changed. Its records are sent all the same, and removed as soon
    as that can be; another process that sends them until then does no harm.

    Args:
        spool: The file.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._file: int | None = None
        self._taken = 0
        self._sent: set[int] = set()
        self._refused: dict[int, str] = {}
        self._is_failing = False
        self._early_at = 0.0
        self.restart()

    def restart(self) -> None:
        """Begin anew with the oldest record."""
        self._passed = 0
        self._begun = time.monotonic()

    def batch(self, count: int = BATCH_RECORDS) -> list[Numbered]:
        """Return the next records to be sent; none: it is through for now.

        Raises:
            SpoolDamaged: The file is not intact.
            Unavailable: It can't be read.
        """
        self._settle()
        if self._passed and time.monotonic() - self._begun > ROUND_SECONDS:
            self.restart()
        while rows := self._spool.first(count, after=self._passed):
            fresh = [row for row in rows if not self._is_settled(row[0])]
            unreadable = {number: UNREADABLE for number, record in fresh if not record.is_readable}
            self._refused |= unreadable
            if batch := [row for row in fresh if row[0] not in unreadable]:
                return batch
            self._passed = rows[-1][0]
        return []

    def _is_settled(self, number: int) -> bool:
        return number in self._sent or number in self._refused

    def has_more(self) -> bool:
        """Return whether there is more to be sent in this round; see `batch`."""
        return self._spool.has_pending(after=self._passed)

    def settle(self, batch: Sequence[Numbered], outcome: Outcome) -> list[Refusal]:
        """Take in what became of a batch; return what is refused now.

        Raises:
            SpoolDamaged: The file is not intact.
        """
        numbers = [number for number, _ in batch[: outcome.done]]
        refused = {numbers[at]: refusal for at, refusal in outcome.refused.items()}
        doubted = {numbers[at]: error for at, error in outcome.doubted.items()}
        self._taken += outcome.taken
        self._sent.update(n for n in numbers if n not in refused and n not in doubted)
        refused |= self._given_up(dict(batch), doubted)
        self._refused |= {number: refusal.why for number, refusal in refused.items()}
        self._passed = max([self._passed, *numbers])
        self._settle()
        self._note_success(outcome)
        return list(refused.values())

    def _note_success(self, outcome: Outcome) -> None:
        """Begin anew at once when a store that failed on everything takes records again."""
        self._is_failing |= outcome.away is not None and bool(outcome.doubted)
        now = time.monotonic()
        if self._is_failing and outcome.taken and now >= self._early_at:
            self._is_failing, self._early_at = False, now + ROUND_SECONDS
            self.restart()

    def _given_up(
        self, records: dict[int, Record], doubted: dict[int, errors.LineageError]
    ) -> dict[int, Refusal]:
        """Return the records that the store failed on for long, while it took others."""
        if not doubted or not self._taken:
            return {}
        try:
            old = self._spool.older(doubted, DOUBT_SECONDS)
        except errors.Unavailable:
            return {}
        whys = {n: f"{doubted[n].reason}: {doubted[n].message}" for n in old}
        return {n: Refusal(records[n], why) for n, why in whys.items()}

    def _check_file(self) -> None:
        """Forget the numbers of records if they are those of another file, which took its place."""
        file = _inode(self._spool.path)
        if file != self._file:
            self._file, self._sent, self._refused = file, set(), {}
            self.restart()

    def _settle(self) -> None:
        self._check_file()
        if not self._sent and not self._refused:
            return
        try:
            self._spool.settle(self._sent, self._refused)
        except errors.Unavailable:
            return
        self._sent, self._refused = set(), {}


def _inode(path: Path) -> int | None:
    """Return what tells a file from another that takes its place; None: it is not there."""
    try:
        return path.stat().st_ino
    except OSError:
        return None
