"""The text of an INSERT over many rows, which SQLite and PostgreSQL write alike."""

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import Table


def insert_texts(
    table: Table,
    columns: Sequence[str],
    count: int,
    *,
    most: int,
    on_conflict: str,
    placeholder: str,
) -> list[tuple[str, int]]:
    """Return INSERTs of at most `most` rows each, for `count` rows; see `Driver.insert_texts`."""
    sizes = [most] * (count // most) + ([count % most] if count % most else [])
    key = tuple(column.name for column in table.primary_key)
    return [
        (insert_text(table.name, tuple(columns), key, size, on_conflict, placeholder), size)
        for size in sizes
    ]


@lru_cache(maxsize=1024)
def insert_text(
    table: str,
    columns: tuple[str, ...],
    key: tuple[str, ...],
    count: int,
    on_conflict: str,
    placeholder: str,
) -> str:
    """Return the INSERT of `count` rows; see `Connection.insert` for `on_conflict`."""
    row = f"({', '.join([placeholder] * len(columns))})"
    text = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * count)}"  # noqa: S608 - names from our own tables
    if on_conflict == "ignore":
        return f"{text} ON CONFLICT DO NOTHING"
    if on_conflict == "update":
        changes = ", ".join(f"{c} = excluded.{c}" for c in columns if c not in key)
        return f"{text} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
    return text
