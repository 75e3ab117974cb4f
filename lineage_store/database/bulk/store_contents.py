"""Everything that a store holds at one moment, read table by table in pages.

Pages go by the primary key and are cut by their bytes as well as their rows, so that a table of any
size takes the memory of one page. The rows of a page are measured before they are read.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache, reduce
from itertools import accumulate
from operator import add
from typing import Any, Self

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from lineage_store import errors
from lineage_store.database import tables
from lineage_store.database.connection import Connection, Row
from lineage_store.database.drivers.urls import driver_for
from lineage_store.database.schema import revisions as schema
from lineage_store.database.sizes import wide_columns
from lineage_store.database.statements import ListStatement, Statement, keys_table, slots
from lineage_store.database.tables import columns_of

Key = tuple[Any, ...]
"""A primary key."""

StoredTable = Table
"""One of `tables.py`, for those who move its rows without speaking SQL."""

FIRST_ROWS = 64
MAX_ROWS = 2_000
PAGE_BYTES = 4 * 1024 * 1024
"""About the bytes of a page; well below the largest message that a server takes."""

INDEXES: frozenset[str] = frozenset(
    {table.name for table in tables.properties.values()}
    | {tables.index_queue.name, tables.cache_components.name}
)
"""Tables that hold nothing beyond the bodies; see `index_rows.py`."""

NOT_CONTENT: frozenset[str] = frozenset(
    {
        schema.REVISION_TABLE,
        tables.counters.name,  # set when all else is there
        tables.writers.name,  # the turns that writers take on one database
    }
)

_REVISION = Statement(select(schema.revision_table.c.version_num))
_COUNTERS = Statement(select(tables.counters.c.name, tables.counters.c.next_id))


def content_tables() -> list[Table]:
    """Return the tables whose rows make up a store, in the order in which they are filled."""
    return [
        table
        for name, table in tables.metadata.tables.items()
        if name not in NOT_CONTENT and name not in INDEXES
    ]


def key_of(table: Table, row: Row) -> Key:
    """Return the primary key of a row."""
    return tuple(row[at] for at in _key_places(table))


def shown_key(table: Table, key: Key) -> str:
    """Return a primary key for people: the names of its columns and their values."""
    values = [value.hex() if isinstance(value, bytes) else value for value in key]
    pairs = zip(table.primary_key, values, strict=True)
    return ", ".join(f"{column.name}={value!r}" for column, value in pairs)


@lru_cache(maxsize=64)
def _key_places(table: Table) -> tuple[int, ...]:
    names = columns_of(table)
    return tuple(names.index(column.name) for column in table.primary_key)


def has_numbers_as_key(table: Table) -> bool:
    """Return whether every database orders the rows of a table alike."""
    return all(isinstance(column.type, Integer) for column in table.primary_key)


def size_of(rows: Sequence[Row]) -> int:
    """Return about how many bytes rows take."""
    return sum(
        8 * len(row) + sum(len(value) for value in row if isinstance(value, (bytes, str)))
        for row in rows
    )


def pages(
    connection: Connection, table: Table, after: Key | None = None, count: int = FIRST_ROWS
) -> Iterator[list[Row]]:
    """Yield the rows of a table by their key, page by page.

    Args:
        connection: Within a transaction.
        table: Of which table.
        after: Only rows whose key is greater.
        count: The most rows of the first page; later ones have as many as their bytes allow.
    """
    while True:
        fitting, is_last = _measured(connection, table, after, count)
        rows = _page(connection, table, after, fitting)
        if rows:
            yield rows
        if is_last or len(rows) < fitting:
            return
        after = key_of(table, rows[-1])
        count = max(1, min(MAX_ROWS, 2 * fitting, fitting * PAGE_BYTES // max(1, size_of(rows))))


def _measured(
    connection: Connection, table: Table, after: Key | None, count: int
) -> tuple[int, bool]:
    """Return how many of the next rows make up a page, and whether they are the last of all."""
    if not wide_columns(table, columns_of(table)):
        return count, False
    sizes = [size for (size,) in _page(connection, table, after, count, sized=True)]
    fitting = max(1, bisect_right(list(accumulate(sizes)), PAGE_BYTES))
    return fitting, fitting >= len(sizes) < count


def _page(
    connection: Connection, table: Table, after: Key | None, count: int, *, sized: bool = False
) -> list[Row]:
    """Return the next rows of a table, or the size of each."""
    if after is None:
        return connection.rows(_first(table, sized=sized), count=count)
    statement = _following(table, by_ranges=connection.has_slow_row_values, sized=sized)
    return connection.rows(statement, count=count, **key_values(after))


def rows_by_keys(connection: Connection, table: Table, keys: Sequence[Key]) -> dict[Key, Row]:
    """Return those rows of a table that have one of these keys, by key."""
    width = len(_key_places(table))
    items: Sequence[Any] = [key[0] for key in keys] if width == 1 else keys
    return {key_of(table, row): row for row in connection.rows_of(_by_keys(table), items)}


def count(connection: Connection, table: Table, after: Key | None = None) -> int:
    """Return how many rows a table has, or how many have a greater key than `after`."""
    if after is None:
        [(row_count,)] = connection.rows(_count(table))
    else:
        statement = _count_following(table, by_ranges=connection.has_slow_row_values)
        [(row_count,)] = connection.rows(statement, **key_values(after))
    return int(row_count)


def counters(connection: Connection) -> dict[str, int]:
    """Return the first id of each sequence that was not leased yet."""
    return {name: int(next_id) for name, next_id in connection.rows(_COUNTERS)}


def key_values(key: Key) -> dict[str, Any]:
    """Return the values of the parameters of `greater`."""
    return {f"k{at}": value for at, value in enumerate(key)}


@lru_cache(maxsize=64)
def _first(table: Table, *, sized: bool) -> Statement:
    core = _selected(table, sized=sized)
    return Statement(core.order_by(*table.primary_key).limit(bindparam("count")))


def _selected(table: Table, *, sized: bool) -> Select[Any]:
    """Return the query for the rows of a table, or for about how many bytes each has."""
    if not sized:
        return select(table)
    columns = [table.c[at] for at in wide_columns(table, columns_of(table))]
    lengths = [func.coalesce(func.length(column), literal_column("0")) for column in columns]
    return select(reduce(add, lengths))


@lru_cache(maxsize=64)
def _following(table: Table, *, by_ranges: bool, sized: bool) -> Statement:
    core = _selected(table, sized=sized).where(greater(table, by_ranges=by_ranges))
    return Statement(core.order_by(*table.primary_key).limit(bindparam("count")))


@lru_cache(maxsize=64)
def _count(table: Table) -> Statement:
    return Statement(select(func.count()).select_from(table))


@lru_cache(maxsize=64)
def _count_following(table: Table, *, by_ranges: bool) -> Statement:
    core = select(func.count()).select_from(table)
    return Statement(core.where(greater(table, by_ranges=by_ranges)))


def greater(table: Table, *, by_ranges: bool) -> ColumnElement[bool]:
    """Return the condition that a key is greater than k0, k1, …, as the index finds it."""
    key = list(table.primary_key)
    bounds = [bindparam(f"k{at}", type_=column.type) for at, column in enumerate(key)]
    if len(key) == 1:
        return key[0] > bounds[0]
    if not by_ranges:
        return tuple_(*key) > tuple_(*bounds)
    ranges = [
        and_(*(key[i] == bounds[i] for i in range(at)), key[at] > bounds[at])
        for at in range(len(key))
    ]
    return or_(*ranges)


@lru_cache(maxsize=64)
def _by_keys(table: Table) -> ListStatement:
    key = list(table.primary_key)
    if len(key) == 1:
        return ListStatement(lambda n: select(table).where(key[0].in_(slots(n))))

    def build(length: int) -> ClauseElement:
        keys = keys_table(key, length)
        match = and_(*(column == keys.c[column.name] for column in key))
        return select(table).select_from(keys.join(table, match))

    return ListStatement(build, width=len(key))


class Contents:
    """One consistent state of a store, for whoever reads it all.

    Args:
        url: The database; it must exist and have the revision of this version.

    Attributes:
        connection: Reads that state until `close`.
        identity: The identity of the database, whatever URL it is reached by.

    Raises:
        SchemaMismatch: The store has another revision.
        FailedPrecondition: The database is empty.
        LineageError: It can't be used, and why.
    """

    def __init__(self, url: str) -> None:
        self._driver = driver_for(url).without_creating()
        if self._driver.is_single:
            raise errors.InvalidArgument("a database in memory holds nothing; name a file")
        self._raw = self._driver.connect()
        try:
            with schema.translated(self._driver):
                self._check_revision()
            self.identity = self._driver.identity(self._raw)
            self.connection = Connection(self._raw, self._driver)
            self.connection.begin(write=False)
            schema.check_revision(self.connection.rows(_REVISION)[0][0])
        except BaseException:
            self._driver.close(self._raw)
            raise

    def _check_revision(self) -> None:
        with self._driver.core_engine(self._raw).connect() as connection:
            revision = schema.current_revision(connection)
        if revision is None:
            raise errors.FailedPrecondition(
                "the database is empty; `lineage-store db upgrade` makes a store of it"
            )
        schema.check_revision(revision)

    def close(self) -> None:
        """Close the connection."""
        self._driver.close(self._raw)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
