"""INSERTs over many rows, which databases write nearly alike."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from sqlalchemy import Table

from lineage_store.database.connection import Row
from lineage_store.database.sizes import (
    RowTooLarge,
    column_sizes,
    parts_by_bytes,
    rows_bytes,
    wide_columns,
)

STATEMENT_BYTES = 16 * 1024 * 1024
"""About the bytes of rows in one INSERT: they are held in memory while they are sent."""


def insert_parts(
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Row],
    max_rows: int,
    max_row_bytes: int,
) -> Iterable[Sequence[Row]]:
    """Return rows in parts that one INSERT takes.

    Args:
        table: Their table.
        columns: The columns that each row has, in its order.
        rows: The rows.
        max_rows: The rows of one INSERT.
        max_row_bytes: The bytes of one row.

    Raises:
        RowTooLarge: A row is larger, and which.
    """
    places = wide_columns(table, tuple(columns))
    most = min(STATEMENT_BYTES, max_row_bytes)
    if len(rows) <= max_rows and (not places or rows_bytes(rows, places) <= most):
        return (rows,)  # as a rule
    return _split_parts(table, columns, rows, max_rows, max_row_bytes)


def _split_parts(
    table: Table, columns: Sequence[str], rows: Sequence[Row], max_rows: int, max_row_bytes: int
) -> Iterator[Sequence[Row]]:
    places = wide_columns(table, tuple(columns))
    for part in parts_by_bytes(rows, places, max_rows, STATEMENT_BYTES):
        if places and rows_bytes(part, places) > max_row_bytes:  # then it is one row
            sizes = column_sizes(columns, part[0])
            raise RowTooLarge(table.name, sizes, f"into one row ({max_row_bytes} bytes)")
        yield part


@lru_cache(maxsize=1024)
def insert_text(table: Table, columns: tuple[str, ...], count: int, on_conflict: str) -> str:
    """Return an INSERT of so many rows, with a "?" for each value."""
    row = f"({', '.join(['?'] * len(columns))})"
    text = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES {', '.join([row] * count)}"  # noqa: S608 - names from our own tables
    return text + on_conflict_clause(table, columns, on_conflict)


def in_few_sizes(rows: Sequence[Row], most: int = 256) -> Iterator[Sequence[Row]]:
    """Yield rows in parts whose lengths are powers of two, the longest first.

    Whoever inserts parts of every length leaves a prepared statement of hundreds of kilobytes for
    each of them; of these there are nine.
    """
    at = 0
    size = most
    while at < len(rows):
        while size > len(rows) - at:
            size //= 2
        yield rows[at : at + size]
        at += size


@lru_cache(maxsize=128)
def on_conflict_clause(table: Table, columns: tuple[str, ...], on_conflict: str) -> str:
    """Return the end of an INSERT on SQLite and PostgreSQL; see `Connection.insert`."""
    key = [column.name for column in table.primary_key]
    if on_conflict == "ignore":
        return " ON CONFLICT DO NOTHING"
    if on_conflict == "update":
        changes = ", ".join(f"{c} = excluded.{c}" for c in columns if c not in key)
        return f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
    return ""
