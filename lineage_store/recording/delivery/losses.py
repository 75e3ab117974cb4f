"""How many records could be kept nowhere: counted, told, and written beside the spool."""

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lineage_store.private_files import make_private_directory, make_private_file
from lineage_store.recording.diagnostics import complain, logger

SUFFIX = ".losses"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """Records of a store that were lost on this machine.

    Attributes:
        records: How many.
        reasons: Why, and how many for each reason.
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
        """In a child: what was lost is told by the parent, and its lock may be held for ever."""
        self._lock = threading.Lock()
        self._untold: Counter[str] = Counter()
        self._total = 0

    @property
    def total(self) -> int:
        """How many records this process lost."""
        return self._total

    def count(self, records: int, why: str) -> None:
        """Say that records are lost."""
        with self._lock:
            self._untold[why] += records
            self._total += records
        complain("lost", "records of steps are lost, %d for a start: %s", records, why)

    def write(self) -> None:
        """Add what was lost since the last time to the file, if that can be."""
        with self._lock:
            untold, self._untold = self._untold, Counter()
            if self._path is None or not untold:
                return
            try:
                add_losses(self._path, untold)
            except OSError:
                self._untold = untold  # it is tried again, and the log has them all

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


def lost(path: Path) -> Lost:
    """Return what a file of losses says; of one that is not there, that nothing was lost."""
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
    return Lost(records=reasons.total(), reasons=dict(reasons))
