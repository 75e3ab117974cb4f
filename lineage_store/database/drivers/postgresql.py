"""PostgreSQL: how a database is reached, written and understood."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import psycopg
from psycopg.adapt import Buffer
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.string import StrBinaryDumper, StrDumper, TextLoader
from sqlalchemy import Dialect, String, Table, create_engine
from sqlalchemy.dialects.postgresql.psycopg import dialect as psycopg_dialect
from sqlalchemy.engine import Engine as CoreEngine
from sqlalchemy.pool import StaticPool

from lineage_store import errors
from lineage_store.database import tables
from lineage_store.database.connection import TAKE_TURN, ConstraintViolated, Insert, Row
from lineage_store.database.drivers.inserts import insert_parts, on_conflict_clause
from lineage_store.database.drivers.postgresql_texts import escaped, unescaped
from lineage_store.database.drivers.urls import read_password
from lineage_store.database.tables import SHORT_STRING

MAX_ROWS = 10_000
"""Rows in one INSERT, so that none grows without end."""

MAX_ROW_BYTES = 400_000_000
"""Bytes of the values of one row: a value has 1 GB at most, a message of the protocol as well, and
a character may take two (see `_TextDumper`)."""

_DIALECT: Dialect = psycopg_dialect()  # type: ignore[no-untyped-call]

_ARGUMENTS: dict[str, Any] = {
    "application_name": "lineage-store",
    "connect_timeout": 10,  # s
    # A server that no longer acknowledges packets counts as gone, as after a power cut.
    "keepalives_idle": 10,  # s
    "keepalives_interval": 5,  # s
    "keepalives_count": 2,
    "tcp_user_timeout": 20_000,  # ms
}

_MEANINGS: dict[str, tuple[type[errors.LineageError], str]] = {
    "08": (errors.Unavailable, "the connection to the database was lost; try again"),
    "0A": (errors.Internal, "the database does not support a statement of the store"),
    "22003": (errors.InvalidArgument, "a number is out of the range that the database can hold"),
    "22": (errors.InvalidArgument, "a value is not one that the database can work with"),
    "25006": (errors.FailedPrecondition, "the database is read-only; is it a replica?"),
    "28": (errors.Unauthenticated, "the database refused the user or the password"),
    "3D000": (errors.FailedPrecondition, "the database does not exist; create it first"),
    "40": (errors.Aborted, "a concurrent writer was faster; try again"),
    "42501": (errors.PermissionDenied, "the database user may not do this; grant it the tables"),
    "53100": (errors.ResourceExhausted, "the disk of the database is full"),
    "53": (errors.Unavailable, "the database has no room for another connection; try again"),
    "54": (errors.InvalidArgument, "the filter is nested more deeply than the database can read"),
    "55P03": (errors.Aborted, "another process keeps the database locked; try again later"),
    "57014": (
        errors.DeadlineExceeded,
        "the query took longer than it may; ask for less, or for indexed fields",
    ),
    "57": (errors.Unavailable, "the database is shutting down or starting up; try again"),
    "58": (errors.Unavailable, "the database could not read or write its files"),
    "XX": (errors.DataLoss, "the database reports that its data is damaged"),
}


class PostgresqlDriver:
    """Opens connections to one PostgreSQL database.

    Args:
        url: A libpq URI: postgresql://USER:PASSWORD@HOST:PORT/NAME?OPTIONS, and one option more,
            password_file=FILE. libpq takes everything left out, the password too, from its
            environment variables and files.

    Raises:
        InvalidArgument: The URL is malformed.
    """

    is_remote = True
    changes_tables_at_once = True
    reads_at_once = True
    max_row_bytes = MAX_ROW_BYTES
    is_single = False
    refuses_large_values = False
    returns_inserted = False
    may_create = True
    is_missing = False

    def __init__(self, url: str) -> None:
        url, file = _without_password_file(url)
        self._password: dict[str, Any] = {} if file is None else {"password": read_password(file)}
        try:
            conninfo_to_dict(url)
        except psycopg.ProgrammingError:
            raise errors.InvalidArgument(
                "the database URL is not of the form postgresql://USER@HOST:PORT/NAME"
            ) from None
        self.dialect = _DIALECT
        self._url = url
        self._lock_milliseconds = 0  # no bound

    def without_creating(self) -> "PostgresqlDriver":
        """Return a driver that looks at the database without changing it."""
        return self

    def connect(self) -> "psycopg.Connection[Any]":
        """Open a connection.

        Raises:
            LineageError: The database can't be reached or refuses us.
        """
        try:
            connection = psycopg.connect(
                self._url,
                autocommit=True,  # we say BEGIN ourselves
                **_ARGUMENTS,
                **self._password,
            )
            if self._lock_milliseconds:
                self._bound_waits_of(connection)
        except psycopg.Error as error:
            raise self.translate(error) from error
        connection.execute("SET extra_float_digits = 1")  # numbers as texts that read back
        connection.adapters.register_dumper(str, _TextBinaryDumper)
        connection.adapters.register_dumper(str, _TextDumper)
        connection.adapters.register_loader("text", _TextLoader)
        connection.adapters.register_loader("varchar", _TextLoader)
        return connection

    def connect_alone(self) -> Any:
        """Open a connection; others may be there, see `Driver.connect_alone`."""
        return self.connect()

    def prepare_new(self) -> None:
        """Make nothing ready: a database that is empty is ready."""

    def core_engine(self, raw: Any) -> CoreEngine:
        """Return a SQLAlchemy engine over one open connection."""
        return create_engine("postgresql+psycopg://", creator=lambda: raw, poolclass=StaticPool)

    def bound_waits(self, raw: Any, seconds: float) -> None:
        """Bound the time that connections wait for a lock; see `Driver.bound_waits`."""
        self._lock_milliseconds = max(1, round(seconds * 1000))
        self._bound_waits_of(raw)

    def _bound_waits_of(self, raw: Any) -> None:
        raw.execute(f"SET lock_timeout = {self._lock_milliseconds}")

    def is_alive(self, raw: Any) -> bool:
        """Return whether a connection can be used again."""
        return not raw.closed

    def close(self, raw: Any) -> None:
        """Close a connection."""
        raw.close()

    def identity(self, raw: Any) -> tuple[Any, ...]:
        """Return the identity of the schema; see `Driver.identity`."""
        query = (
            "SELECT pg_postmaster_start_time(), current_database(), current_schema()::text, "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return ("postgresql", *raw.execute(query).fetchone())

    def damages(self, raw: Any) -> list[str]:  # noqa: ARG002 - the server looks after its files
        """Return nothing; see `Driver.damages`."""
        return []

    def begin(self, connection: Any, *, write: bool) -> Row:
        """Begin; those that write wait for each other, so that none fails at its commit."""
        if not write:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return ()
        with self.pipelined(connection):
            connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
            turns = connection.execute(TAKE_TURN)
        row: Row = turns.fetchone()
        return row

    def begin_schema_change(self, connection: Any) -> None:
        """Begin a transaction that creates or changes tables."""
        connection.execute("BEGIN")

    def pipelined(self, connection: Any) -> AbstractContextManager[Any]:
        """Send statements before those before are answered; see `Driver.pipelined`."""
        return connection.pipeline() if psycopg.Pipeline.is_supported() else nullcontext()

    def below(self, connection: Any, max_bytes: int) -> AbstractContextManager[None]:  # noqa: ARG002 - see Driver
        """Do nothing: values are measured in the query; see `Driver.refuses_large_values`."""
        return nullcontext()

    @contextmanager
    def within(self, connection: Any, seconds: float) -> Iterator[None]:
        """Cancel statements that take longer than `seconds`; see `Driver.within`."""
        connection.execute(f"SET LOCAL statement_timeout = {max(1, round(seconds * 1000))}")
        yield
        connection.execute("SET LOCAL statement_timeout = 0")

    @staticmethod
    def translate(error: Exception) -> Exception:
        """Return the error of ours for one of the driver, without SQL or values in its text."""
        if not isinstance(error, psycopg.Error):
            return error
        state = error.sqlstate or ""
        if state.startswith("23"):
            return ConstraintViolated(state)
        for length in (5, 2):
            if state[:length] in _MEANINGS:
                cls, message = _MEANINGS[state[:length]]
                return cls(message)
        if isinstance(error, psycopg.OperationalError):
            return _unreachable(str(error))
        return errors.Internal("the database answered an unexpected error")

    def inserts(
        self, table: Table, columns: Sequence[str], rows: Sequence[Row], *, on_conflict: str
    ) -> Iterator[Insert]:
        """Yield INSERT statements over many rows; see `Driver.inserts`.

        One array for each column: the text of a statement does not depend on the number of rows,
        so the server plans it once, and values are not parsed one by one.
        """
        text = _insert_text(table, tuple(columns), on_conflict)
        for part in insert_parts(table, columns, rows, MAX_ROWS, self.max_row_bytes):
            yield text, [list(column) for column in zip(*part, strict=True)]


@lru_cache(maxsize=128)
def _insert_text(table: Table, columns: tuple[str, ...], on_conflict: str) -> str:
    arrays = ", ".join(f"%b::{_array(table.c[name].type)}" for name in columns)
    names, values = ", ".join(columns), ", ".join(_inserted(table, name) for name in columns)
    text = f"INSERT INTO {table.name} ({names}) SELECT {values} FROM unnest({arrays}) AS t({names})"  # noqa: S608 - names from our own tables
    return text + on_conflict_clause(table, columns, on_conflict)


def _inserted(table: Table, column: str) -> str:
    """Return the SQL of a column that is inserted: a beginning of a string grows by each NUL."""
    is_beginning = column == tables.STRING_VALUE and table in tables.properties.values()
    return f"left({column}, {SHORT_STRING})" if is_beginning else column


def _array(kind: Any) -> str:
    if isinstance(kind, String):
        return "text[]"
    return f"{kind.compile(dialect=_DIALECT)}[]"


def _without_password_file(url: str) -> tuple[str, str | None]:
    """Return a URI that libpq understands, and the file that it named with the password."""
    head, _, query = url.partition("?")
    options = query.split("&")
    named = [option for option in options if option.startswith("password_file=")]
    rest = "&".join(option for option in options if option not in named)
    file = unquote(named[0].partition("=")[2]) if named else None
    return (f"{head}?{rest}" if rest else head), file


def _unreachable(text: str) -> errors.LineageError:
    """Return the error for a connection that failed before there was a status."""
    if "password" in text or "authentication" in text:
        return errors.Unauthenticated("the database refused the user or the password")
    if "does not exist" in text:
        return errors.FailedPrecondition("the database or its user does not exist; create it first")
    return errors.Unavailable("the database can't be reached; is it running, and is the URL right?")


class _TextDumper(StrDumper):
    """Writes NUL, which PostgreSQL's text can't hold, as two characters that it can."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(escaped(obj))


class _TextBinaryDumper(StrBinaryDumper):
    """Does the same within arrays."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(escaped(obj))


class _TextLoader(TextLoader):
    """Reads texts that `_TextDumper` wrote."""

    def load(self, data: Buffer) -> bytes | str:
        text = super().load(data)
        return unescaped(text) if isinstance(text, str) else text
