"""MySQL and MariaDB: how a database is reached, written and understood."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from typing import Any

import pymysql
from sqlalchemy import Dialect, Table, create_engine
from sqlalchemy.dialects.mysql.mariadb import MariaDBDialect
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql
from sqlalchemy.engine import Engine as CoreEngine
from sqlalchemy.pool import StaticPool

from lineage_store import errors
from lineage_store.database.connection import TAKE_TURN, ConstraintViolated, Insert, Row
from lineage_store.database.drivers import mysql_statements, mysql_url
from lineage_store.database.drivers.mysql_statements import PacketCursor
from lineage_store.database.drivers.mysql_tls import TlsConnection
from lineage_store.database.tables import COLLATIONS

CONNECT_TIMEOUT_S = 10
SILENT_PEER_MS = 20_000
"""After this time a server that no longer acknowledges packets counts as gone."""

_RECURSION = 2**32 - 1
_WAITED_TOO_LONG = 1205
_NO_QUORUM = "the cluster of the database has no quorum, or its node is still joining"

_BUSY = (errors.Aborted, "a concurrent writer was faster; try again")
_AWAY = (errors.Unavailable, "the database can't be reached; is it running, is the URL right?")
_FULL = (errors.ResourceExhausted, "the disk of the database is full")
_READ_ONLY = (errors.FailedPrecondition, "the database is read-only; is it a replica?")
_DENIED = (errors.PermissionDenied, "the database user may not do this; grant it the tables")
_LATE = (
    errors.DeadlineExceeded,
    "the query took longer than it may; ask for less, or for indexed fields",
)
_DEEP = (errors.InvalidArgument, "the filter is nested more deeply than the database can read")
_LARGE = (
    errors.InvalidArgument,
    "a value or a row is larger than the database takes; see its max_allowed_packet",
)
_VALUE = (errors.InvalidArgument, "a value is not one that the database can hold or work with")

_MEANINGS: dict[int, tuple[type[errors.LineageError], str]] = {
    **dict.fromkeys((1213, 1205, 1020), _BUSY),
    **dict.fromkeys((2002, 2003, 2005, 2006, 2013, 1040, 1053, 1047, 1077, 1180, 1927), _AWAY),
    **dict.fromkeys((1021, 1114), _FULL),
    **dict.fromkeys((1290, 1792, 1836), _READ_ONLY),
    **dict.fromkeys((1044, 1142, 1143, 1227), _DENIED),
    **dict.fromkeys((1969, 3024, 1317), _LATE),
    **dict.fromkeys((1264, 1366, 1406, 1690, 1292), _VALUE),
    **dict.fromkeys((1118, 1153, 1301), _LARGE),
    1050: (errors.AlreadyExists, "a table of that name exists already"),
    1045: (errors.Unauthenticated, "the database refused the user or the password"),
    1698: (errors.Unauthenticated, "the database refused the user or the password"),
    1049: (errors.FailedPrecondition, "the database does not exist; create it first"),
    **dict.fromkeys((1436, 1473), _DEEP),
}


class MysqlDriver:
    """Opens connections to one database of MySQL or MariaDB.

    Args:
        url: mysql://USER:PASSWORD@HOST:PORT,HOST:PORT/NAME?ca=FILE; several hosts are the nodes
            of a cluster, of which the first that can be written to is used.

    Raises:
        InvalidArgument: The URL is malformed.
    """

    is_remote = True
    changes_tables_at_once = False
    is_single = False
    refuses_large_values = False
    returns_inserted = False
    may_create = True
    is_missing = False

    def __init__(self, url: str) -> None:
        self._url = mysql_url.parse(url)
        self._preferred = 0  # the host that answered last
        self._dialect: Dialect | None = None
        self._is_cluster = False
        self._max_packet_bytes: int | None = None  # the least of any connection
        self._lock_seconds = 0  # as the server has it

    @property
    def max_row_bytes(self) -> int:
        """Bytes that the values of a row may have; see `Driver.max_row_bytes`."""
        return mysql_statements.max_row_bytes(self._least_packet())

    def _least_packet(self) -> int:
        if self._max_packet_bytes is None:
            self.connect().close()
        assert self._max_packet_bytes is not None  # noqa: S101 - set by `connect`
        return self._max_packet_bytes

    @property
    def reads_at_once(self) -> bool:
        """True if one query sees all that was acknowledged: a node of a cluster may be behind."""
        return not self._is_cluster

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
        """Open a connection to the host that answered last, or to the next that answers.

        Raises:
            LineageError: No host can be reached, or one refuses us.
        """
        hosts = self._url.hosts
        refusals = []
        for turn in range(len(hosts)):
            at = (self._preferred + turn) % len(hosts)
            try:
                connection = self._connect(*hosts[at])
            except errors.Unavailable as error:
                refusals.append(error)
            else:
                self._preferred = at
                return connection
        raise refusals[0]

    def _connect(self, host: str, port: int) -> Any:
        # Of a text, pymysql would send the bytes of latin1; passwords are set in UTF-8.
        password = self._url.arguments["password"].encode()
        try:
            connection: Any = TlsConnection(
                host=host,
                port=port,
                charset="utf8mb4",
                autocommit=True,  # we say START TRANSACTION ourselves
                connect_timeout=CONNECT_TIMEOUT_S,
                cursorclass=PacketCursor,
                **self._url.arguments | {"password": password},
            )
        except pymysql.MySQLError as error:
            raise self.translate(error) from error
        try:
            self._prepare(connection)
        except BaseException as error:
            connection.close()
            if isinstance(error, pymysql.MySQLError):
                raise self.translate(error) from error
            raise
        return connection

    def _prepare(self, connection: Any) -> None:
        is_mariadb = "MariaDB" in connection.get_server_info()
        if self._dialect is None:
            self._dialect = _mariadb() if is_mariadb else MySQLDialect_pymysql()
        limit = "max_recursive_iterations" if is_mariadb else "cte_max_recursion_depth"
        _notice_silence(connection)
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'")
            cursor.execute(f"SET SESSION {limit} = {_RECURSION}")
            # Texts that are compared with each other, and not with a column.
            collation = COLLATIONS["mariadb" if is_mariadb else "mysql"]
            cursor.execute(f"SET NAMES utf8mb4 COLLATE {collation}")
            if self._lock_seconds:
                self._bound_waits_of(cursor)
            variables = _variables(cursor, "wsrep_on", "max_allowed_packet")
            self._note_packet(connection, int(variables["max_allowed_packet"]))
            self._is_cluster = is_mariadb and variables.get("wsrep_on") == "ON"
            if self._is_cluster or len(self._url.hosts) > 1:
                _check_takes_writes(cursor)

    def _note_packet(self, connection: Any, size: int) -> None:
        connection.max_allowed_packet = size  # PyMySQL asks no server for it
        self._max_packet_bytes = min(size, self._max_packet_bytes or size)

    def connect_alone(self) -> Any:
        """Open a connection; others may be there, see `Driver.connect_alone`."""
        return self.connect()

    def prepare_new(self) -> None:
        """Make nothing ready: a database that is empty is ready."""

    def core_engine(self, raw: Any) -> CoreEngine:
        """Return a SQLAlchemy engine over one open connection."""
        url = f"{self.dialect.name}+pymysql://"
        return create_engine(url, creator=lambda: raw, poolclass=StaticPool)

    def bound_waits(self, raw: Any, seconds: float) -> None:
        """Bound the time that connections wait for a lock; see `Driver.bound_waits`."""
        self._lock_seconds = max(1, round(seconds))
        with raw.cursor() as cursor:
            self._bound_waits_of(cursor)

    def _bound_waits_of(self, cursor: Any) -> None:
        cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {self._lock_seconds}")

    def is_alive(self, raw: Any) -> bool:
        """Return whether a connection can be used again."""
        return bool(raw.open)

    def close(self, raw: Any) -> None:
        """Close a connection, which may be lost already."""
        if raw.open:
            raw.close()

    def identity(self, raw: Any) -> tuple[Any, ...]:
        """Return the identity of the database; see `Driver.identity`."""
        with raw.cursor() as cursor:
            cursor.execute("SELECT @@hostname, @@port, @@datadir, DATABASE()")
            return ("mysql", *cursor.fetchone())

    def damages(self, raw: Any) -> list[str]:  # noqa: ARG002 - the server looks after its files
        """Return nothing; see `Driver.damages`."""
        return []

    def begin(self, connection: Any, *, write: bool) -> Row:
        """Begin; those that write wait for each other, so that none fails at its commit.

        In a cluster a lock holds on one node only. But each of them changes the row that it locks:
        of two that write at once on different nodes, the cluster refuses one, which runs again.
        """
        with connection.cursor() as cursor:
            if self._is_cluster:
                _catch_up(cursor)
            if not write:
                cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
                return ()
            cursor.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
            cursor.execute("START TRANSACTION")
            cursor.execute(TAKE_TURN)
            row: Row = cursor.fetchone()
            return row

    def begin_schema_change(self, connection: Any) -> None:
        """Begin; each statement that changes a table commits at once all the same."""
        connection.begin()

    def pipelined(self, connection: Any) -> AbstractContextManager[Any]:  # noqa: ARG002 - see Driver
        """Do nothing: the protocol has no such thing."""
        return nullcontext()

    def below(self, connection: Any, max_bytes: int) -> AbstractContextManager[None]:  # noqa: ARG002 - see Driver
        """Do nothing: values are measured in the query; see `Driver.refuses_large_values`."""
        return nullcontext()

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
        """Return the error of ours for one of the driver, without SQL or values in its text."""
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

    def inserts(
        self, table: Table, columns: Sequence[str], rows: Sequence[Row], *, on_conflict: str
    ) -> Iterator[Insert]:
        """Yield INSERT statements over many rows; see `Driver.inserts`."""
        conflict = _on_conflict_clause(table, tuple(columns), on_conflict)
        return mysql_statements.inserts(table, columns, rows, self._least_packet(), conflict)


def _variables(cursor: Any, *names: str) -> dict[str, str]:
    """Return those of some variables that the server has."""
    cursor.execute("SHOW VARIABLES WHERE Variable_name IN (%s, %s)", names)
    return dict(cursor.fetchall())


def _catch_up(cursor: Any) -> None:
    """Wait until the node has all that any node has acknowledged."""
    try:
        cursor.execute("SET STATEMENT wsrep_sync_wait = 7 FOR SELECT 1")
    except pymysql.MySQLError as error:
        if error.args[0] == _WAITED_TOO_LONG:
            raise errors.Unavailable(_NO_QUORUM) from error
        raise


def _check_takes_writes(cursor: Any) -> None:
    """Raise Unavailable if another host of the URL is to be tried."""
    cursor.execute("SHOW STATUS LIKE 'wsrep_ready'")
    ready = cursor.fetchone()
    if ready is not None and ready[1] != "ON":
        cursor.execute("SHOW VARIABLES LIKE 'wsrep_on'")
        if cursor.fetchone()[1] == "ON":
            raise errors.Unavailable(_NO_QUORUM)
    cursor.execute("SELECT @@read_only")
    if cursor.fetchone()[0]:
        raise errors.Unavailable("the hosts of the database that answer are read-only replicas")


def _notice_silence(connection: Any) -> None:
    """Let the connection fail when its peer has gone without a word, as at a power cut."""
    stream = getattr(connection, "_sock", None)  # PyMySQL has no name for it
    if stream is not None and stream.family != getattr(socket, "AF_UNIX", None):
        for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 2)):
            if hasattr(socket, name):
                stream.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT_PEER_MS)


def _mariadb() -> Dialect:
    class Dialect_(MariaDBDialect, MySQLDialect_pymysql):  # noqa: N801 - as SQLAlchemy makes it
        supports_statement_cache = True

    return Dialect_()


@lru_cache(maxsize=128)
def _on_conflict_clause(table: Table, columns: tuple[str, ...], on_conflict: str) -> str:
    key = [column.name for column in table.primary_key]
    if on_conflict == "ignore":  # INSERT IGNORE would ignore other errors as well
        return f" ON DUPLICATE KEY UPDATE {key[0]} = {key[0]}"
    if on_conflict == "update":
        changes = ", ".join(f"{c} = VALUES({c})" for c in columns if c not in key)
        return f" ON DUPLICATE KEY UPDATE {changes}"
    return ""
