"""Bodies read within bounds: a query leaves out the large ones, and tells the size of each.

So a page can end where its bytes end, and an answer that nobody could take is refused, before a
large body was read.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from sqlalchemy import Table, case, func, literal_column, select

from lineage_store import errors
from lineage_store.database import tables
from lineage_store.database.connection import Connection, Row
from lineage_store.database.statements import ListStatement, slots

INLINE_BYTES = 32 * 1024
"""Bodies of so many bytes come with the query that finds them."""


def sized_body(table: Table) -> list[Any]:
    """Return the columns that end a query for bodies: id, size, and the body unless it is large."""
    size = func.length(table.c.body)
    is_small = size <= literal_column(str(INLINE_BYTES))
    inline = case((is_small, table.c.body), else_=literal_column("NULL"))
    return [table.c.id.label("node_id"), size.label("body_bytes"), inline.label("body")]


def _by_ids(table: Table) -> ListStatement:
    return ListStatement(lambda n: select(table.c.id, table.c.body).where(table.c.id.in_(slots(n))))


_BY_IDS = {table.name: _by_ids(table) for table in (*tables.nodes.values(), tables.cache_entries)}


def size_of(rows: Iterable[Row]) -> int:
    """Return the bytes of the bodies of rows that end as `sized_body` says."""
    sizes: list[int] = [row[-2] for row in rows]
    return sum(sizes)


def fitting(rows: Sequence[Row], max_bytes: int) -> int:
    """Return how many of the first rows have bodies of so many bytes together; one at least."""
    if size_of(rows) <= max_bytes:
        return len(rows)
    sizes = accumulate(row[-2] for row in rows)
    return max(1, len([size for size in sizes if size <= max_bytes]))


def check_answer(size: int, max_bytes: int, advice: str) -> None:
    """Check that an answer is one that can be sent.

    Raises:
        TooLarge: It is larger than the server sends.
    """
    if size > max_bytes:
        raise errors.TooLarge(
            f"the answer has more than {max_bytes} bytes, the most that this server sends "
            f"(--max-message-bytes): {advice}"
        )


def complete(connection: Connection, table: Table, rows: Sequence[Row]) -> list[bytes]:
    """Return the bodies of rows that end as `sized_body` says, the large ones read now."""
    missing = [row[-3] for row in rows if row[-1] is None]
    if not missing:
        return [row[-1] for row in rows]
    large: dict[int, bytes] = dict(connection.rows_of(_BY_IDS[table.name], missing))
    return [large[row[-3]] if row[-1] is None else row[-1] for row in rows]
