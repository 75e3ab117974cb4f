"""Listings: nodes of a kind, of a type or of a context, ordered, a page at a time.

A page is found by its key (the ordering column and the id), never by an offset. Rows that share a
millisecond differ in their id, so no page repeats or skips one. A page ends by its rows or by its
bytes.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, bindparam, or_, select

from lineage_store.database import tables
from lineage_store.database.connection import Row
from lineage_store.database.queries.bodies import small_body
from lineage_store.database.queries.conditions import Condition, Shape, narrowed
from lineage_store.database.statements import Statement
from lineage_store.kinds import NodeKind
from lineage_store.limits import MAX_PAGE

ORDERS = ("id", "create_time", "update_time")

ALL_AT_ONCE = 2_000
"""Rows that are read at once for a listing that is answered whole."""

FIRST_OF_ALL = 128
"""Rows that are read first for one where measuring a body costs reading it."""

PageKey = tuple[int, int]
"""The value of the ordering column and the id of a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageQuery:
    """A query for a page of a listing.

    Attributes:
        kind: The kind of node.
        type_id: Only nodes of this type; None: of any.
        context_id: Only members of this context; None: of any or none.
        condition: Only nodes for which this holds; None: all.
        order_by: One of ORDERS; ties are broken by id in the same direction.
        ascending: The direction of both.
        after: The key of the last row of the page before; None: from the start.
        limit: The most rows.
    """

    kind: NodeKind
    type_id: int | None = None
    context_id: int | None = None
    condition: Condition | None = None
    order_by: str = "id"
    ascending: bool = True
    after: PageKey | None = None
    limit: int = MAX_PAGE


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a listing.

    Attributes:
        bodies: The encoded nodes.
        last: The key of the last row if there are more behind it, else None.
    """

    bodies: list[bytes]
    last: PageKey | None


class Steps:
    """The rows of a listing that are read at once, where measuring a body costs reading it.

    After a page that ended by its bytes, the next one is likely to: no more rows than that had are
    read at first.
    """

    def __init__(self) -> None:
        self._rows: dict[NodeKind, int] = {}

    def first(self, kind: NodeKind, most: int) -> int:
        """Return the number of rows to read first, at most so many."""
        return min(most, self._rows.get(kind, most))

    def note(self, kind: NodeKind, count: int, most: int) -> None:
        """Note the rows of a page, of the most that it could have."""
        if count < most:
            self._rows[kind] = count + 1
        else:
            self._rows.pop(kind, None)


def key_of(row: Row) -> PageKey:
    """Return the key of a row of a listing."""
    return (row[0], row[1])


def list_statement(
    query: PageQuery, rows: int, *, measured: bool = True
) -> tuple[Statement, dict[str, Any]]:
    """Return the statement for the first rows of a listing, and its values.

    Args:
        query: The listing.
        rows: The number of rows.
        measured: Whether the query leaves out large bodies.
    """
    statement = _statement(
        query.kind,
        query.order_by,
        query.ascending,
        query.type_id is not None,
        query.context_id is not None,
        query.after is not None,
        query.condition.shape if query.condition else None,
        measured,
    )
    value, node_id = query.after or (0, 0)
    values = {
        "of_type": query.type_id,
        "of_context": query.context_id,
        "after_value": value,
        "after_id": node_id,
        "rows": rows,
    }
    if query.condition is not None:
        values.update(query.condition.values)
    return statement, values


@lru_cache(maxsize=512)
def _statement(
    kind: NodeKind,
    order_by: str,
    ascending: bool,
    of_type: bool,
    of_context: bool,
    after: bool,
    shape: Shape | None,
    measured: bool,
) -> Statement:
    node = tables.nodes[kind]
    key, node_id = node.c[order_by], node.c.id
    source: FromClause = node
    body = small_body(node) if measured else node.c.body
    core: Select[Any] = select(key.label("page_key"), node.c.id.label("node_id"), body)
    if of_context:
        edges = tables.members[kind]
        member_id = edges.c[f"{kind.name}_id"]
        source = source.join(edges, member_id == node.c.id)
        core = core.where(edges.c.context_id == bindparam("of_context"))
        if order_by == "id" and shape is None:  # the index over members has this order
            key = node_id = member_id
    core = core.select_from(source) if shape is None else narrowed(core, source, shape, node.c.id)
    if of_type:
        core = core.where(node.c.type_id == bindparam("of_type"))
    if after:
        core = core.where(_behind(key, node_id, ascending))
    order = [key] if order_by == "id" else [key, node_id]
    core = core.order_by(*(column if ascending else column.desc() for column in order))
    return Statement(core.limit(bindparam("rows")))


def _behind(
    key: ColumnElement[Any], node_id: ColumnElement[int], ascending: bool
) -> ColumnElement[bool]:
    value: ColumnElement[Any] = bindparam("after_value")
    last: ColumnElement[int] = bindparam("after_id")
    if key is node_id:
        return node_id > last if ascending else node_id < last
    if ascending:
        return and_(key >= value, or_(key > value, node_id > last))
    return and_(key <= value, or_(key < value, node_id < last))
