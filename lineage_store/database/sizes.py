"""Sizes of rows: statements are kept below the bounds of a database, and too large rows refused."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from sqlalchemy import LargeBinary, Table, Text

from lineage_store import errors
from lineage_store.database.connection import Row


class RowTooLarge(errors.InvalidArgument):
    """A row is larger than the database takes.

    Args:
        table: Its table.
        sizes: The bytes of each of its columns that are not small.
        bound: The bound, such as "in one packet of the database".
    """

    def __init__(self, table: str, sizes: dict[str, int], bound: str) -> None:
        shown = ", ".join(f"{name} {size}" for name, size in sizes.items())
        super().__init__(
            f"a row of {table} has {sum(sizes.values())} bytes ({shown}), which do not fit {bound}"
        )


class LostInLargeStatement(errors.Unavailable):
    """The connection was lost while a large statement was sent: its size may be the reason.

    Args:
        size: Bytes of the statement.
    """

    def __init__(self, size: int) -> None:
        super().__init__(
            f"the connection to the database was lost during a statement of {size} bytes; does "
            "the database, or a proxy before it, take so many?"
        )
        self.size = size


@lru_cache(maxsize=256)
def wide_columns(table: Table, columns: tuple[str, ...]) -> tuple[int, ...]:
    """Return the places of those columns whose values may have any length."""
    return tuple(at for at, name in enumerate(columns) if _is_wide(table, name))


def _is_wide(table: Table, name: str) -> bool:
    kind = table.c[name].type
    return isinstance(kind, (LargeBinary, Text)) and getattr(kind, "length", None) is None


def rows_bytes(rows: Sequence[Row], places: Sequence[int]) -> int:
    """Return about how many bytes the values at some places of rows have."""
    return sum([len(row[at]) for at in places for row in rows if row[at] is not None])


def column_sizes(columns: Sequence[str], row: Row) -> dict[str, int]:
    """Return the bytes of the texts and bodies of a row, the largest first, small ones left out."""
    sizes = {
        name: len(value.encode() if isinstance(value, str) else value)
        for name, value in zip(columns, row, strict=True)
        if isinstance(value, (bytes, str)) and len(value) >= _SMALL
    }
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))


_SMALL = 1024
"""Bytes below which a value is not to blame for the size of a row."""


def parts_by_bytes(
    rows: Sequence[Row], places: Sequence[int], max_rows: int, max_bytes: int
) -> Iterator[Sequence[Row]]:
    """Yield rows in parts of at most so many rows and about so many bytes, one row at least."""
    for at in range(0, len(rows), max_rows):
        part = rows[at : at + max_rows]
        if not places or rows_bytes(part, places) <= max_bytes:
            yield part
        else:
            yield from _split(part, places, max_bytes)


def _split(rows: Sequence[Row], places: Sequence[int], max_bytes: int) -> Iterator[Sequence[Row]]:
    begin = size = 0
    for at, row in enumerate(rows):
        more = rows_bytes([row], places)
        if at > begin and size + more > max_bytes:
            yield rows[begin:at]
            begin, size = at, 0
        size += more
    yield rows[begin:]
