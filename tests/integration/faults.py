"""Faults of a store and of a spool, each begun and ended at will."""

import os
import random
import resource
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from lineage_store import errors
from lineage_store.recording.delivery.replay import spool_path, spool_status
from lineage_store.recording.delivery.spool import Spool
from tests.integration.restarts import Restartable

UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@contextmanager
def small_disk(directory: Path, size: str) -> Iterator[bool]:
    """Put a small disk at a directory; False: only the superuser may, and this is none."""
    directory.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(directory)]
    try:
        is_mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        is_mounted = False
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", str(directory)], check=True)


@contextmanager
def full_disk(directory: Path, process: int, *, is_mounted: bool) -> Iterator[None]:
    """Fill a small disk, or else let no file of a process grow."""
    if not is_mounted:
        before = resource.prlimit(process, resource.RLIMIT_FSIZE, (0, UNLIMITED[1]))
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                resource.prlimit(process, resource.RLIMIT_FSIZE, before)
        return
    filler = directory / "filler"
    with filler.open("wb") as file, suppress(OSError):
        while True:  # to the last block, whoever takes some of them meanwhile
            free = os.statvfs(directory)
            os.posix_fallocate(
                file.fileno(), file.seek(0, os.SEEK_END), max(1, free.f_bavail * free.f_bsize)
            )
    try:
        yield
    finally:
        filler.unlink()


class StoreFaults:
    """The faults of a store; each of its methods begins a fault, and returns its end.

    Args:
        server: The server.
        disk: The directory of its database.
        is_mounted: Whether that is a small disk.
    """

    def __init__(self, server: Restartable, disk: Path, *, is_mounted: bool) -> None:
        self._server = server
        self._disk = disk
        self._is_mounted = is_mounted

    def begin(self, fault: str) -> Callable[[], None]:
        """Begin a fault by its name; return the function that ends it."""
        begin: Callable[[], Callable[[], None]] = getattr(self, f"_{fault}")
        return begin()

    def _up(self) -> Callable[[], None]:
        return lambda: None

    def _away(self) -> Callable[[], None]:
        self._server.kill()
        return self._server.start

    _back = _away
    """Killed, and back while the pipeline still runs."""

    def _slow(self) -> Callable[[], None]:
        self._server.freeze()
        return self._server.thaw

    def _read_only(self) -> Callable[[], None]:
        self._server.kill()
        self._server.start(mode="ro")

        def end() -> None:
            self._server.kill()
            self._server.start()

        return end

    def _full(self) -> Callable[[], None]:
        stack = ExitStack()
        pid = self._server.process.pid
        stack.enter_context(full_disk(self._disk, pid, is_mounted=self._is_mounted))
        return stack.close


class SpoolFaults:
    """The faults of a spool, as of a store.

    Attributes:
        endangered: How many records a file had when it was damaged.

    Args:
        url: Of the store.
        disk: The directory that the directory of the spool is in.
        chance: Decides which part of a file is damaged.
        is_mounted: Whether that is a small disk.
    """

    def __init__(self, url: str, disk: Path, chance: random.Random, *, is_mounted: bool) -> None:
        self.path = spool_path(url, disk / "spool")
        self.endangered = 0
        self._url = url
        self._disk = disk
        self._chance = chance
        self._is_mounted = is_mounted

    def prepare(self, fault: str) -> None:
        """Prepare the faults that have to be there before the pipeline begins."""
        if fault != "unwritable":
            self.path.parent.mkdir(mode=0o700)
        if fault == "unwritable":
            self.path.parent.write_text("a file where the directory should be")
        elif fault == "locked" or (fault == "damaged" and self._chance.random() < 0.5):
            Spool(self.path, url=self._url).add([])
        elif fault == "damaged":
            self.path.write_bytes(b"this is no database at all" * 200)

    def begin(self, fault: str, process: int) -> Callable[[], None]:
        """Begin a fault while the pipeline runs; return the function that ends it."""
        stack = ExitStack()
        if fault == "locked":
            connection = stack.enter_context(closing(sqlite3.connect(self.path, timeout=30)))
            connection.execute("BEGIN EXCLUSIVE")
        elif fault == "full":
            stack.enter_context(full_disk(self._disk, process, is_mounted=self._is_mounted))
        elif fault == "damaged":
            self._damage()
        elif fault == "unwritable":
            stack.callback(self._make_writable)
        return stack.close

    def _damage(self) -> None:
        """Cut a file, if it is there and intact."""
        with suppress(errors.LineageError, FileNotFoundError):
            self.endangered += spool_status(self.path).pending
            with self.path.open("r+b") as file:
                file.truncate(int(self.path.stat().st_size * self._chance.random()))

    def _make_writable(self) -> None:
        self.path.parent.unlink()
        self.path.parent.mkdir()
