"""The write-ahead log of an SQLite file, grown ahead of the writes into it.

A commit that makes a file longer also has to make its new length durable, which takes the disk a
second write: a commit into space that is there already is a fifth to a third faster. SQLite writes
the log from its beginning again once it was carried over into the database, so only its first round
is slow; on a store that is new or was closed cleanly, that is the first 8,000 pages.

SQLite ends the log at the first frame that has not its salt and checksum, which zeros have not.
"""

import os
from contextlib import suppress
from pathlib import Path

PAGES = 8_000
"""Pages that are written until the log is carried over: one that changes often is copied less."""

LENGTH = PAGES * (4_096 + 24) + 32
"""Bytes of a log of so many pages."""

AFTER_WRITES = 64
"""A process that writes less often does not make a file grow that it may never use."""

PART = 1024 * 1024
"""Bytes that one write adds, so that none waits for long; SQLite needs a tenth of it."""


class WriteAheadLog:
    """Lets the log of a database grow while one process writes; for its one writer.

    Args:
        database: The file of the database.
    """

    def __init__(self, database: Path) -> None:
        real = database.resolve()  # SQLite puts the log beside the file that a link leads to
        self._path = real.with_name(f"{real.name}-wal")
        self._writes = 0

    def grow(self) -> None:
        """Count a write, and make the log longer if it is time; the write lock must be held.

        It fails silently: on a full disk, the write itself raises the error.
        """
        self._writes += 1
        if AFTER_WRITES < self._writes <= AFTER_WRITES + LENGTH // PART + 1:
            with suppress(OSError), self._path.open("r+b", buffering=0) as log:
                length = log.seek(0, os.SEEK_END)
                log.write(bytes(max(0, min(PART, LENGTH - length))))
