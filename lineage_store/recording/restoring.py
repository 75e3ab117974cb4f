"""Restores files and directories where a step wants them: whole or not at all, and verified.

The store names their sources. So a copy must have the SHA-256 that the store
names, too: nobody can have a file copied whose content he does not know. A copy is made beside its
destination and replaces it by a rename; until then the old file stays. Permissions are kept.
"""

import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from lineage_store import errors
from lineage_store.fingerprints import fingerprint
from lineage_store.fingerprints.files import CHUNK
from lineage_store.lineage.identity import Digest

_PERMISSIONS = 0o777
"""The bits of a mode that are kept: no copy runs as its owner, whatever the original does."""

_Place = tuple[int, int]


def restore(source: Path, target: Path, digest: Digest | None) -> bool:
    """Copy a source to a target; return whether the target has the content of a digest.

    Args:
        source: A file or directory; not read if the target has the content already.
        target: The destination; a file or directory there is replaced as a whole.
        digest: Of the content; only a SHA-256 is safe enough.
    """
    if digest is None or digest.algorithm != "sha256":
        return False
    if has_content(target, digest):
        return True
    place = Path(os.path.realpath(target))  # a link stays, and its target is replaced
    if _is_in_use(place) or not has_content(source, digest):
        return False
    try:
        return _replace(source, place, digest)
    except (OSError, RecursionError):
        return False


def _replace(source: Path, destination: Path, digest: Digest) -> bool:
    """Replace a destination by a copy, if that has the content of the digest."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    with _beside(destination) as copy:
        _copy(source, copy)
        is_right = has_content(copy, digest)
        if is_right:
            _swap(copy, destination)
    return is_right


def has_content(path: Path, digest: Digest) -> bool:
    """Return whether a file or directory is there and has the content of a digest."""
    try:
        return fingerprint(path) == str(digest)
    except (OSError, errors.InvalidArgument):
        return False


def _is_in_use(place: Path) -> bool:
    """Return whether a place is a directory that can't be put aside: this process lies in it."""
    return Path.cwd().is_relative_to(place) or os.path.ismount(place)


@contextmanager
def _beside(place: Path) -> Iterator[Path]:
    """Yield a free path in the directory of another; remove a file left there."""
    free = _free(place)
    try:
        yield free
    finally:
        _remove(free)


def _free(place: Path) -> Path:
    return place.with_name(f".lineage-store-{secrets.token_hex(8)}")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _swap(new: Path, place: Path) -> None:
    """Move a new file or directory to a destination; if that fails, restore the old one."""
    if not (place.is_dir() or new.is_dir()):
        new.replace(place)
        return
    old = _free(place)
    try:
        if place.exists():
            place.rename(old)
        new.rename(place)
    except BaseException:
        if old.exists() and not place.exists():
            old.rename(place)
        raise
    _remove(old)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        _copy_directory(source, target, ())
    else:
        _copy_file(source, target)


def _copy_file(source: Path, target: Path) -> None:
    with open_regular(source) as file, _own_file(target) as copy:
        shutil.copyfileobj(file, copy, CHUNK)
        mode = os.fstat(file.fileno()).st_mode
    target.chmod(stat.S_IMODE(mode) & _PERMISSIONS)


def _own_file(path: Path) -> BinaryIO:
    """Open a new file for writing, which nobody else may read before it gets its permissions."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def _copy_directory(source: Path, target: Path, outer_directories: tuple[_Place, ...]) -> None:
    """Copy a directory, and the targets of links in it; a link that leads nowhere or back stays."""
    target.mkdir(mode=0o700)
    status = source.stat()
    open_directories = (*outer_directories, (status.st_dev, status.st_ino))
    for entry in source.iterdir():
        if entry.is_symlink() and not _leads_on(entry, open_directories):
            (target / entry.name).symlink_to(entry.readlink())
        elif entry.is_dir():
            _copy_directory(entry, target / entry.name, open_directories)
        else:
            _copy_file(entry, target / entry.name)
    target.chmod(stat.S_IMODE(status.st_mode) & _PERMISSIONS)


def _leads_on(link: Path, open_directories: tuple[_Place, ...]) -> bool:
    try:
        status = link.stat()
    except OSError:
        return False
    return (status.st_dev, status.st_ino) not in open_directories


def open_regular(
    path: Path | str, *, follow: bool = True, directory_fd: int | None = None
) -> BinaryIO:
    """Open a regular file for reading; a pipe or a device is not waited for.

    Args:
        path: The file; a name within a directory that is open.
        follow: Whether it may be a symbolic link.
        directory_fd: The descriptor of that directory.

    Raises:
        OSError: It is not there, or no regular file.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    flags |= 0 if follow else getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags, dir_fd=directory_fd)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is no regular file")
    return os.fdopen(descriptor, "rb")


def content_within(directory: Path, path: Path) -> bytes | None:
    """Return the content of a file that lies directly in a directory; None: there is no such file.

    The file is found by its name in the directory that is meant, so neither a link nor a change
    while this runs leads out of it.
    """
    real_directory = os.path.realpath(directory)
    if os.path.realpath(path.parent) != real_directory or path.name in {"", ".."}:
        return None
    try:
        if os.open not in os.supports_dir_fd:  # Windows
            return None if path.is_symlink() else Path(real_directory, path.name).read_bytes()
        directory_fd = os.open(real_directory, os.O_RDONLY)
        try:
            with open_regular(path.name, follow=False, directory_fd=directory_fd) as file:
                return file.read()
        finally:
            os.close(directory_fd)
    except OSError:
        return None


def sha256_of(content: bytes) -> Digest:
    """Return the SHA-256 of bytes as a digest."""
    return Digest("sha256", hashlib.sha256(content).hexdigest())
