"""SQLite: how a file or a memory database is opened, written and understood."""

import random
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Dialect, Table, create_engine
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.engine import Engine as CoreEngine
from sqlalchemy.pool import StaticPool

from lineage_store import errors
from lineage_store.database.connection import ConstraintViolated, Insert, LargeValue, Row
from lineage_store.database.drivers import sqlite_functions, write_ahead_log
from lineage_store.database.drivers.inserts import insert_parts, insert_text
from lineage_store.database.drivers.sqlite_file import OpenFile
from lineage_store.private_files import make_private_file

BUSY_TIMEOUT_S = 30.0
"""Seconds that a connection waits by default for a writer in another process."""

ALONE_PAUSES_S = (0.01, 0.05)
"""Seconds, from and to, between two tries to keep all other processes out."""

MAX_PARAMETERS = 32_766
"""Placeholders in one statement (SQLITE_MAX_VARIABLE_NUMBER since 3.32)."""

MAX_ROWS = 500
"""Rows in one INSERT: SQLite bounds the terms of a compound SELECT, not of VALUES, but parsing
longer texts gains nothing more."""

MAX_ROW_BYTES = 900_000_000
"""Bytes of the values of one row: SQLITE_MAX_LENGTH is 1,000,000,000, for the row as a whole."""

STEPS_BETWEEN_LOOKS = 20_000
"""Instructions of SQLite's machine, about a millisecond, after which it looks at the clock."""

_PRAGMAS = (
    "PRAGMA synchronous=FULL",  # an acknowledged commit survives power loss
    "PRAGMA cache_size=-65536",
    "PRAGMA temp_store=MEMORY",
    f"PRAGMA wal_autocheckpoint={write_ahead_log.PAGES}",
)

_LAST_COMMIT = "SELECT 0, recorded_at, seq FROM commits ORDER BY recorded_at DESC LIMIT 1"

_MEANINGS: dict[str, tuple[type[errors.LineageError], str]] = {
    "SQLITE_BUSY": (errors.Aborted, "another process keeps the database locked; try again later"),
    "SQLITE_LOCKED": (errors.Aborted, "the database is locked; try again"),
    "SQLITE_FULL": (errors.ResourceExhausted, "the disk that holds the database is full"),
    "SQLITE_READONLY": (errors.FailedPrecondition, "the database is read-only"),
    "SQLITE_CANTOPEN": (errors.Unavailable, "the database file can't be opened; does it exist?"),
    "SQLITE_PERM": (errors.PermissionDenied, "the database file may not be accessed"),
    "SQLITE_NOTADB": (errors.NotOurDatabase, "the file is not an SQLite database"),
    "SQLITE_CORRUPT": (errors.DataLoss, "the database file is damaged"),
    "SQLITE_IOERR": (errors.Unavailable, "reading or writing the database file failed"),
    "SQLITE_INTERRUPT": (
        errors.DeadlineExceeded,
        "the query took longer than it may; ask for less, or for indexed fields",
    ),
    "SQLITE_TOOBIG": (LargeValue, "a value is larger than SQLite can hold"),
}


def _make_file(path: Path) -> None:
    """Create the file for its owner alone; the files that SQLite puts beside it get its mode."""
    with suppress(OSError):  # SQLite says why it can't be opened
        make_private_file(path)


def _is_busy(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY")


class _Interrupting(AbstractContextManager[None]):
    """A block whose statements are interrupted after some seconds; see `Driver.within`."""

    def __init__(self, connection: sqlite3.Connection, seconds: float) -> None:
        self._connection = connection
        self._deadline = time.monotonic() + seconds

    def __enter__(self) -> None:
        self._connection.set_progress_handler(self._is_over, STEPS_BETWEEN_LOOKS)

    def __exit__(self, *_: object) -> None:
        self._connection.set_progress_handler(None, 0)

    def _is_over(self) -> bool:
        return time.monotonic() > self._deadline


class _Refusing(AbstractContextManager[None]):
    """A block whose queries refuse values of more bytes; see `Driver.below`."""

    def __init__(self, connection: sqlite3.Connection, max_bytes: int) -> None:
        self._connection = connection
        self._max_bytes = max_bytes
        self._usual = 0

    def __enter__(self) -> None:
        self._usual = self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, self._max_bytes)

    def __exit__(self, *_: object) -> None:
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, self._usual)


class SqliteDriver:
    """Opens connections to one SQLite database.

    Args:
        path: The file; None: a database in memory, which lives as long as its one connection.
        mode: "rwc" creates the file when it is missing, "rw" demands it, "ro" only reads.

    Attributes:
        busy_seconds: Seconds that a new connection waits for a writer in another process.
    """

    is_remote = False  # a writer holds the lock from its beginning, and waited for it
    changes_tables_at_once = True
    reads_at_once = True
    refuses_large_values = True
    returns_inserted = sqlite3.sqlite_version_info >= (3, 35)
    max_row_bytes = MAX_ROW_BYTES

    def __init__(self, path: Path | None, mode: str = "rwc") -> None:
        self.dialect: Dialect = sqlite_dialect()
        # A relative path is one from here, also after the program has changed its directory.
        self.path = path = None if path is None else path.absolute()
        self.mode = mode
        self.busy_seconds = BUSY_TIMEOUT_S
        self._log = None if path is None else write_ahead_log.WriteAheadLog(path)
        self._file = None if path is None else OpenFile(path)

    @property
    def is_single(self) -> bool:
        """True if there can be only one connection: a memory database lives and dies with it."""
        return self.path is None

    @property
    def may_create(self) -> bool:
        """True if an empty database may become a store."""
        return self.mode != "ro"

    @property
    def is_missing(self) -> bool:
        """True if the file does not exist yet."""
        return self.path is not None and not self.path.exists()

    def without_creating(self) -> "SqliteDriver":
        """Return a driver of the same database that demands that its file exists."""
        return SqliteDriver(self.path, "rw" if self.mode == "rwc" else self.mode)

    def connect(self) -> sqlite3.Connection:
        """Open a connection.

        Raises:
            LineageError: The file can't be opened, or is no SQLite database.
        """
        try:
            connection = self._open()
            self._prepare(connection)
        except sqlite3.Error as error:
            raise self.translate(error) from error
        if self._file is not None:
            self._note(self._file, connection)
        return connection

    def connect_alone(self) -> sqlite3.Connection:
        """Open a connection that keeps all other processes out; see `Driver.connect_alone`."""
        deadline = time.monotonic() + self.busy_seconds
        while True:
            try:
                connection = self._open_alone()
            except sqlite3.Error as error:
                if not _is_busy(error):
                    raise self.translate(error) from error
                if time.monotonic() > deadline:
                    raise errors.FailedPrecondition(
                        "another process has the database open; stop it, and try again"
                    ) from error
                time.sleep(random.uniform(*ALONE_PAUSES_S))  # noqa: S311 - no secret
            else:
                break
        if self._file is not None:
            self._note(self._file, connection)
        return connection

    def _open_alone(self) -> sqlite3.Connection:
        """Open a connection in exclusive mode, without waiting.

        A connection that waits for others in that mode keeps its shared lock meanwhile, so two of
        them would wait for each other. One that is closed gives the lock back.
        """
        connection = self._open()
        try:
            connection.execute("PRAGMA busy_timeout=0")
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
            self._prepare(connection)
            self._wait_for_locks(connection, self.busy_seconds)
        except BaseException:
            connection.close()
            raise
        return connection

    def _note(self, file: OpenFile, connection: sqlite3.Connection) -> None:
        try:
            file.opened(connection)
        except errors.DataLoss:
            connection.close()
            raise

    def _open(self) -> sqlite3.Connection:
        name = ":memory:"
        if self.path is not None:
            mode = self.mode
            if self._file is not None and self._file.is_open:
                self._file.check()
                mode = mode.replace("rwc", "rw")  # if it is removed now, it stays so
            elif mode == "rwc":
                _make_file(self.path)
            name = f"file:{quote(str(self.path.absolute()))}?mode={mode}"
        return sqlite3.connect(
            name,
            uri=True,
            timeout=self.busy_seconds,
            isolation_level=None,  # we say BEGIN ourselves
            check_same_thread=False,
            cached_statements=512,
        )

    def _prepare(self, connection: sqlite3.Connection) -> None:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        sqlite_functions.register(connection)

    def core_engine(self, raw: sqlite3.Connection) -> CoreEngine:
        """Return a SQLAlchemy engine over one open connection."""
        return create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)

    def bound_waits(self, raw: sqlite3.Connection, seconds: float) -> None:
        """Bound the time that connections wait for a lock; see `Driver.bound_waits`."""
        self.busy_seconds = seconds
        self._wait_for_locks(raw, seconds)

    @staticmethod
    def _wait_for_locks(connection: sqlite3.Connection, seconds: float) -> None:
        connection.execute(f"PRAGMA busy_timeout={round(seconds * 1000)}")

    def is_alive(self, raw: sqlite3.Connection) -> bool:  # noqa: ARG002 - see Driver
        """Return whether a connection can be used again: not if the file was replaced."""
        file = self._file
        return file is None or time.monotonic() < file.is_there_until or file.is_there()

    def close(self, raw: sqlite3.Connection) -> None:
        """Close a connection."""
        raw.close()
        if self._file is not None:
            self._file.closed(raw)

    def identity(self, raw: sqlite3.Connection) -> tuple[Any, ...]:  # noqa: ARG002 - see Driver
        """Return the identity of the file; see `Driver.identity`."""
        if self.path is None:
            return ("sqlite", id(self))
        status = self.path.stat()
        return ("sqlite", status.st_dev, status.st_ino)

    def damages(self, raw: sqlite3.Connection) -> list[str]:
        """Return the errors that SQLite finds in the file; see `Driver.damages`."""
        messages = [row[0] for row in raw.execute("PRAGMA integrity_check(10)")]
        return [] if messages == ["ok"] else messages

    def begin_schema_change(self, connection: sqlite3.Connection) -> None:
        """Begin a transaction that creates or changes tables."""
        self._lock(connection)

    def prepare_new(self) -> None:
        """Let readers and a writer work at once; remembered in the file.

        Two processes that open a new file at the same time exclude each other here without
        waiting, so the loser tries again.
        """
        if self.path is None or self.mode == "ro":
            return
        deadline = time.monotonic() + BUSY_TIMEOUT_S
        connection = self.connect()
        try:
            while not self._switch_to_wal(connection):
                if time.monotonic() > deadline:
                    raise errors.Aborted(_MEANINGS["SQLITE_BUSY"][1])
                time.sleep(0.02)
        finally:
            self.close(connection)

    @staticmethod
    def _switch_to_wal(connection: sqlite3.Connection) -> bool:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
        except sqlite3.OperationalError as error:
            if _is_busy(error):
                return False
            raise SqliteDriver.translate(error) from error
        return bool(mode == "wal")

    def begin(self, connection: sqlite3.Connection, *, write: bool) -> Row:
        """Begin; a writer takes the write lock at once, so that it never has to give way."""
        if not write:
            connection.execute("BEGIN")
            return ()
        self._lock(connection)
        row: Row | None = connection.execute(_LAST_COMMIT).fetchone()
        return row or (0, 0, 0)

    def _lock(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        if self._log is not None and self._file is not None:
            self._check_file(self._file, connection)
            self._log.grow()

    @staticmethod
    def _check_file(file: OpenFile, connection: sqlite3.Connection) -> None:
        try:
            file.check_for_write()
        except errors.DataLoss:
            connection.execute("ROLLBACK")
            raise

    def pipelined(self, connection: sqlite3.Connection) -> AbstractContextManager[Any]:  # noqa: ARG002 - see Driver
        """Do nothing: a file answers at once."""
        return nullcontext()

    def within(
        self, connection: sqlite3.Connection, seconds: float
    ) -> AbstractContextManager[None]:
        """Interrupt statements that take longer than `seconds`; see `Driver.within`."""
        return _Interrupting(connection, seconds)

    def below(self, connection: sqlite3.Connection, max_bytes: int) -> AbstractContextManager[None]:
        """Let queries raise LargeValue when they meet one; see `Driver.below`."""
        return _Refusing(connection, max_bytes)

    @staticmethod
    def translate(error: Exception) -> Exception:
        """Return the error of ours for one of the driver, without SQL or values in its text."""
        if not isinstance(error, sqlite3.Error):
            return error
        name = getattr(error, "sqlite_errorname", "") or ""
        if name.startswith("SQLITE_CONSTRAINT"):
            return ConstraintViolated(name)
        for prefix, (cls, message) in _MEANINGS.items():
            if name.startswith(prefix):
                return cls(message)
        if str(error) == "parser stack overflow":
            return errors.InvalidArgument("the filter is nested more deeply than SQLite can read")
        return errors.Internal("the database answered an unexpected error")

    def inserts(
        self, table: Table, columns: Sequence[str], rows: Sequence[Row], *, on_conflict: str
    ) -> Iterator[Insert]:
        """Yield INSERT statements over many rows; see `Driver.inserts`."""
        most = min(MAX_ROWS, MAX_PARAMETERS // len(columns))
        for part in insert_parts(table, columns, rows, most, self.max_row_bytes):
            text = insert_text(table, tuple(columns), len(part), on_conflict)
            yield text, list(chain.from_iterable(part))
