"""All that a finished store holds, read in pages and in the order of the keys."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import FromClause, Table, and_, bindparam, func, or_, select

from lineage_store.database import tables
from lineage_store.database.bulk.store_contents import pages
from lineage_store.database.connection import Connection
from lineage_store.database.drivers.urls import driver_for
from lineage_store.database.schema import revisions as schema
from lineage_store.database.staging.types import StoredType
from lineage_store.database.statements import ListStatement, Statement, slots
from lineage_store.database.tables import columns_of
from lineage_store.kinds import BY_NUMBER, KINDS, NodeKind

PAGE = 500
"""Nodes or events that are read at a time, fewer if they are large."""

EDGE_PAGE = 5_000
"""Attributions, associations or parent contexts that are read at a time."""

Pair = tuple[int, int]

COUNTED = (
    *tables.nodes.values(),
    tables.events,
    *tables.members.values(),
    tables.parent_contexts,
    tables.node_versions,
    tables.type_versions,
    tables.cache_entries,
    tables.cache_claims,
    tables.cache_hits,
    tables.artifact_reports,
    tables.artifact_report_versions,
)


def existing_ids(connection: Connection, kind: NodeKind, ids: Iterable[int]) -> set[int]:
    """Return which of some ids are those of nodes."""
    candidate_ids = list(dict.fromkeys(ids))
    return {node_id for (node_id,) in connection.rows_of(_EXISTING[kind], candidate_ids)}


class StorePages:
    """One consistent state of a store.

    Args:
        url: Its database URL.

    Raises:
        SchemaMismatch: It must be upgraded first, or is not complete.
        FailedPrecondition: It is empty.
        LineageError: It can't be opened, and why.
    """

    def __init__(self, url: str) -> None:
        self._driver = driver_for(url).without_creating()
        self._raw = self._driver.connect()
        try:
            schema.open_existing(self._driver, self._raw)
        except BaseException:
            self._driver.close(self._raw)
            raise
        self._connection = Connection(self._raw, self._driver)
        self._connection.begin(write=False)

    @property
    def max_row_bytes(self) -> int:
        """Bytes that the values of one row may have."""
        return self._driver.max_row_bytes

    def counts(self) -> dict[str, int]:
        """Return how many rows the tables have, by their names."""
        return {
            table.name: self._connection.rows(Statement(select(func.count()).select_from(table)))[
                0
            ][0]
            for table in COUNTED
        }

    def types(self) -> list[StoredType]:
        """Return all types, by id."""
        rows = self._connection.rows(_TYPES)
        kinds = ((BY_NUMBER[number], body) for number, body in rows)
        return [StoredType(kind, kind.type_message.FromString(body)) for kind, body in kinds]

    def nodes(self, kind: NodeKind, after: int) -> list[tuple[int, bytes]]:
        """Return id and body of the next nodes behind an id, by id."""
        return self._page(tables.nodes[kind], after)

    def events(self, after: int) -> list[tuple[int, bytes]]:
        """Return id and body of the next events behind an id, by id."""
        return self._page(tables.events, after)

    def members(self, kind: NodeKind, after: Pair) -> list[Pair]:
        """Return the next pairs of context and node behind a pair, in order."""
        return self._pairs(_MEMBERS[kind], after)

    def parents(self, after: Pair) -> list[Pair]:
        """Return the next pairs of child and parent context behind a pair, in order."""
        return self._pairs(_PARENTS, after)

    def existing(self, kind: NodeKind, ids: Iterable[int]) -> set[int]:
        """Return which of some ids are those of nodes."""
        return existing_ids(self._connection, kind, ids)

    def close(self) -> None:
        """Close the connection."""
        self._driver.close(self._raw)

    def _page(self, table: Table, after: int) -> list[tuple[int, bytes]]:
        at = columns_of(table).index("body")
        page = next(pages(self._connection, table, (after,), PAGE), [])
        return [(row[0], bytes(row[at])) for row in page]

    def _pairs(self, statement: Statement, after: Pair) -> list[Pair]:
        rows = self._connection.rows(statement, after_left=after[0], after_right=after[1])
        return [(left, right) for left, right in rows]


def _pairs_of(table: Table) -> Statement:
    left, right = table.primary_key.columns
    after_left: Any = bindparam("after_left")
    after_right: Any = bindparam("after_right")
    # Two conditions instead of a comparison of pairs, for which MySQL uses no index.
    behind = and_(left >= after_left, or_(left > after_left, right > after_right))
    return Statement(select(left, right).where(behind).order_by(left, right).limit(EDGE_PAGE))


def _existing(node: FromClause) -> ListStatement:
    return ListStatement(lambda n: select(node.c.id).where(node.c.id.in_(slots(n))))


_TYPES = Statement(select(tables.types.c.kind, tables.types.c.body).order_by(tables.types.c.id))
_MEMBERS = {kind: _pairs_of(table) for kind, table in tables.members.items()}
_PARENTS = _pairs_of(tables.parent_contexts)
_EXISTING = {kind: _existing(tables.nodes[kind]) for kind in KINDS}
