"""The file in which a process keeps its records until the store, or the spool, has them.

Each record is one write to a file that only this process appends to, before the code that recorded
it goes on. So the records of a killed process are still there; see `orphans` for who sends them.
A file is locked as long as its process lives: the system gives the lock up however that ends, and
no number of a process, which another may get later, is relied upon.
"""

import errno
import os
import secrets
import struct
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lineage_store.masking import masked_url
from lineage_store.private_files import make_private_directory
from lineage_store.recording.delivery.locks import try_lock
from lineage_store.recording.delivery.records import Record

SUFFIX = ".journal"
MARK = b"lsJ1"
"""The beginning of each entry: a damaged file is read on from the next one."""

HEAD = struct.Struct(">4sII")
"""The head of an entry: the mark, and the length and checksum of the content."""

ORIGIN = "origin"
"""The method of the first entry, which has the URL of the store."""

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)

SEGMENT_BYTES = 4 * 1024 * 1024
"""The size at which a new file begins; a file is removed once all of it has been sent."""


def journals(stem: Path) -> list[Path]:
    """Return the journals of a store, also those of live processes, the oldest first."""
    return sorted(stem.parent.glob(f"{stem.name}.*{SUFFIX}"), key=_age)


def _age(path: Path) -> tuple[int, str]:
    try:
        return path.stat().st_mtime_ns, path.name
    except OSError:  # it was removed meanwhile
        return 0, path.name


def size_of(path: Path) -> int:
    """Return the size of a file; of one that is gone, 0."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def entry(method: str, body: bytes) -> bytes:
    """Return the bytes of a record in a journal."""
    content = b"%s\0%s" % (method.encode(), body)
    return HEAD.pack(MARK, len(content), zlib.crc32(content)) + content


@dataclass(slots=True)
class _Segment:
    """One file: its descriptor and place, its size, and the number of its last record."""

    fd: int
    path: Path
    empty: int
    size: int
    last: int


class Journal:
    """The records that one process has not sent yet; not safe for threads.

    Args:
        stem: Directory and beginning of the name of its files.
        url: The store that the records are for.
        max_bytes: How much all journals of the store may hold.
    """

    def __init__(self, stem: Path, url: str, max_bytes: int) -> None:
        self._stem = stem
        self._url = url
        self._max_bytes = max_bytes
        self._segments: list[_Segment] = []
        self._others = 0
        self._last = 0

    def append(self, record: Record) -> int:
        """Keep a record; return its number, from 1 on.

        Raises:
            OSError: It can't be written, or there is no room.
        """
        content = entry(record.method, record.body)
        segment = self._room(len(content))
        try:
            _write(segment.fd, content)
        except OSError:
            with suppress(OSError):  # a reader passes over the rest of an entry
                os.ftruncate(segment.fd, segment.size)
            raise
        segment.size += len(content)
        self._last += 1
        segment.last = self._last
        return self._last

    def _room(self, size: int) -> _Segment:
        if not self._segments or self._segments[-1].size > SEGMENT_BYTES:
            self._others = self._size_of_others()  # too slow to be asked for each record
            self._demand(size)
            self._segments.append(self._begin())
        self._demand(size)
        return self._segments[-1]

    def _size_of_others(self) -> int:
        own = {segment.path for segment in self._segments}
        return sum(size_of(path) for path in journals(self._stem) if path not in own)

    def _demand(self, size: int) -> None:
        used_bytes = self._others + sum(segment.size for segment in self._segments)
        if used_bytes + size > self._max_bytes:
            raise OSError(
                errno.EDQUOT, f"there are {used_bytes} bytes in journals, as much as may be"
            )

    def _begin(self) -> _Segment:
        make_private_directory(self._stem.parent)
        name = f"{self._stem.name}.{os.getpid()}-{secrets.token_hex(4)}-{self._last:09}{SUFFIX}"
        path = self._stem.with_name(name)
        fd = os.open(path, _FLAGS, 0o600)
        origin = entry(ORIGIN, masked_url(self._url).encode())
        try:
            _claim(fd, path)
            _write(fd, origin)
        except OSError:
            os.close(fd)
            path.unlink(missing_ok=True)
            raise
        return _Segment(fd, path, len(origin), len(origin), self._last)

    @property
    def last(self) -> int:
        """The number of the last record."""
        return self._last

    def settle(self, number: int) -> None:
        """Forget all records up to one: they are in the store, or in the spool."""
        while len(self._segments) > 1 and self._segments[0].last <= number:
            self._remove(self._segments.pop(0))
        if self._segments and self._segments[0].last <= number:
            self._empty(self._segments[0])

    def _empty(self, segment: _Segment) -> None:
        if segment.size > segment.empty:
            with suppress(OSError):  # the store keeps a record once that is sent twice
                os.ftruncate(segment.fd, segment.empty)
                segment.size = segment.empty

    def _remove(self, segment: _Segment) -> None:
        with suppress(OSError):  # Windows removes no file that is open
            segment.path.unlink()
        os.close(segment.fd)
        with suppress(OSError):
            segment.path.unlink(missing_ok=True)

    def release(self) -> None:
        """Leave the files to whichever process looks for journals of processes that ended."""
        segments, self._segments = self._segments, []
        for segment in segments:
            if segment.size > segment.empty:
                os.close(segment.fd)
            else:
                self._remove(segment)

    def forget(self) -> None:
        """In a forked child: leave the files to the parent, whose lock outlives this."""
        segments, self._segments = self._segments, []
        for segment in segments:
            os.close(segment.fd)


def _claim(fd: int, path: Path) -> None:
    """Lock a new file; fail if another process has already taken it for an orphan."""
    if not try_lock(fd) or not path.exists():
        raise OSError(errno.EAGAIN, "another process has it")


def _write(fd: int, content: bytes) -> None:
    """Write all of a content in one go."""
    if os.write(fd, content) < len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
