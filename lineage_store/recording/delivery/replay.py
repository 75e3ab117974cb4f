"""Records that wait on the local disk: where they are, and how they get to the store after all."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from lineage_store import errors
from lineage_store.client.addresses import located
from lineage_store.masking import masked_url
from lineage_store.recording.delivery import journal, losses
from lineage_store.recording.delivery.adoption import adopt
from lineage_store.recording.delivery.backlog import Backlog
from lineage_store.recording.delivery.orphans import orphans
from lineage_store.recording.delivery.records import Record
from lineage_store.recording.delivery.salvage import Recovered, recover
from lineage_store.recording.delivery.sending import send
from lineage_store.recording.delivery.spool import Spool, SpoolDamaged, SpoolStatus

__all__ = [
    "Recovered",
    "Replayed",
    "Spool",
    "SpoolDamaged",
    "SpoolStatus",
    "default_directory",
    "recover",
    "replay",
    "spool_beside",
    "spool_path",
    "spool_paths",
    "spool_status",
]

VARIABLE = "LINEAGE_STORE_SPOOL"
"""The environment variable that names the directory of spool files."""

SUFFIX = ".spool"


def default_directory() -> Path:
    """Return where spool files are kept: $LINEAGE_STORE_SPOOL, else in the cache of the user."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "lineage-store" / "spool"


def spool_path(url: str, directory: Path | str | None = None) -> Path:
    """Return the spool file of the store at a URL; a password does not count."""
    where = default_directory() if directory is None else Path(directory)
    whole = located(url)
    stem = _stem_of(masked_url(whole))
    if stem != _stem_of(whole):
        _rename_all(where, _stem_of(whole), stem)
    return where / f"{stem}{SUFFIX}"


def _stem_of(url: str) -> str:
    return sha256(url.encode()).hexdigest()[:16]


def _rename_all(where: Path, old: str, new: str) -> None:
    """Take over the files of earlier versions, whose names depended on the password."""
    with suppress(OSError):  # another process was faster, or they can't be changed
        for path in where.glob(f"{old}.*"):
            target = path.with_name(new + path.name.removeprefix(old))
            if not target.exists():
                path.rename(target)


def spool_paths(directory: Path | str | None = None) -> list[Path]:
    """Return the spool files of a directory, also those not made yet beside which are journals."""
    where = default_directory() if directory is None else Path(directory)
    stems = {path.name.partition(".")[0] for path in where.glob("*.*") if _is_ours(path)}
    return [where / f"{stem}{SUFFIX}" for stem in sorted(stems)]


def spool_beside(path: Path) -> Path:
    """Return the spool file that a file belongs to: a journal's, or the file itself."""
    return path.with_name(path.name.partition(".")[0] + SUFFIX) if _is_journal(path) else path


def _is_journal(path: Path) -> bool:
    return path.suffix == journal.SUFFIX


def _is_ours(path: Path) -> bool:
    return path.suffix in {SUFFIX, journal.SUFFIX, losses.SUFFIX}


def losses_path(path: Path) -> Path:
    """Return the file that counts what was lost beside a spool file."""
    return _stem(path).with_suffix(losses.SUFFIX)


def _stem(path: Path) -> Path:
    return path.with_suffix("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What became of the records of a spool file.

    Attributes:
        sent: Records that the store has now.
        refused: Records that it refused, also those that it refused before; they stay in the file.
        left: Records that still wait, since the store went away, or fails on them.
    """

    sent: int
    refused: int
    left: int


def spool_status(path: Path | str) -> SpoolStatus:
    """Return what waits in a spool file and beside it; of one that is not there, that none does.

    Raises:
        SpoolDamaged: The file is not intact.
        Unavailable: It can't be opened.
    """
    spool = Spool(path)
    status = spool.status()
    lost = losses.lost(losses_path(spool.path))
    left = [each for each in orphans(_stem(spool.path)) if each.records]
    times = [each.modified for each in left] + ([] if status.oldest is None else [status.oldest])
    return replace(
        status,
        url=status.url or next((each.url for each in left if each.url), None),
        pending=status.pending + sum(len(each.records) for each in left),
        oldest=min(times, default=None),
        journals=len(left),
        lost=lost.records,
        losses=lost.reasons,
    )


def replay(
    store: Any, path: Path | str, progress: Callable[[int, int], None] | None = None
) -> Replayed:
    """Send the records of a spool file to a store, in their order; what was sent is deleted.

    First what waits, also in journals of processes that ended, then what was refused before.

    Args:
        store: A `LineageStore`.
        path: The file.
        progress: Called with how many records are done, and how many there were.

    Raises:
        SpoolDamaged: The file is not intact.
        Unavailable: It can't be opened, or the store is away from the beginning.
    """
    spool = Spool(path)
    replaying = _Replay(store.hasty_transport(), spool, progress or _tell_nobody)
    replaying.run()
    status = spool_status(path)
    return Replayed(sent=replaying.sent, refused=status.refused, left=status.pending)


def _tell_nobody(done: int, total: int) -> None:
    """Take in how far a replay is."""


class _Replay:
    """One replay of a file; `sent` says how many records the store took in it."""

    def __init__(self, transport: Any, spool: Spool, progress: Callable[[int, int], None]) -> None:
        self._transport = transport
        self._spool = spool
        self._progress = progress
        self._done = 0
        self.sent = 0

    def run(self) -> None:
        """Send what waits, and what was refused before.

        Raises:
            LineageError: The store is away from the beginning.
        """
        status = spool_status(self._spool.path)
        self._total = status.pending + status.refused
        damage = losses.Losses(losses_path(self._spool.path))
        adopt(_stem(self._spool.path), [self._keep, self._send_all], damage)
        damage.write()
        if self._send_waiting() and status.refused and self._spool.readmit():
            self._send_waiting()

    def _keep(self, records: Sequence[Record]) -> bool:
        """Put records of a journal into the spool."""
        try:
            self._spool.add(records)
        except errors.Unavailable:
            return False
        return True

    def _send_all(self, records: Sequence[Record]) -> bool:
        outcome = send(self._transport, records)
        self._count(outcome.taken, outcome.done)
        return outcome.taken == len(records)

    def _send_waiting(self) -> bool:
        """Send what waits; return whether the store is still there."""
        backlog = Backlog(self._spool)
        while batch := backlog.batch():
            outcome = send(self._transport, [record for _, record in batch])
            backlog.settle(batch, outcome)
            self._count(outcome.taken, outcome.done)
            if outcome.away is not None:
                if not self._done:
                    raise outcome.away
                return False
        return True

    def _count(self, sent: int, done: int) -> None:
        self.sent += sent
        self._done += done
        self._progress(min(self._done, self._total), self._total)
