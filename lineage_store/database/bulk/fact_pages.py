"""The keys of all facts of one kind in one table, page by page."""

from collections.abc import Iterator
from functools import lru_cache

from sqlalchemy import ColumnElement, bindparam, select

from lineage_store.database.bulk.store_contents import Key, greater, key_values
from lineage_store.database.connection import Connection
from lineage_store.database.fact_rows import FactSource
from lineage_store.database.facts import FactKey
from lineage_store.database.statements import Statement

PAGE_FACTS = 4_096


def fact_pages(connection: Connection, source: FactSource) -> Iterator[list[tuple[FactKey, int]]]:
    """Yield the facts of a source in the order of its table: key, and when it was recorded."""
    width = len(source.key)
    after: Key | None = None
    while True:
        statement = _page(source, is_first=after is None, by_ranges=connection.has_slow_row_values)
        bounds = {} if after is None else key_values(after)
        rows = connection.rows(statement, count=PAGE_FACTS, **bounds)
        if rows:
            yield [(tuple(number or 0 for number in row[:width]), row[width]) for row in rows]
        if len(rows) < PAGE_FACTS:
            return
        after = tuple(rows[-1][width + 1 :])


@lru_cache(maxsize=64)
def _page(source: FactSource, *, is_first: bool, by_ranges: bool) -> Statement:
    key = list(source.table.primary_key)
    conditions: list[ColumnElement[bool]] = []
    if not is_first:
        conditions.append(greater(source.table, by_ranges=by_ranges))
    if source.condition is not None:
        conditions.append(source.condition)
    core = select(*source.key, source.table.c[source.stamp], *key).where(*conditions)
    return Statement(core.order_by(*key).limit(bindparam("count")))
