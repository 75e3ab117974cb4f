"""The file in which records wait on the local disk until the store takes them.

One SQLite file holds the records that a user's processes could not send to one store, in the order
of recording. Each record has a checksum, and is deleted only after the store has taken it; the
store knows a record that it has, so one that is sent twice is there once.
"""

import sqlite3
import time
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lineage_store import errors
from lineage_store.masking import masked_url
from lineage_store.private_files import make_private_directory, make_private_file
from lineage_store.recording.delivery.records import Record, Refusal

BATCH_RECORDS = 500
BATCH_BYTES = 8 * 1024 * 1024
BUSY_SECONDS = 10.0
"""Seconds to wait for another process that writes to the file, by default."""

_MAGIC = 0x6C735370  # "lsSp"
_VERSION = 0
"""The `user_version` of files that this software understands; a later one would say 1."""

_PAGE = 4096
_UNUSABLE = frozenset(
    {
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOLFS,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
"""Errors of SQLite about a file's surroundings; all others are about its content."""

_TABLES = (
    """
    CREATE TABLE records (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      recorded_at INTEGER NOT NULL,
      method TEXT NOT NULL,
      body BLOB NOT NULL,
      checksum INTEGER NOT NULL,
      refused TEXT
    )
    """,
    "CREATE INDEX records_refused ON records (refused) WHERE refused IS NOT NULL",
    "CREATE TABLE origin (url TEXT NOT NULL)",
)


class SpoolDamaged(errors.DataLoss):
    """A spool file can't be read as a whole; `recover` saves the intact records."""

    reason = "SPOOL_DAMAGED"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolStatus:
    """The contents of a spool file, counted.

    Attributes:
        path: The file.
        url: The store that the records are for; None: unknown.
        pending: Records that wait to be sent, also those in journals.
        refused: Records that the store refused; they are kept to be looked at.
        refusals: The number of refused records for each reason.
        oldest: The time of the oldest pending record, in ms since the epoch; None: there is none.
        bytes: The size of the file.
        journals: Journals of processes that ended without having sent all; their records are
            among those that wait.
        lost: Records that could be kept nowhere, since counting began.
        losses: The number of lost records for each reason.
    """

    path: Path
    url: str | None
    pending: int
    refused: int
    refusals: dict[str, int]
    oldest: int | None
    bytes: int
    journals: int = 0
    lost: int = 0
    losses: dict[str, int] = field(default_factory=dict)


class Spool:
    """One spool file; made when the first record is added. Safe for threads and processes.

    A connection lives for one operation, so that a process may fork between two of them.

    Args:
        path: The file.
        url: The store that the records are for.
        max_bytes: How large the file may get.
        busy_seconds: How long to wait for another process that writes to the file.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        url: str | None = None,
        max_bytes: int | None = None,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        self.path = Path(path)
        self._url = url
        self._max_bytes = max_bytes
        self._busy_seconds = busy_seconds

    @property
    def url(self) -> str:
        """The store that the records are for, as passed here; "": it was not."""
        return self._url or ""

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction on the file.

        Raises:
            SpoolDamaged: It is not intact.
            Unavailable: It can't be opened or written, is full, or is of a later version.
        """
        try:
            make_private_directory(self.path.parent)
            make_private_file(self.path)
            with closing(sqlite3.connect(self.path, timeout=self._busy_seconds)) as connection:
                _prepare(connection, self._url, self._max_bytes)
                with connection:
                    yield connection
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _UNUSABLE:
                raise _unusable(self.path, error) from None
            raise _damaged(self.path, str(error)) from None
        except OSError as error:
            raise _unusable(self.path, error) from None

    def add(self, records: Sequence[Record]) -> None:
        """Keep records, behind those that are there; all of them or none.

        Raises:
            SpoolDamaged: The file is not intact.
            Unavailable: It can't be written, or is full.
        """
        now = time.time_ns() // 1_000_000
        rows = [(now, r.method, r.body, zlib.crc32(r.body)) for r in records]
        with self._open() as connection:
            connection.executemany(
                "INSERT INTO records (recorded_at, method, body, checksum) VALUES (?, ?, ?, ?)",
                rows,
            )

    def first(self, count: int = BATCH_RECORDS, *, after: int = 0) -> list[tuple[int, Record]]:
        """Return the oldest records that wait, each with its number in the file.

        Args:
            count: How many at most.
            after: A number; only records behind it come back.

        Raises:
            SpoolDamaged: A record is not intact.
        """
        if not self.path.exists():
            return []
        with self._open() as connection:
            rows = connection.execute(
                "SELECT id, method, body, checksum FROM records "
                "WHERE refused IS NULL AND id > ? ORDER BY id LIMIT ?",
                (after, count),
            )
            return list(self._bounded(rows))

    def _bounded(self, rows: Iterable[Any]) -> Iterator[tuple[int, Record]]:
        """Yield records until they are too large for one request."""
        size = 0
        for number, method, body, checksum in rows:
            size += len(body)
            if size > BATCH_BYTES and size > len(body):
                return
            yield number, self._record(method, body, checksum)

    def _record(self, method: str, body: bytes, checksum: int) -> Record:
        if not isinstance(body, bytes) or zlib.crc32(body) != checksum:
            raise _damaged(self.path, "the checksum of a record is wrong")
        return Record(method, body)

    def settle(self, sent_numbers: Collection[int], refusals: Mapping[int, str]) -> None:
        """Forget records that the store has, and mark those that it refused.

        Raises:
            SpoolDamaged: The file is not intact.
            Unavailable: It can't be written.
        """
        with self._open() as connection:
            connection.executemany("DELETE FROM records WHERE id = ?", [(n,) for n in sent_numbers])
            connection.executemany(
                "UPDATE records SET refused = ? WHERE id = ?",
                [(why, number) for number, why in refusals.items()],
            )

    def older(self, numbers: Collection[int], seconds: float) -> set[int]:
        """Return those of the records that came here so long ago."""
        before = time.time_ns() // 1_000_000 - int(seconds * 1000)
        query = "SELECT id FROM records WHERE id >= ? AND id <= ? AND recorded_at <= ?"
        with self._open() as connection:
            rows = connection.execute(query, (min(numbers), max(numbers), before)).fetchall()
        return {number for (number,) in rows} & set(numbers)

    def readmit(self) -> int:
        """Let all that was refused wait again, in its old place; return how many that are."""
        if not self.path.exists():
            return 0
        with self._open() as connection:
            query = "UPDATE records SET refused = NULL WHERE refused IS NOT NULL"
            return connection.execute(query).rowcount

    def keep_refused(self, refusals: Sequence[Refusal]) -> None:
        """Keep records that the store refused, to be looked at."""
        now = time.time_ns() // 1_000_000
        rows = [
            (now, r.record.method, r.record.body, zlib.crc32(r.record.body), r.why)
            for r in refusals
        ]
        with self._open() as connection:
            connection.executemany(
                "INSERT INTO records (recorded_at, method, body, checksum, refused) "
                "VALUES (?, ?, ?, ?, ?)",
                rows,
            )

    def has_pending(self, *, after: int = 0) -> bool:
        """Return whether records wait, behind a number."""
        if not self.path.exists():
            return False
        with self._open() as connection:
            query = "SELECT 1 FROM records WHERE refused IS NULL AND id > ? LIMIT 1"
            return connection.execute(query, (after,)).fetchone() is not None

    def check(self) -> None:
        """Read every record.

        Raises:
            SpoolDamaged: The file, or a record, is not intact.
        """
        with self._open() as connection:
            _check_whole(connection, self.path)
            for row in connection.execute("SELECT method, body, checksum FROM records"):
                self._record(*row)

    def restore(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Keep rows of another spool file as they are."""
        with self._open() as connection:
            connection.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)", rows)

    def status(self) -> SpoolStatus:
        """Return the counts of the file; see `SpoolStatus`."""
        if not self.path.exists():
            return _nothing(self.path)
        with self._open() as connection:
            _check_whole(connection, self.path)
            pending, oldest = connection.execute(
                "SELECT count(*), min(recorded_at) FROM records WHERE refused IS NULL"
            ).fetchone()
            refusals = connection.execute(
                "SELECT refused, count(*) FROM records WHERE refused IS NOT NULL GROUP BY refused"
            ).fetchall()
            url = _origin(connection)
        return SpoolStatus(
            path=self.path,
            url=url,
            pending=pending,
            refused=sum(count for _, count in refusals),
            refusals=dict(refusals),
            oldest=oldest,
            bytes=self.path.stat().st_size,
        )


def _origin(connection: sqlite3.Connection) -> str | None:
    """Return the URL of the store; the password that earlier versions kept is removed."""
    row = connection.execute("SELECT url FROM origin").fetchone()
    if row is None:
        return None
    url = masked_url(str(row[0]))
    if url != row[0]:
        connection.execute("UPDATE origin SET url = ?", (url,))
    return url


def _prepare(connection: sqlite3.Connection, url: str | None, max_bytes: int | None) -> None:
    """Check that the file is a spool, and make the tables if it is new."""
    connection.execute("PRAGMA synchronous = NORMAL")
    if max_bytes is not None:
        connection.execute(f"PRAGMA max_page_count = {max(16, max_bytes // _PAGE)}")
    if _is_spool(connection):
        [version] = connection.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise OSError("a later version of lineage-store made it")
        return
    connection.execute("BEGIN IMMEDIATE")  # another process may be making them
    if not _is_spool(connection):
        [version] = connection.execute("PRAGMA schema_version").fetchone()
        if version:
            raise sqlite3.DatabaseError("it is a database of something else")
        _create(connection, url)
    connection.commit()


def _is_spool(connection: sqlite3.Connection) -> bool:
    [mark] = connection.execute("PRAGMA application_id").fetchone()
    return bool(mark == _MAGIC)


def _create(connection: sqlite3.Connection, url: str | None) -> None:
    for statement in _TABLES:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {_MAGIC}")
    if url is not None:
        connection.execute("INSERT INTO origin VALUES (?)", (masked_url(url),))


def _check_whole(connection: sqlite3.Connection, path: Path) -> None:
    [message] = connection.execute("PRAGMA quick_check(1)").fetchone()
    if message != "ok":
        raise _damaged(path, message)


def _unusable(path: Path, error: Exception) -> errors.Unavailable:
    return errors.Unavailable(f"the spool {path} can't be used: {error}")


def _damaged(path: Path, why: str) -> SpoolDamaged:
    return SpoolDamaged(
        f"the spool {path} is damaged ({why.splitlines()[0]}); recover() saves the intact records"
    )


def _nothing(path: Path) -> SpoolStatus:
    return SpoolStatus(path=path, url=None, pending=0, refused=0, refusals={}, oldest=None, bytes=0)
