"""Records that wait on the local disk: where they are, and how they get to the store after all."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from lineage_store import errors
from lineage_store.client.addresses import located
from lineage_store.recording.delivery.records import Record, send
from lineage_store.recording.delivery.salvage import Recovered, recover
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
    "spool_path",
    "spool_status",
]

VARIABLE = "LINEAGE_STORE_SPOOL"
"""The environment variable that names the directory of spool files."""


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
    """Return the spool file of the store at a URL."""
    where = default_directory() if directory is None else Path(directory)
    return where / f"{sha256(located(url).encode()).hexdigest()[:16]}.spool"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What became of the records of a spool file.

    Attributes:
        sent: Records that the store has now.
        refused: Records that it refused; they stay in the file.
        left: Records that still wait, since the store went away.
    """

    sent: int
    refused: int
    left: int


def spool_status(path: Path | str) -> SpoolStatus:
    """Return what a spool file holds; of one that is not there, that it holds nothing.

    Raises:
        SpoolDamaged: The file is not intact.
        Unavailable: It can't be opened.
    """
    return Spool(path).status()


def replay(
    store: Any, path: Path | str, progress: Callable[[int, int], None] | None = None
) -> Replayed:
    """Send the records of a spool file to a store, in their order; what was sent is deleted.

    Args:
        store: A `LineageStore`.
        path: The file.
        progress: Called with how many records are done, and how many there were.

    Raises:
        SpoolDamaged: The file is not intact.
        Unavailable: It can't be opened, or the store is away from the beginning.
    """
    spool = Spool(path)
    total = spool.status().pending
    sent, refused = 0, 0
    while batch := spool.first():
        outcome = replay_batch(store.hasty_transport(), spool, batch)
        sent, refused = sent + outcome.sent, refused + outcome.refused
        if progress is not None:
            progress(sent + refused, total)
        if outcome.away is not None:
            if not sent + refused:
                raise outcome.away
            break
    return Replayed(sent=sent, refused=refused, left=spool.status().pending)


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What became of a batch from a spool.

    Attributes:
        sent: How many records the store has now.
        refused: How many it refused.
        away: Why the others were not sent; None: there are none.
    """

    sent: int
    refused: int
    away: errors.LineageError | None


def replay_batch(transport: Any, spool: Spool, batch: Sequence[tuple[int, Record]]) -> BatchOutcome:
    """Send a batch of records from a spool, and settle them there."""
    outcome = send(transport, [record for _, record in batch])
    done = [number for number, _ in batch[: outcome.done]]
    refused = {done[at]: refusal.why for at, refusal in outcome.refused.items()}
    sent = [number for number in done if number not in refused]
    spool.settle(sent, refused)
    return BatchOutcome(len(sent), len(refused), outcome.away)
