"""Files and directories that appear when they are complete."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lineage_store import errors


@contextmanager
def appearing(path: Path, *, replace: bool) -> Iterator[Path]:
    """Give a path to write to, a file or a directory, which becomes `path` at the end of the block.

    Args:
        path: The file or directory to write.
        replace: Whether it may exist already.

    Raises:
        AlreadyExists: It is there.
        ResourceExhausted: The disk is full.
        FailedPrecondition: It can't be written, and why.
    """
    if path.exists() and not replace:
        raise errors.AlreadyExists(f"{path} exists; --force replaces it")
    aside = path.with_name(f"{path.name}.partial")
    with writing(path):
        _remove(aside)
        try:
            yield aside
            _put_in_place(aside, path)
        finally:
            _remove(aside)


def _put_in_place(aside: Path, path: Path) -> None:
    for file in sorted(aside.iterdir()) if aside.is_dir() else [aside]:
        _flush(file)
    if path.is_dir() or (path.exists() and aside.is_dir()):
        old = path.with_name(f"{path.name}.replaced")
        _remove(old)
        path.rename(old)
        aside.rename(path)
        _remove(old)
    else:
        aside.replace(path)
    _flush(path.absolute().parent)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a directory, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise errors of the system about writing as errors of ours."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise errors.ResourceExhausted(f"the disk that holds {path} is full") from error
        raise errors.FailedPrecondition(f"{path} can't be written: {error.strerror}") from error
