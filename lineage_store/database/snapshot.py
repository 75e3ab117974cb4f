"""What a read sees: one consistent state, answered as encoded messages."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from lineage_store.database import tables
from lineage_store.database.connection import Connection
from lineage_store.database.listing import Page, PageQuery, list_statement
from lineage_store.database.node_rows import uri_hash
from lineage_store.database.statements import ListStatement, Statement, slots
from lineage_store.database.types import TypeCache, TypeReader
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION, KINDS, NodeKind

Body = bytes
"""The encoded message of a node or event."""

_artifacts = tables.nodes[ARTIFACT]
_contexts = tables.nodes[CONTEXT]
_parents = tables.parent_contexts

_BY_URI = ListStatement(
    lambda n: select(_artifacts.c.id, _artifacts.c.uri, _artifacts.c.body).where(
        _artifacts.c.uri_hash.in_(slots(n))
    )
)


def _events_of(kind: NodeKind) -> ListStatement:
    events = tables.events
    column = events.c[f"{kind.name}_id"]
    return ListStatement(
        lambda n: select(column, events.c.id, events.c.body).where(column.in_(slots(n)))
    )


_EVENTS = {kind: _events_of(kind) for kind in (ARTIFACT, EXECUTION)}


class _NodeStatements:
    def __init__(self, kind: NodeKind) -> None:
        node = tables.nodes[kind]
        self.by_ids = ListStatement(
            lambda n: (
                select(node.c.id, node.c.type_id, node.c.body)
                .where(node.c.id.in_(slots(n)))
                .order_by(node.c.id)
            )
        )
        self.by_external_ids = ListStatement(
            lambda n: select(node.c.id, node.c.body).where(node.c.external_id.in_(slots(n)))
        )
        self.by_name = Statement(
            select(node.c.body).where(
                node.c.type_id == bindparam("of_type"), node.c.name == bindparam("named")
            )
        )


_NODES = {kind: _NodeStatements(kind) for kind in KINDS}


def _neighbours(edges: Any, given: str, sought: str, kind: NodeKind) -> ListStatement:
    node = tables.nodes[kind]
    return ListStatement(
        lambda n: (
            select(edges.c[given], node.c.id, node.c.body)
            .select_from(edges.join(node, node.c.id == edges.c[sought]))
            .where(edges.c[given].in_(slots(n)))
        )
    )


_CONTEXTS_OF = {
    kind: _neighbours(tables.members[kind], f"{kind.name}_id", "context_id", CONTEXT)
    for kind in (ARTIFACT, EXECUTION)
}
_PARENTS_OF = _neighbours(_parents, "child_id", "parent_id", CONTEXT)
_CHILDREN_OF = _neighbours(_parents, "parent_id", "child_id", CONTEXT)


class Snapshot:
    """One consistent state of the store.

    Attributes:
        types: Types by name, id and external id.
    """

    def __init__(self, connection: Connection, cache: TypeCache) -> None:
        self._connection = connection
        self._cache = cache
        self.types = TypeReader(connection)

    def nodes_by_ids(self, kind: NodeKind, ids: Iterable[int]) -> list[tuple[int, Body]]:
        """Return type id and body of the nodes that exist, ordered by id, each once."""
        rows = self._connection.rows_of(_NODES[kind].by_ids, sorted(set(ids)))
        return [(type_id, body) for _, type_id, body in rows]

    def nodes_by_external_ids(self, kind: NodeKind, external_ids: Iterable[str]) -> list[Body]:
        """Return the nodes with these external ids, ordered by id."""
        rows = self._connection.rows_of(_NODES[kind].by_external_ids, sorted(set(external_ids)))
        return [body for _, body in sorted(rows)]

    def node_by_name(self, kind: NodeKind, type_id: int, name: str) -> Body | None:
        """Return the node of this type and name, or None."""
        rows = self._connection.rows(_NODES[kind].by_name, of_type=type_id, named=name)
        return rows[0][0] if rows else None

    def artifacts_by_uris(self, uris: Iterable[str]) -> list[Body]:
        """Return the artifacts at these exact uris, ordered by id."""
        wanted = {uri_hash(uri): uri for uri in uris}
        rows = self._connection.rows_of(_BY_URI, list(wanted))
        return [body for _, uri, body in sorted(rows) if wanted.get(uri_hash(uri)) == uri]

    def events(self, kind: NodeKind, ids: Iterable[int]) -> list[Body]:
        """Return the events of these artifacts or executions, by their id, then as recorded."""
        rows = self._connection.rows_of(_EVENTS[kind], sorted(set(ids)))
        return [body for _, _, body in sorted(rows)]

    def contexts_of(self, kind: NodeKind, node_id: int) -> list[Body]:
        """Return the contexts that an artifact or execution belongs to, ordered by id."""
        return self._bodies(_CONTEXTS_OF[kind], node_id)

    def parents_of(self, context_ids: Sequence[int]) -> dict[int, list[Body]]:
        """Return the direct parents of contexts that have any, each list ordered by id."""
        return self._grouped(_PARENTS_OF, context_ids)

    def children_of(self, context_ids: Sequence[int]) -> dict[int, list[Body]]:
        """Return the direct children of contexts that have any, each list ordered by id."""
        return self._grouped(_CHILDREN_OF, context_ids)

    def page(self, query: PageQuery) -> Page:
        """Return one page of a listing."""
        statement, values = list_statement(query)
        rows = self._connection.rows(statement, **values)
        return Page.cut(rows, query.limit)

    def _bodies(self, statement: ListStatement, node_id: int) -> list[Body]:
        rows = self._connection.rows_of(statement, [node_id])
        return [body for _, _, body in sorted(rows)]

    def _grouped(self, statement: ListStatement, ids: Sequence[int]) -> dict[int, list[Body]]:
        found: dict[int, list[Body]] = {}
        for given, _, body in sorted(self._connection.rows_of(statement, sorted(set(ids)))):
            found.setdefault(given, []).append(body)
        return found
