"""Statements of MySQL and MariaDB, rendered to the bytes that are sent and bounded by a packet.

A server reads a statement as one packet of at most `max_allowed_packet` bytes. It refuses a larger
one, or cuts the connection, which looks like an outage. So the size of every statement is known
before any of it is sent. Values are quoted, not written in hexadecimal, which would double them.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pymysql.converters import escape_float
from pymysql.cursors import Cursor
from pymysql.err import MySQLError
from sqlalchemy import Table

from lineage_store import errors
from lineage_store.database.connection import Insert, Row
from lineage_store.database.drivers.mysql_numbers import Plain, as_held
from lineage_store.database.sizes import LostInLargeStatement, RowTooLarge, column_sizes

MAX_ROWS = 1_000
"""Rows in one INSERT."""

STATEMENT_BYTES = 4 * 1024 * 1024
"""About how many bytes of rows one INSERT has, where the server takes so many."""

LARGE_STATEMENT_BYTES = 1024 * 1024
"""From here on the size of a statement may be why a connection is lost while it is sent: a proxy
may take less than the server behind it."""

PACKET_RESERVE = 1024
"""Bytes of a packet that no statement uses: the protocol has some of them."""

_LOST = frozenset({1153, 2006, 2013})
_GROWTH = 4, 3
"""By how much base64 makes a value larger, which no value grows by more."""

Renderer = Callable[[Any], bytes]


class Literal(bytes):
    """A part of a statement that is rendered already."""


def _float(value: float) -> bytes:
    """Return a number as SQL; see `mysql_numbers.py` for those that there is no room for."""
    number = as_held(value)
    return b"NULL" if number is None else _plain(number)


def _plain(value: float) -> bytes:
    text: str = escape_float(float(value))
    return text.encode()


def _quoted(value: bytes) -> bytes:
    """Return bytes between quotes; the server asks for no other character to be escaped."""
    return b"'%b'" % value.replace(b"\\", b"\\\\").replace(b"'", b"\\'")


_RENDERERS: dict[type, Renderer] = {
    int: lambda value: b"%d" % value,
    str: lambda value: _quoted(value.encode()),
    bytes: lambda value: b"_binary" + _quoted(value),
    type(None): lambda _: b"NULL",
    bool: lambda value: b"%d" % value,
    float: _float,
    Plain: _plain,
    Literal: lambda value: value,
}


def _rendered(value: Any) -> bytes:
    """Return a value of a row as SQL."""
    render = _RENDERERS.get(type(value))
    return b"%d" % value if render is None else render(value)  # a member of an IntEnum


def _compact(value: Any) -> bytes:
    """Return a value as SQL that is at most a third longer, whatever must be escaped in it."""
    plain = _rendered(value)
    if not isinstance(value, (bytes, str)):
        return plain
    raw = value.encode() if isinstance(value, str) else value
    if len(plain) * _GROWTH[1] <= len(raw) * _GROWTH[0]:
        return plain
    decoded = b"FROM_BASE64('%b')" % b64encode(raw)
    return decoded if isinstance(value, bytes) else b"CONVERT(%b USING utf8mb4)" % decoded


def max_row_bytes(max_packet_bytes: int) -> int:
    """Return the bytes that the values of a row may have so that a packet surely holds it."""
    return max(0, max_packet_bytes - 16 * PACKET_RESERVE) * _GROWTH[1] // _GROWTH[0]


def inserts(
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Row],
    max_packet_bytes: int,
    on_conflict: str,
) -> Iterator[Insert]:
    """Yield INSERTs that a server takes, each with as many rows as fit.

    Raises:
        RowTooLarge: A row does not fit into a packet, and which.
    """
    head = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES "  # noqa: S608 - names from our own tables
    most = max_packet_bytes - 2 * PACKET_RESERVE - len(head) - len(on_conflict)
    part: list[Literal] = []
    size = 0
    for row in rows:
        rendered = _row(row, most)
        if len(rendered) > most:
            raise RowTooLarge(
                table.name,
                column_sizes(columns, row),
                f"in one packet of the database (max_allowed_packet is {max_packet_bytes})",
            )
        if part and (len(part) >= MAX_ROWS or size + len(rendered) > min(most, STATEMENT_BYTES)):
            yield _insert(head, part, on_conflict)
            part, size = [], 0
        part.append(rendered)
        size += len(rendered) + 2
    if part:
        yield _insert(head, part, on_conflict)


def _insert(head: str, part: list[Literal], on_conflict: str) -> Insert:
    return head + ", ".join(["%s"] * len(part)) + on_conflict, part


def _row(row: Row, most: int) -> Literal:
    plain = Literal(b"(%b)" % b", ".join(map(_rendered, row)))
    if len(plain) <= most:
        return plain
    return Literal(b"(%b)" % b", ".join(map(_compact, row)))


class PacketCursor(Cursor):
    """A cursor that sends values as they are, and no statement that the server can't take."""

    def execute(self, query: Any, args: Any = None) -> int:
        """Run a statement; see `pymysql.cursors.Cursor.execute`.

        Raises:
            InvalidArgument: It is larger than a packet; nothing of it was sent.
            LostInLargeStatement: The connection was lost, perhaps because of its size.
        """
        statement = self._statement(query, args)
        most = self.connection.max_allowed_packet - PACKET_RESERVE
        if len(statement) > most:
            raise errors.InvalidArgument(
                f"the request makes a statement of {len(statement)} bytes; the database takes "
                f"{most} (max_allowed_packet): ask for less at once"
            )
        try:
            return super().execute(statement)
        except MySQLError as error:
            if len(statement) >= LARGE_STATEMENT_BYTES and error.args and error.args[0] in _LOST:
                raise LostInLargeStatement(len(statement)) from error
            raise

    def _statement(self, query: Any, args: Any) -> Any:
        if isinstance(args, dict):
            query = self.mogrify(query, args)
        encoded = query.encode() if isinstance(query, str) else query
        if args is None or isinstance(args, dict):
            return encoded
        return encoded % tuple([self._argument(value) for value in args])

    def _argument(self, value: Any) -> bytes:
        render = _RENDERERS.get(type(value))
        if render is not None:
            return render(value)
        text: str = self.connection.escape(value)
        return text.encode()
