"""The digest of a file, and of all that a directory has in it.

A file is the SHA-256 of its bytes. A directory is the SHA-256 over its entries, ordered by the
bytes of their names: for each its kind, its name, and its digest. Names and contents count;
owners, modes and times do not. An empty directory counts.

A symbolic link counts as its target, because a step would read the target. One that leads
nowhere counts as the text of its target, and one that leads back to a directory that it lies in
counts as the number of levels that it goes up.
"""

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from lineage_store import errors
from lineage_store.fingerprints.digest_cache import DigestCache, Identity

Progress = Callable[[Path, int, int], None]
"""Called with the path of a file, the bytes that were read, and its size in bytes."""

CHUNK = 4 * 1024 * 1024
"""Bytes that are read at a time."""

REMEMBERED_FROM = 1024 * 1024
"""Bytes from which on a file is remembered: a smaller one is hashed as quickly as it is found."""

SETTLED_NS = 2_000_000_000
"""Nanoseconds for which a file must be unchanged to be remembered.

The coarsest clock of a file system, that of FAT, ticks every two seconds; within one tick a file
can change without a trace in its times."""


def digest_of_path(path: Path, progress: Progress | None = None) -> bytes:
    """Return the 32 bytes of the SHA-256 of a file, or of the contents of a directory.

    Raises:
        InvalidArgument: It is neither: a socket, a pipe or a device.
        OSError: It does not exist, or can't be read.
    """
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        return _of_directory(path, (_place(status),), progress)
    return _of_file(path, status, progress)


def _of_file(path: Path, status: os.stat_result, progress: Progress | None) -> bytes:
    if not stat.S_ISREG(status.st_mode):
        raise errors.InvalidArgument(f"{path} is neither a file nor a directory")
    if status.st_size < REMEMBERED_FROM:
        return _hash_file(path, status.st_size, progress)
    cache = DigestCache.of_user()
    identity = Identity.of(path, status)
    cached_digest = cache.get(identity)
    if cached_digest is not None:
        return cached_digest
    started_ns = time.time_ns()
    digest = _hash_file(path, status.st_size, progress)
    is_settled = max(status.st_mtime_ns, status.st_ctime_ns) < started_ns - SETTLED_NS
    if is_settled and Identity.of(path, path.stat()) == identity:
        cache.put(identity, digest)
    return digest


def _hash_file(path: Path, size: int, progress: Progress | None) -> bytes:
    content, bytes_read = hashlib.sha256(), 0
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            content.update(chunk)
            bytes_read += len(chunk)
            if progress is not None:
                progress(path, bytes_read, size)
    return content.digest()


_Place = tuple[int, int]
"""Device and inode."""


def _place(status: os.stat_result) -> _Place:
    return status.st_dev, status.st_ino


def _of_directory(path: Path, above: tuple[_Place, ...], progress: Progress | None) -> bytes:
    content = hashlib.sha256(b"lineage-store directory 1\0")
    for part in _entries(path, above, progress):
        content.update(len(part).to_bytes(8, "big"))
        content.update(part)
    return content.digest()


def _entries(path: Path, above: tuple[_Place, ...], progress: Progress | None) -> Iterator[bytes]:
    """Yield sort, name and digest of each entry of a directory."""
    for name in sorted(map(os.fsencode, os.listdir(path))):  # noqa: PTH208 - bytes of any encoding
        entry = path / os.fsdecode(name)
        sort, digest = _entry(entry, above, progress)
        yield sort
        yield name
        yield digest


def _entry(
    entry: Path, above: tuple[_Place, ...], progress: Progress | None
) -> tuple[bytes, bytes]:
    try:
        status = entry.stat()
    except OSError:
        if not entry.is_symlink():
            raise
        return b"link", os.fsencode(os.readlink(entry))  # noqa: PTH115 - as it is written
    if not stat.S_ISDIR(status.st_mode):
        return b"file", _of_file(entry, status, progress)
    if _place(status) in above:
        return b"loop", b"%d" % (len(above) - above.index(_place(status)))
    return b"directory", _of_directory(entry, (*above, _place(status)), progress)
