"""Bodies read within bounds: a query leaves out the large ones; they are measured, then read.

So a page can end where its bytes end, and an answer that nobody could take is refused in time. As
a rule no body is large, and then this costs nothing.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from sqlalchemy import ColumnElement, Table, case, func, literal_column, select

from lineage_store import errors
from lineage_store.database import tables
from lineage_store.database.connection import Connection, Row
from lineage_store.database.statements import ListStatement, slots

INLINE_BYTES = 28 * 1024
"""Bodies of so many bytes come with the query that finds them; those of a page all fit into it."""


def small_body(table: Table) -> ColumnElement[bytes]:
    """Return the column of the bodies that are not large; NULL stands for one that is."""
    is_small = func.length(table.c.body) <= literal_column(str(INLINE_BYTES))
    return case((is_small, table.c.body), else_=literal_column("NULL")).label("body")


def _of_ids(table: Table, value: ColumnElement[Any]) -> ListStatement:
    return ListStatement(lambda n: select(table.c.id, value).where(table.c.id.in_(slots(n))))


_TABLES = (*tables.nodes.values(), tables.cache_entries)
_SIZES = {table.name: _of_ids(table, func.length(table.c.body)) for table in _TABLES}
_BODIES = {table.name: _of_ids(table, table.c.body) for table in _TABLES}


def inline_bodies(rows: Sequence[Row], max_bytes: int) -> list[bytes] | None:
    """Return the bodies that came with rows; None if one did not, or they may have more bytes."""
    if len(rows) * INLINE_BYTES > max_bytes:
        return None
    bodies = [row[-1] for row in rows]
    return bodies if all(bodies) else None  # no body is empty: each has an id


class Bodies:
    """The bodies of rows whose last column is `small_body`.

    Args:
        connection: The connection that the rows were read from.
        table: Their table.
        rows: The rows.
        at: The place of the id in each.
    """

    def __init__(self, connection: Connection, table: Table, rows: Sequence[Row], at: int) -> None:
        self._connection = connection
        self._table = table
        self._bodies: list[bytes | None] = [row[-1] for row in rows]
        self._ids = [row[at] for row in rows] if None in self._bodies else []

    def fitting(self, max_bytes: int) -> int:
        """Return the number of first bodies that have so many bytes together; one at least."""
        if self._surely_fit(max_bytes):
            return len(self._bodies)
        return max(1, bisect_right(list(accumulate(self._sizes())), max_bytes))

    def size(self, max_bytes: int) -> int:
        """Return how many bytes all have together, 0 if they surely have no more than so many."""
        return 0 if self._surely_fit(max_bytes) else sum(self._sizes())

    def read(self, count: int | None = None) -> list[bytes]:
        """Return the first bodies, or all; the large ones are read now."""
        bodies: list[Any] = self._bodies[:count]
        if self._ids:
            large = self._of_large(_BODIES, self._ids[:count])
            pairs = zip(self._ids, bodies, strict=False)
            bodies = [large[node_id] if body is None else body for node_id, body in pairs]
        return bodies

    def _surely_fit(self, max_bytes: int) -> bool:
        return not self._ids and len(self._bodies) * INLINE_BYTES <= max_bytes

    def _sizes(self) -> list[int]:
        if not self._ids:
            return [len(body or b"") for body in self._bodies]
        large = self._of_large(_SIZES, self._ids)
        pairs = zip(self._ids, self._bodies, strict=True)
        return [large[i] if body is None else len(body) for i, body in pairs]

    def _of_large(self, statements: dict[str, ListStatement], ids: list[int]) -> dict[int, Any]:
        large_ids = [i for i, body in zip(ids, self._bodies, strict=False) if body is None]
        return dict(self._connection.rows_of(statements[self._table.name], large_ids))


def check_answer(size: int, max_bytes: int, advice: str) -> None:
    """Check that an answer can be sent.

    Raises:
        TooLarge: It is larger than the server sends.
    """
    if size > max_bytes:
        raise errors.TooLarge(
            f"the answer has more than {max_bytes} bytes, the most that this server sends "
            f"(--max-message-bytes): {advice}"
        )
