"""Counts of records that could be kept nowhere: logged, and written beside the spool."""

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lineage_store.private_files import make_private_directory, make_private_file
from lineage_store.recording.diagnostics import logger, warn_once

SUFFIX = ".losses"


@dataclass(frozen=True, slots=True, kw_only=True)
class LossReport:
    """Records of a store that were lost on this machine.

    Attributes:
        records: Their number.
        reasons: The number of records for each reason.
    """

    records: int
    reasons: dict[str, int]


class Losses:
    """Counts the records that one process lost.

    Args:
        path: The file to which it adds; None: there is none.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.after_fork()

    def after_fork(self) -> None:
        """In a child: the parent reports its losses itself, and its lock may be held for ever."""
        self._lock = threading.Lock()
        self._unwritten: Counter[str] = Counter()
        self._total = 0

    @property
    def total(self) -> int:
        """The number of records that this process lost."""
        return self._total

    def count(self, records: int, why: str) -> None:
        """Count and log lost records."""
        with self._lock:
            self._unwritten[why] += records
            self._total += records
        warn_once("lost", "records of steps are lost, %d for a start: %s", records, why)

    def write(self) -> None:
        """Add the losses since the last call to the file, if it can be written."""
        with self._lock:
            unwritten, self._unwritten = self._unwritten, Counter()
            if self._path is None or not unwritten:
                return
            try:
                add_losses(self._path, unwritten)
            except OSError:
                self._unwritten = unwritten  # it is tried again, and the log has them all

    def tell(self) -> None:
        """Write and log how many were lost in all, if any were."""
        self.write()
        if self._total:
            logger.warning("%d records of steps were lost in all", self._total)


def add_losses(path: Path, losses: Mapping[str, int]) -> None:
    """Add to a file how many records were lost for which reason.

    Raises:
        OSError: It can't be written.
    """
    now = time.time_ns() // 1_000_000
    lines = [json.dumps({"at": now, "records": n, "why": why}) for why, n in losses.items()]
    make_private_directory(path.parent)
    make_private_file(path)
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(line + "\n" for line in lines))


def read_losses(path: Path) -> LossReport:
    """Read a file of losses; a missing file counts as no losses."""
    reasons: Counter[str] = Counter()
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        try:
            loss = json.loads(line)
            reasons[str(loss["why"])] += int(loss["records"])
        except (ValueError, TypeError, KeyError):  # half a line, of a process that was killed
            reasons["a line of the file can't be read"] += 1
    return LossReport(records=reasons.total(), reasons=dict(reasons))
