"""A driver connection that runs compiled statements and speaks our errors."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NoReturn, Protocol

from sqlalchemy import Dialect, Table
from sqlalchemy.engine import Engine as CoreEngine

from lineage_store import errors
from lineage_store.database.statements import ListStatement, Statement
from lineage_store.database.tables import COLLATIONS, TURNS, columns_of

Row = tuple[Any, ...]

Insert = tuple[str, Sequence[Any]]
"""The text of an INSERT and its arguments."""

statement_observers: list[Callable[[str], None]] = []
"""Called with the text of each statement before it runs; tests count statements with it."""


class Driver(Protocol):
    """The differences between databases."""

    @property
    def dialect(self) -> Dialect:
        """The dialect of its SQL."""

    @property
    def is_remote(self) -> bool:
        """True if the database is a server: others write to it, it can be away and come back."""

    @property
    def changes_tables_at_once(self) -> bool:
        """True if a transaction can change tables; if not, each change commits at once."""

    @property
    def reads_at_once(self) -> bool:
        """True if one query sees all that was acknowledged, without a transaction."""

    @property
    def max_row_bytes(self) -> int:
        """Bytes that the values of one row may have, so that the database surely takes it."""

    @property
    def is_single(self) -> bool:
        """True if there can be only one connection."""

    @property
    def may_create(self) -> bool:
        """True if an empty database may become a store."""

    @property
    def is_missing(self) -> bool:
        """True if the database does not exist yet."""

    def without_creating(self) -> "Driver":
        """Return a driver of the same database that demands that it exists."""

    def connect(self) -> Any:
        """Open a connection of the driver."""

    def connect_alone(self) -> Any:
        """Open a connection to a database that no other process uses, if that can be told.

        A server that runs on must be refused in another way; see the revisions of the schema.

        Raises:
            FailedPrecondition: Another process uses it.
        """

    def prepare_new(self) -> None:
        """Make an empty database ready to become a store."""

    def core_engine(self, raw: Any) -> CoreEngine:
        """Return a SQLAlchemy engine over one open connection."""

    def bound_waits(self, raw: Any, seconds: float) -> None:
        """Let `raw`, and connections that are opened from now on, wait so long for a lock."""

    def is_alive(self, raw: Any) -> bool:
        """Return whether a connection can be used again."""

    def close(self, raw: Any) -> None:
        """Close a connection, which may be lost already."""

    def identity(self, raw: Any) -> tuple[Any, ...]:
        """Return the identity of the database, whatever URL it is reached by."""

    def damages(self, raw: Any) -> list[str]:
        """Return the errors that the database itself finds in its files, if it can look."""

    def begin_schema_change(self, connection: Any) -> None:
        """Begin a transaction that creates or changes tables."""

    def begin(self, connection: Any, *, write: bool) -> Row:
        """Begin a transaction; one that writes waits until it may.

        Returns:
            For one that writes: the number of the turn, and stamp and number of the last commit.
        """

    def within(self, connection: Any, seconds: float) -> AbstractContextManager[None]:
        """Interrupt statements that take longer; they raise DeadlineExceeded."""

    @property
    def returns_inserted(self) -> bool:
        """True if an INSERT can return the rows that it has inserted, without a round trip."""

    @property
    def refuses_large_values(self) -> bool:
        """True if `below` works; it costs less than measuring each value in the query."""

    def below(self, connection: Any, max_bytes: int) -> AbstractContextManager[None]:
        """Let queries in this block raise LargeValue when they meet a value of more bytes."""

    def pipelined(self, connection: Any) -> AbstractContextManager[Any]:
        """Let statements in this block not wait for the answers to those before.

        An error is raised by a statement after the one that it is of, by the end of the block at
        the latest. The commit comes after it: psycopg may wait for ever for the answer to a commit
        in the block that it has not sent yet, since there is much before it.
        """

    def translate(self, error: Exception) -> Exception:
        """Return the error of ours for `error` of the driver."""

    def inserts(
        self, table: Table, columns: Sequence[str], rows: Sequence[Row], *, on_conflict: str
    ) -> Iterator[Insert]:
        """Yield statements that together insert rows; see `Connection.insert`."""


TAKE_TURN = f"SELECT turn, recorded_at, seq FROM writers WHERE id = {TURNS} FOR UPDATE"  # noqa: S608 - a constant
"""Waits for the turn to write on a server, and returns it with the last commit."""


class ConstraintViolated(Exception):
    """A row clashed with a unique key: another writer was faster, or a check is missing."""


class LargeValue(errors.InvalidArgument):
    """A value has more bytes than the database holds, or than this query may read."""


class SecondStatement(Exception):
    """A read that was to take one statement takes another: it needs a transaction."""


class Connection:
    """Runs statements on one driver connection; not for two threads at once.

    Args:
        raw: The connection of the driver.
        driver: The driver.
        once: Run one query at most, without a transaction; a second raises SecondStatement.
    """

    def __init__(self, raw: Any, driver: Driver, *, once: bool = False) -> None:
        self._raw = raw
        self._driver = driver
        self._statements_left = 1 if once else -1

    def another(self, *, once: bool) -> "Connection":
        """Return one over the same connection of the driver."""
        return Connection(self._raw, self._driver, once=once)

    @property
    def has_slow_row_values(self) -> bool:
        """True if `(a, b) > (x, y)` uses no index, as on MySQL."""
        return self._driver.dialect.name in COLLATIONS

    @property
    def has_no_nul(self) -> bool:
        """True if texts can't hold NUL, as on PostgreSQL."""
        return self._driver.dialect.name == "postgresql"

    @property
    def has_infinity(self) -> bool:
        """True if a column of numbers holds infinities; on MySQL it does not."""
        return self._driver.dialect.name not in COLLATIONS

    @property
    def max_row_bytes(self) -> int:
        """Bytes that the values of one row may have."""
        return self._driver.max_row_bytes

    @property
    def returns_inserted(self) -> bool:
        """True if `insert_returning` can be called: a look before the insert costs as much."""
        return self._driver.returns_inserted

    @property
    def measures_by_reading(self) -> bool:
        """True if reading the length of a body costs as much as the body, as on MySQL."""
        return self._driver.dialect.name in COLLATIONS

    @property
    def refuses_large_values(self) -> bool:
        """True if `rows_below` can be asked, as on SQLite."""
        return self._driver.refuses_large_values

    def begin(self, *, write: bool) -> Row:
        """Begin a transaction; see `Driver.begin`."""
        try:
            return self._driver.begin(self._raw, write=write)
        except Exception as error:
            self._fail(error)

    def commit(self) -> None:
        """Make everything since `begin` durable."""
        try:
            self._raw.commit()
        except Exception as error:
            self._fail(error)

    def rollback(self) -> None:
        """Undo everything since `begin`."""
        try:
            self._raw.rollback()
        except Exception as error:
            self._fail(error)

    @contextmanager
    def pipelined(self) -> Iterator[None]:
        """Let statements that answer nothing not wait for each other; see `Driver.pipelined`."""
        try:
            with self._driver.pipelined(self._raw):
                yield
        except Exception as error:
            self._fail(error)

    def within(self, seconds: float | None) -> AbstractContextManager[None]:
        """Bound the time of the statements in this block; None: they may take any time."""
        return nullcontext() if seconds is None else self._driver.within(self._raw, seconds)

    def rows(self, statement: Statement, **values: Any) -> list[Row]:
        """Return all rows of a query."""
        return self._fetch(*statement.render(self._driver.dialect, values))

    def rows_below(self, max_bytes: int, statement: Statement, **values: Any) -> list[Row] | None:
        """Return all rows of a query, or None if a value has more bytes.

        It is for databases that have `refuses_large_values`.
        """
        try:
            with self._driver.below(self._raw, max_bytes):
                return self.rows(statement, **values)
        except LargeValue:
            return None

    def rows_of(self, statement: ListStatement, items: Sequence[Any], **values: Any) -> list[Row]:
        """Return all rows of a query over a list, in as few statements as its length allows."""
        rows: list[Row] = []
        if not items:
            return rows
        for text, arguments in statement.render(self._driver.dialect, items, values):
            rows += self._fetch(text, arguments)
        return rows

    def execute(self, statement: Statement, **values: Any) -> None:
        """Run a statement that answers nothing."""
        self._run(*statement.render(self._driver.dialect, values))

    def run_text(self, text: str) -> None:
        """Run a statement that is written for one database and has no values."""
        self._run(text, ())

    def execute_on(self, statement: ListStatement, items: Sequence[Any], **values: Any) -> None:
        """Run a statement over a list that answers nothing."""
        for text, arguments in statement.render(self._driver.dialect, items, values):
            self._run(text, arguments)

    def insert(
        self,
        table: Table,
        rows: Sequence[Row],
        columns: Sequence[str] | None = None,
        *,
        on_conflict: str = "fail",
    ) -> None:
        """Insert rows with few large statements.

        Args:
            table: Where to insert.
            rows: The rows.
            columns: The columns that each row has, in its order; None: all of the table.
            on_conflict: "fail", or "ignore" a row whose key is there, or "update" that row.

        Raises:
            ConstraintViolated: A key is there already and `on_conflict` is "fail".
            RowTooLarge: The database can't hold a row; nothing of its statement was sent.
        """
        if not rows:
            return
        for text, arguments in self._driver.inserts(
            table, columns or columns_of(table), rows, on_conflict=on_conflict
        ):
            self._run(text, arguments)

    def insert_returning(self, table: Table, rows: Sequence[Row], width: int) -> list[Row]:
        """Insert rows but for those whose key is there; return the keys of those inserted.

        Args:
            table: Where to insert.
            rows: The rows, with the values of the key first.
            width: The number of columns of the key.
        """
        columns = columns_of(table)
        key = ", ".join(columns[:width])
        inserted: list[Row] = []
        for text, arguments in self._driver.inserts(table, columns, rows, on_conflict="ignore"):
            inserted += self._fetch(f"{text} RETURNING {key}", arguments)
        return inserted

    def _fetch(self, text: str, arguments: Any) -> list[Row]:
        if self._statements_left == 0:
            raise SecondStatement
        self._statements_left -= 1
        for observe in statement_observers:
            observe(text)
        try:
            cursor = self._raw.cursor()
            cursor.execute(text, arguments)
            rows = cursor.fetchall()
        except Exception as error:
            self._fail(error)
        return rows if isinstance(rows, list) else list(rows)  # PyMySQL returns tuples

    def _run(self, text: str, arguments: Any) -> None:
        for observe in statement_observers:
            observe(text)
        try:
            self._raw.cursor().execute(text, arguments)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> NoReturn:
        translated = self._driver.translate(error)
        if translated is error:
            raise error
        raise translated from error
