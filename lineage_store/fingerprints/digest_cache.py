"""The digests of large files that were read before, in a small file of the user's own.

It is a cache: losing it costs time, never correctness. So whatever goes wrong with it is not
reported. A damaged file is removed and begun again.
"""

import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from lineage_store.private_files import make_private_directory, make_private_file

T = TypeVar("T")

MAX_FILES = 100_000
"""Files that are remembered; the oldest are forgotten."""

_BUSY_SECONDS = 1.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS digests (
    place INTEGER PRIMARY KEY,
    path BLOB NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    changed_ns INTEGER NOT NULL,
    inode TEXT NOT NULL,
    digest BLOB NOT NULL
)
"""
_GET = """
SELECT digest FROM digests
WHERE path = ? AND size = ? AND modified_ns = ? AND changed_ns = ? AND inode = ?
"""
_PUT = """
INSERT OR REPLACE INTO digests (path, size, modified_ns, changed_ns, inode, digest)
VALUES (?, ?, ?, ?, ?, ?)
"""
_FORGET = "DELETE FROM digests WHERE place <= (SELECT max(place) FROM digests) - ?"


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity of a file: equal as long as the file is the same and unchanged.

    Attributes:
        path: Absolute, without symbolic links.
        size: Bytes.
        modified_ns: When its content was changed, in ns.
        changed_ns: When anything of it was changed, in ns; catches a time of change set back.
        inode: Its number; text, because it may exceed what SQLite keeps.
    """

    path: bytes
    size: int
    modified_ns: int
    changed_ns: int
    inode: str

    @classmethod
    def of(cls, path: Path, status: os.stat_result) -> Self:
        """Return the identity of a file whose status was just read."""
        return cls(
            path=os.fsencode(os.path.realpath(path)),
            size=status.st_size,
            modified_ns=status.st_mtime_ns,
            changed_ns=status.st_ctime_ns,
            inode=f"{status.st_dev}/{status.st_ino}",
        )

    @property
    def row(self) -> tuple[bytes, int, int, int, str]:
        """The columns."""
        return self.path, self.size, self.modified_ns, self.changed_ns, self.inode


class DigestCache:
    """Digests of files, by the identities of the files at the time of reading.

    Each call opens and closes the file, which takes a fraction of a millisecond and is right in
    any thread and behind any fork.

    Args:
        path: The SQLite file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def of_user(cls) -> Self:
        """Return that of the user who runs this process."""
        return cls(cache_directory() / "file-digests-1.db")

    def get(self, identity: Identity) -> bytes | None:
        """Return the digest of a file, or None if it is not known as it is."""
        rows = self._run(lambda connection: connection.execute(_GET, identity.row).fetchall())
        return bytes(rows[0][0]) if rows else None

    def put(self, identity: Identity, digest: bytes) -> None:
        """Remember the digest of a file."""

        def job(connection: sqlite3.Connection) -> None:
            with connection:
                connection.execute(_PUT, (*identity.row, digest))
                connection.execute(_FORGET, (MAX_FILES,))

        self._run(job)

    def _run(self, job: Callable[[sqlite3.Connection], T]) -> T | None:
        """Run a job on the open file and return its result; None: the file can't be used."""
        with suppress(OSError, sqlite3.Error):
            make_private_directory(self._path.parent)
            make_private_file(self._path)
            try:
                return self._open_and_run(job)
            except sqlite3.OperationalError:  # locked, full, read-only: another time
                return None
            except sqlite3.DatabaseError:  # not a database, or a damaged one
                self._path.unlink()
        return None

    def _open_and_run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        with closing(sqlite3.connect(self._path, timeout=_BUSY_SECONDS)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(_SCHEMA)
            return job(connection)


def cache_directory() -> Path:
    """Return where the caches of this software lie for the user who runs this process.

    That is `lineage-store` in %LOCALAPPDATA% on Windows, else in $XDG_CACHE_HOME or ~/.cache.
    """
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.path.expanduser(base), "lineage-store")  # noqa: PTH111 - one without home is no error
