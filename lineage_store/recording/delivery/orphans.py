"""Journals that were left behind by processes that ended, and how they are read."""

import os
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lineage_store.masking import masked_url
from lineage_store.recording.delivery.journal import HEAD, MARK, ORIGIN, journals
from lineage_store.recording.delivery.locks import try_lock
from lineage_store.recording.delivery.records import Record


@dataclass(slots=True)
class Orphan:
    """A journal that nobody writes to any more.

    Attributes:
        path: The file.
        records: Those that are intact, in their order.
        url: The store that they are for; None: it can't be read.
        damaged: Places at which something can't be read. That a last entry is not whole is none:
            its process was killed while it recorded it.
        modified: When it was last written, in ms since the epoch.
    """

    path: Path
    records: list[Record] = field(default_factory=list)
    url: str | None = None
    damaged: int = 0
    modified: int = 0

    def remove(self) -> None:
        """Remove the file; one that is damaged is kept beside it, for who wants to look.

        Raises:
            OSError: It can't be removed.
        """
        if self.damaged:
            self.path.rename(self.path.with_name(f"{self.path.name}.damaged-{time.time_ns()}"))
        else:
            self.path.unlink(missing_ok=True)


def orphans(stem: Path) -> Iterator[Orphan]:
    """Yield the journals of a store that were left behind, each locked as long as it is in use."""
    for path in journals(stem):
        with orphan(path) as journal:
            if journal is not None:
                yield journal


@contextmanager
def orphan(path: Path) -> Iterator[Orphan | None]:
    """Open a journal that was left behind; None: its process lives, or another one has it now."""
    try:
        fd = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    except OSError:
        yield None
        return
    try:
        yield _read_journal(path, fd) if _is_orphaned(path, fd) else None
    finally:
        os.close(fd)


def _is_orphaned(path: Path, fd: int) -> bool:
    try:
        return try_lock(fd) and os.path.samestat(path.stat(), os.fstat(fd))
    except OSError:
        return False


def _read_journal(path: Path, fd: int) -> Orphan:
    with os.fdopen(os.dup(fd), "rb") as file:
        content = file.read()
    journal = Orphan(path, modified=os.fstat(fd).st_mtime_ns // 1_000_000)
    at = 0
    while at < len(content):
        end = _read_entry(content, at, journal)
        if end is None:
            end = content.find(MARK, at + 1)
            journal.damaged += end > 0 or not _is_cut(content, at)
        at = end if end > 0 else len(content)
    return journal


def _read_entry(content: bytes, at: int, journal: Orphan) -> int | None:
    """Take in the entry at a place; return where it ends, or None: it is not whole."""
    if len(content) < at + HEAD.size:
        return None
    mark, size, checksum = HEAD.unpack_from(content, at)
    end: int = at + HEAD.size + size
    body = content[at + HEAD.size : end]
    if mark != MARK or len(body) < size or zlib.crc32(body) != checksum:
        return None
    method, _, request = body.partition(b"\0")
    if method == ORIGIN.encode():
        journal.url = masked_url(request.decode(errors="replace"))
    else:
        journal.records.append(Record(method.decode(errors="replace"), request))
    return end


def _is_cut(content: bytes, at: int) -> bool:
    """Return whether the last entry of a file just ends too early."""
    head = content[at : at + HEAD.size]
    if len(head) < HEAD.size:
        return MARK.startswith(head[: len(MARK)])
    mark, size, _ = HEAD.unpack(head)
    return bool(mark == MARK and len(content) < at + HEAD.size + size)
