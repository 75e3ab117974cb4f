"""Adoption of journals that ended processes left: their records go to the spool or the store."""

from collections.abc import Callable, Sequence
from pathlib import Path

from lineage_store.recording.delivery.losses import Losses
from lineage_store.recording.delivery.orphans import Orphan, orphans
from lineage_store.recording.delivery.record_queue import BATCH_RECORDS
from lineage_store.recording.delivery.records import Record
from lineage_store.recording.diagnostics import logger, warn_once

Take = Callable[[Sequence[Record]], bool]
"""Takes records; returns whether all of them are kept now."""


def adopt(stem: Path, takers: Sequence[Take], losses: Losses) -> int:
    """Bring the records of journals that were left behind to the first that takes them.

    Args:
        stem: Directory and beginning of the name of the journals.
        takers: Functions that may take them, best first.
        losses: Counts damaged records.

    Returns:
        The number of journals that are left all the same.
    """
    remaining_journals = 0
    for orphan in orphans(stem):
        try:
            remaining_journals += not _settle(orphan, takers, losses)
        except OSError as error:
            remaining_journals += 1
            warn_once("orphan", "the journal %s can't be removed: %s", orphan.path, error)
    return remaining_journals


def _settle(orphan: Orphan, takers: Sequence[Take], losses: Losses) -> bool:
    if not any(_take_all(orphan.records, take) for take in takers):
        return False
    orphan.remove()
    if orphan.damaged:
        losses.count(orphan.damaged, "a journal was damaged")
        warn_once("journal damaged", "the journal %s was damaged", orphan.path)
    if orphan.records:
        logger.info("took over %d records of a process that ended", len(orphan.records))
    return True


def _take_all(records: Sequence[Record], take: Take) -> bool:
    batches = range(0, len(records), BATCH_RECORDS)
    return all(take(records[at : at + BATCH_RECORDS]) for at in batches)
