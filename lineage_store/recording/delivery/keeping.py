"""The journal of a process as its sender uses it: it never raises, and may fail for a while."""

import time
from collections.abc import Sequence
from pathlib import Path

from lineage_store.recording.complaints import complain, forget
from lineage_store.recording.delivery.journal import Journal
from lineage_store.recording.delivery.records import Record
from lineage_store.recording.delivery.waiting import Waiting


class KeptJournal:
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

    def append(self, record: Record) -> int:
        """Keep a record; return its number, or 0: it is not kept."""
        if self._journal is None or (self._retry_at and time.monotonic() < self._retry_at):
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

    def settle(self, waiting: Sequence[Waiting]) -> None:
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
