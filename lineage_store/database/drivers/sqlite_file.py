"""The file of an SQLite database while it is open.

SQLite goes on writing into a file that was removed or replaced: acknowledged writes are lost with
the last connection. So a writer checks that the names still lead to the files that are open.
"""

import logging
import time
from pathlib import Path

from lineage_store import errors

LOOK_SECONDS = 0.5
"""Seconds between two looks. To look at a file that is being written costs the next commit a fifth
of its time: the system has to give the file a new time stamp."""

logger = logging.getLogger(__name__)

Identity = tuple[int, int]


class OpenFile:
    """The identity of the file of a database, and of its log, as opposed to their names.

    Args:
        path: The database.

    Attributes:
        is_there_until: The monotonic time until which the database need not be looked at again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        real = path.resolve()  # SQLite puts the log beside the file that a link leads to
        self._log_path = real.with_name(f"{real.name}-wal")
        self._database: Identity | None = None
        self._log: Identity | None = None
        self._connections: set[int] = set()
        self.is_there_until = 0.0
        self._write_again_at = 0.0
        self._is_told = False

    @property
    def is_open(self) -> bool:
        """True if a connection is open."""
        return bool(self._connections)

    def opened(self, connection: object) -> None:
        """Note that a connection was opened.

        Raises:
            DataLoss: It leads to another file than those before.
        """
        if self.is_open:
            self.check()
        else:
            self._database, self._log = _identity(self._path), None
        self._connections.add(id(connection))

    def closed(self, connection: object) -> None:
        """Note that a connection was closed."""
        self._connections.discard(id(connection))

    def check_for_write(self) -> None:
        """Look at the database, and at its log if there was one before, if it is time.

        Raises:
            DataLoss: One of them is gone, or another.
        """
        if time.monotonic() < self._write_again_at:
            return
        self.check()
        log = _identity(self._log_path)
        if self._log is not None and log != self._log:
            raise self._loss(self._log_path)
        self._log = log
        self._write_again_at = self.is_there_until  # whoever met a loss looks again at once

    def check(self) -> None:
        """Look at the database.

        Raises:
            DataLoss: It is gone, or another.
        """
        if _identity(self._path) != self._database:
            self.is_there_until = 0.0
            raise self._loss(self._path)
        self.is_there_until = time.monotonic() + LOOK_SECONDS

    def is_there(self) -> bool:
        """Look whether the database is still the same."""
        try:
            self.check()
        except errors.DataLoss:
            return False
        return True

    def _loss(self, path: Path) -> errors.DataLoss:
        if not self._is_told:
            self._is_told = True
            logger.error("%s was removed or replaced while it was open: writes are refused", path)
        return errors.DataLoss(
            f"{path.name} was removed or replaced while the store was open; "
            "put the file back, or start the store again on the one that is there"
        )


def _identity(path: Path) -> Identity | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
