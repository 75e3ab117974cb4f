"""Records that wait on the local disk: their files, and their replay to the store."""

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
from lineage_store.client.transport import Transport
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
    """Return the directory of spool files: $LINEAGE_STORE_SPOOL, else one in the user's cache."""
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
    """Return the file, beside a spool file, that counts lost records."""
    return _stem(path).with_suffix(losses.SUFFIX)


def _stem(path: Path) -> Path:
    return path.with_suffix("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The result of replaying a spool file.

    Attributes:
        sent: Records that the store has now.
        refused: Records that it refused, also those that it refused before; they stay in the file.
        left: Records that still wait, since the store went away, or fails on them.
    """

    sent: int
    refused: int
    left: int


def spool_status(path: Path | str) -> SpoolStatus:
    """Return the status of a spool file and its journals; a missing file holds nothing.

    Raises:
        SpoolDamaged: The file is not intact.
        Unavailable: It can't be opened.
    """
    spool = Spool(path)
    status = spool.status()
    loss_report = losses.read_losses(losses_path(spool.path))
    orphan_journals = [each for each in orphans(_stem(spool.path)) if each.records]
    times = [each.modified for each in orphan_journals] + (
        [] if status.oldest is None else [status.oldest]
    )
    return replace(
        status,
        url=status.url or next((each.url for each in orphan_journals if each.url), None),
        pending=status.pending + sum(len(each.records) for each in orphan_journals),
        oldest=min(times, default=None),
        journals=len(orphan_journals),
        lost=loss_report.records,
        losses=loss_report.reasons,
    )


def replay(
    store: Any,  # noqa: ANN401 - a LineageStore, whose module imports this
    path: Path | str,
    progress: Callable[[int, int], None] | None = None,
) -> Replayed:
    """Send the records of a spool file to a store, in their order; delete each that was sent.

    Waiting records go first, also those in journals of processes that ended, then refused ones.

    Args:
        store: A `LineageStore`.
        path: The file.
        progress: Called with the number of records tried so far, and the number of all.

    Raises:
        SpoolDamaged: The file is not intact.
        Unavailable: It can't be opened, or the store is away from the beginning.
    """
    spool = Spool(path)
    replaying = _Replay(store.fail_fast_transport(), spool, progress or _ignore_progress)
    replaying.run()
    status = spool_status(path)
    return Replayed(sent=replaying.accepted_count, refused=status.refused, left=status.pending)


def _ignore_progress(count: int, total: int) -> None:
    """Ignore the progress of a replay."""


class _Replay:
    """One replay of a file; `accepted_count` says how many records the store took in it."""

    def __init__(
        self, transport: Transport, spool: Spool, progress: Callable[[int, int], None]
    ) -> None:
        self._transport = transport
        self._spool = spool
        self._progress = progress
        self._tried_count = 0
        self.accepted_count = 0

    def run(self) -> None:
        """Send the waiting records, then those refused before.

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
        result = send(self._transport, records)
        self._count(result.accepted_count, result.tried_count)
        return result.accepted_count == len(records)

    def _send_waiting(self) -> bool:
        """Send the waiting records; return whether the store is still there."""
        backlog = Backlog(self._spool)
        while batch := backlog.batch():
            result = send(self._transport, [record for _, record in batch])
            backlog.settle(batch, result)
            self._count(result.accepted_count, result.tried_count)
            if result.outage is not None:
                if not self._tried_count:
                    raise result.outage
                return False
        return True

    def _count(self, accepted_count: int, tried_count: int) -> None:
        self.accepted_count += accepted_count
        self._tried_count += tried_count
        self._progress(min(self._tried_count, self._total), self._total)
