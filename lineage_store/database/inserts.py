"""INSERTs over many rows, which databases write nearly alike."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain

from sqlalchemy import Table

from lineage_store.database.connection import Insert, Row


def inserts_of_values(
    table: str,
    columns: Sequence[str],
    rows: Sequence[Row],
    most: int,
    placeholder: str,
    on_conflict: str,
) -> Iterator[Insert]:
    """Yield INSERTs of at most `most` rows each, whose text has a placeholder for each value."""
    for at in range(0, len(rows), most):
        part = rows[at : at + most]
        text = _insert_text(table, tuple(columns), len(part), placeholder)
        yield text + on_conflict, list(chain.from_iterable(part))


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


@lru_cache(maxsize=1024)
def _insert_text(table: str, columns: tuple[str, ...], count: int, placeholder: str) -> str:
    row = f"({', '.join([placeholder] * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * count)}"  # noqa: S608 - names from our own tables


@lru_cache(maxsize=128)
def on_conflict_clause(table: Table, columns: tuple[str, ...], on_conflict: str) -> str:
    """Return what SQLite and PostgreSQL add to an INSERT; see `Connection.insert`."""
    key = [column.name for column in table.primary_key]
    if on_conflict == "ignore":
        return " ON CONFLICT DO NOTHING"
    if on_conflict == "update":
        changes = ", ".join(f"{c} = excluded.{c}" for c in columns if c not in key)
        return f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
    return ""
