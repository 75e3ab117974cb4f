"""MySQL and MariaDB: how a database is reached, written and understood."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pymysql
from pymysql.converters import conversions, escape_float
from sqlalchemy import Dialect, Table, create_engine
from sqlalchemy.dialects.mysql.mariadb import MariaDBDialect
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql
from sqlalchemy.engine import Engine as CoreEngine
from sqlalchemy.pool import StaticPool

from lineage_store import errors
from lineage_store.database.connection import ConstraintViolated
from lineage_store.database.tables import COLLATIONS

CONNECT_TIMEOUT_S = 10
DEFAULT_PORT = 3306
MAX_ROWS = 1_000
"""Rows in one INSERT; what is larger than a packet of the server fails as a whole."""

_LARGEST = "1.7976931348623157e308"
_RECURSION = 2**32 - 1

_BUSY = (errors.Aborted, "a concurrent writer was faster; try again")
_AWAY = (errors.Unavailable, "the database can't be reached; is it running, is the URL right?")
_FULL = (errors.ResourceExhausted, "the disk of the database is full")
_READ_ONLY = (errors.FailedPrecondition, "the database is read-only; is it a replica?")
_DENIED = (errors.PermissionDenied, "the database user may not do this; grant it the tables")
_LATE = (
    errors.DeadlineExceeded,
    "the query took longer than it may; ask for less, or for what is indexed",
)
_VALUE = (errors.InvalidArgument, "a value is not one that the database can hold or work with")

_MEANINGS: dict[int, tuple[type[errors.LineageError], str]] = {
    **dict.fromkeys((1213, 1205, 1020, 1180), _BUSY),
    **dict.fromkeys((2002, 2003, 2005, 2006, 2013, 1040, 1053, 1047, 1077, 1927), _AWAY),
    **dict.fromkeys((1021, 1114), _FULL),
    **dict.fromkeys((1290, 1792, 1836), _READ_ONLY),
    **dict.fromkeys((1044, 1142, 1143, 1227), _DENIED),
    **dict.fromkeys((1969, 3024, 1317), _LATE),
    **dict.fromkeys((1264, 1366, 1406, 1690, 1153, 1301, 1292), _VALUE),
    1045: (errors.Unauthenticated, "the database refused the user or the password"),
    1698: (errors.Unauthenticated, "the database refused the user or the password"),
    1049: (errors.FailedPrecondition, "the database does not exist; create it first"),
    1436: (errors.InvalidArgument, "the filter is nested more deeply than the database can read"),
}


def _float(value: float, mapping: Any = None) -> str:
    """Return a number as SQL; the infinities are the largest numbers there are, NaN is none.

    Only the index over properties knows numbers by their value; their truth is in the bodies.
    """
    if math.isnan(value):
        return "NULL"
    if math.isinf(value):
        return _LARGEST if value > 0 else f"-{_LARGEST}"
    text: str = escape_float(value, mapping)
    return text


class MysqlDriver:
    """Opens connections to one database of MySQL or MariaDB.

    Args:
        url: mysql://USER:PASSWORD@HOST:PORT/NAME?ca=FILE

    Raises:
        InvalidArgument: The URL is malformed.
    """

    retries = 8
    is_remote = True
    is_single = False
    may_create = True
    is_missing = False

    def __init__(self, url: str) -> None:
        self._arguments = _arguments(url)
        self._dialect: Dialect | None = None

    @property
    def dialect(self) -> Dialect:
        """The dialect of the server; known as soon as one connection was made."""
        if self._dialect is None:
            self.connect().close()
        assert self._dialect is not None  # noqa: S101 - set by `connect`
        return self._dialect

    def without_creating(self) -> "MysqlDriver":
        """Return a driver that looks at the database without changing it."""
        return self

    def connect(self) -> Any:
        """Open a connection.

        Raises:
            LineageError: The database can't be reached or refuses us.
        """
        try:
            connection = pymysql.connect(**self._arguments)
            self._prepare(connection)
        except pymysql.MySQLError as error:
            raise self.translate(error) from error
        return connection

    def _prepare(self, connection: Any) -> None:
        is_mariadb = "MariaDB" in connection.get_server_info()
        if self._dialect is None:
            self._dialect = _mariadb() if is_mariadb else MySQLDialect_pymysql()
        limit = "max_recursive_iterations" if is_mariadb else "cte_max_recursion_depth"
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'")
            cursor.execute(f"SET SESSION {limit} = {_RECURSION}")
            # Texts that are compared with each other, and not with a column.
            collation = COLLATIONS["mariadb" if is_mariadb else "mysql"]
            cursor.execute(f"SET NAMES utf8mb4 COLLATE {collation}")

    def prepare_new(self) -> None:
        """Make nothing ready: a database that is empty is ready."""

    def core_engine(self, raw: Any) -> CoreEngine:
        """Return a SQLAlchemy engine over one open connection."""
        url = f"{self.dialect.name}+pymysql://"
        return create_engine(url, creator=lambda: raw, poolclass=StaticPool)

    def is_alive(self, raw: Any) -> bool:
        """Whether a connection can be used again."""
        return bool(raw.open)

    def begin(self, connection: Any, *, write: bool) -> None:
        """Begin; those that write wait for each other, so that none fails at its commit."""
        with connection.cursor() as cursor:
            if not write:
                cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
                return
            cursor.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
            cursor.execute("START TRANSACTION")
            cursor.execute("SELECT 1 FROM counters WHERE name = 'types' FOR UPDATE")

    def begin_schema_change(self, connection: Any) -> None:
        """Begin; each statement that changes a table commits by itself all the same."""
        connection.begin()

    @contextmanager
    def within(self, connection: Any, seconds: float) -> Iterator[None]:
        """End statements that take longer than `seconds`; see `Driver.within`."""
        is_mariadb = self.dialect.name == "mariadb"
        name = "max_statement_time" if is_mariadb else "max_execution_time"
        limit = max(0.001, seconds) if is_mariadb else max(1, round(seconds * 1000))
        with connection.cursor() as cursor:
            cursor.execute(f"SET SESSION {name} = {limit}")
        try:
            yield
        finally:
            if connection.open:
                with connection.cursor() as cursor:
                    cursor.execute(f"SET SESSION {name} = 0")

    @staticmethod
    def translate(error: Exception) -> Exception:
        """Return what an error of the driver means; no SQL and no values are in its text."""
        if not isinstance(error, pymysql.MySQLError):
            return error
        number = error.args[0] if error.args else 0
        if number in {1062, 1048, 1586}:
            return ConstraintViolated(number)
        if number in _MEANINGS:
            cls, message = _MEANINGS[number]
            return cls(message)
        if isinstance(error, pymysql.err.InterfaceError):
            return errors.Unavailable("the connection to the database was lost; try again")
        return errors.Internal("the database answered an unexpected error")

    def insert_texts(
        self, table: Table, columns: Sequence[str], count: int, *, on_conflict: str
    ) -> list[tuple[str, int]]:
        """Return INSERT statements over many rows; see `Driver.insert_texts`."""
        sizes = [MAX_ROWS] * (count // MAX_ROWS) + ([count % MAX_ROWS] if count % MAX_ROWS else [])
        key = tuple(column.name for column in table.primary_key)
        return [
            (_insert_text(table.name, tuple(columns), key, size, on_conflict), size)
            for size in sizes
        ]


def _mariadb() -> Dialect:
    class Dialect_(MariaDBDialect, MySQLDialect_pymysql):  # noqa: N801 - as SQLAlchemy makes it
        supports_statement_cache = True

    return Dialect_()


def _arguments(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    certificate = options.pop("ca", None)
    socket = options.pop("unix_socket", None)
    if options or not parts.path.strip("/") or not (parts.hostname or socket):
        raise errors.InvalidArgument(
            "the database URL is not of the form mysql://USER@HOST:PORT/NAME?ca=FILE"
        )
    return {
        "host": parts.hostname or "localhost",
        "port": parts.port or DEFAULT_PORT,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": unquote(parts.path.strip("/")),
        "unix_socket": socket,
        "charset": "utf8mb4",
        "autocommit": True,  # we say START TRANSACTION ourselves
        "connect_timeout": CONNECT_TIMEOUT_S,
        "conv": conversions | {float: _float},
        **({"ssl_ca": certificate, "ssl_verify_cert": True} if certificate else {}),
    }


@lru_cache(maxsize=1024)
def _insert_text(
    table: str, columns: tuple[str, ...], key: tuple[str, ...], count: int, on_conflict: str
) -> str:
    row = f"({', '.join(['%s'] * len(columns))})"
    text = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * count)}"  # noqa: S608 - names from our own tables
    if on_conflict == "ignore":  # INSERT IGNORE would ignore other errors as well
        return f"{text} ON DUPLICATE KEY UPDATE {key[0]} = {key[0]}"
    if on_conflict == "update":
        changes = ", ".join(f"{c} = VALUES({c})" for c in columns if c not in key)
        return f"{text} ON DUPLICATE KEY UPDATE {changes}"
    return text
