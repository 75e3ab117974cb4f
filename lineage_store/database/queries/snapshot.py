"""Snapshots: one consistent state of the store, answered as encoded messages."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from sqlalchemy import FromClause, bindparam, select

from lineage_store.database import tables
from lineage_store.database.connection import Connection, Row
from lineage_store.database.queries.bodies import (
    INLINE_BYTES,
    Bodies,
    check_answer,
    inline_bodies,
    small_body,
)
from lineage_store.database.queries.conditions import Condition, Shape, narrowed
from lineage_store.database.queries.listing import (
    ALL_AT_ONCE,
    FIRST_OF_ALL,
    Page,
    PageQuery,
    Steps,
    key_of,
    list_statement,
)
from lineage_store.database.staging.node_rows import uri_hash
from lineage_store.database.staging.types import TypeReader
from lineage_store.database.statements import MAX_VALUES, ListStatement, Statement, slots
from lineage_store.database.upkeep.property_index import IndexIsBehind, has_queue
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION, KINDS, NodeKind
from lineage_store.limits import PAGE_BYTES, UNBOUNDED, FilterLimits

Body = bytes
"""The encoded message of a node or event."""

FEW = 4
"""Nodes that are read at once whatever their size: each is bounded, see `limits.NodeLimits`."""

_artifacts = tables.nodes[ARTIFACT]
_contexts = tables.nodes[CONTEXT]
_parents = tables.parent_contexts
_types = tables.types

_BY_URI = ListStatement(
    lambda n: select(_artifacts.c.id, _artifacts.c.uri, small_body(_artifacts)).where(
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
                select(node.c.id, node.c.type_id, small_body(node))
                .where(node.c.id.in_(slots(n)))
                .order_by(node.c.id)
            )
        )
        self.by_few_ids = ListStatement(
            lambda n: (
                select(node.c.id, node.c.type_id, node.c.body)
                .where(node.c.id.in_(slots(n)))
                .order_by(node.c.id)
            )
        )
        self.by_external_ids = ListStatement(
            lambda n: select(node.c.id, small_body(node)).where(node.c.external_id.in_(slots(n)))
        )
        self.by_name = Statement(
            select(node.c.body)
            .join(_types, _types.c.id == node.c.type_id)
            .where(
                _types.c.kind == bindparam("kind_number"),
                _types.c.name == bindparam("type_name"),
                _types.c.version == bindparam("type_version"),
                node.c.name == bindparam("named"),
            )
        )


_NODES = {kind: _NodeStatements(kind) for kind in KINDS}


def _neighbours(edges: FromClause, near: str, far: str, kind: NodeKind) -> ListStatement:
    node = tables.nodes[kind]
    return ListStatement(
        lambda n: (
            select(edges.c[near], node.c.id, small_body(node))
            .select_from(edges.join(node, node.c.id == edges.c[far]))
            .where(edges.c[near].in_(slots(n)))
        )
    )


_CONTEXTS_OF = {
    kind: _neighbours(tables.members[kind], f"{kind.name}_id", "context_id", CONTEXT)
    for kind in (ARTIFACT, EXECUTION)
}
_PARENTS_OF = _neighbours(_parents, "child_id", "parent_id", CONTEXT)
_CHILDREN_OF = _neighbours(_parents, "parent_id", "child_id", CONTEXT)


@lru_cache(maxsize=256)
def _matching_statement(kind: NodeKind, shape: Shape) -> Statement:
    node = tables.nodes[kind]
    return Statement(narrowed(select(node.c.id), node, shape, node.c.id))


@lru_cache(maxsize=256)
def _matching_among(kind: NodeKind, shape: Shape) -> ListStatement:
    node = tables.nodes[kind]
    core = narrowed(select(node.c.id), node, shape, node.c.id)
    return ListStatement(lambda n: core.where(node.c.id.in_(slots(n))))


@dataclass(frozen=True, slots=True, eq=False)
class ReadSettings:
    """The part of a snapshot that all snapshots of a store share.

    Attributes:
        filter_limits: The bounds of filters on this store.
        max_bytes: Bytes of all bodies that an answer may have.
        steps: The sizes of the last pages of listings.
        large_kinds: The kinds of nodes of which a listing met a large body.
    """

    filter_limits: FilterLimits
    max_bytes: int = UNBOUNDED
    steps: Steps = field(default_factory=Steps)
    large_kinds: set[NodeKind] = field(default_factory=set)


class Snapshot:
    """One consistent state of the store.

    Args:
        connection: The connection that it reads from.
        settings: The bounds of its answers.
        index_is_complete: Whether all that was acknowledged is known to be indexed; if not, the
            first query over properties looks, and may raise IndexIsBehind.

    Attributes:
        connection: The connection that it reads from.
    """

    __slots__ = ("_index_is_complete", "_settings", "connection")

    def __init__(
        self, connection: Connection, settings: ReadSettings, *, index_is_complete: bool = False
    ) -> None:
        self.connection = connection
        self._settings = settings
        self._index_is_complete = index_is_complete

    @property
    def types(self) -> TypeReader:
        """Types by name, id and external id."""
        return TypeReader(self.connection)

    @property
    def filter_limits(self) -> FilterLimits:
        """The bounds of filters on this store."""
        return self._settings.filter_limits

    def nodes_by_ids(self, kind: NodeKind, ids: Collection[int]) -> list[tuple[int, Body]]:
        """Return type id and body of the nodes that exist, ordered by id, each once."""
        if len(ids) <= FEW:  # the bodies of a few nodes need not be measured before
            rows = self.connection.rows_of(_NODES[kind].by_few_ids, sorted(set(ids)))
            return [(type_id, body) for _, type_id, body in rows]
        return [row[1:] for row in self.with_bodies(kind, _NODES[kind].by_ids, sorted(set(ids)))]

    def nodes_by_external_ids(self, kind: NodeKind, external_ids: Iterable[str]) -> list[Body]:
        """Return the nodes with these external ids, ordered by id."""
        statement = _NODES[kind].by_external_ids
        rows = self.with_bodies(kind, statement, sorted(set(external_ids)))
        return [row[-1] for row in sorted(rows)]

    def node_by_name(
        self, kind: NodeKind, type_name: str, type_version: str, name: str
    ) -> Body | None:
        """Return the node of this type and name, or None; the version is "" for none."""
        rows = self.connection.rows(
            _NODES[kind].by_name,
            kind_number=kind.number,
            type_name=type_name,
            type_version=type_version,
            named=name,
        )
        return rows[0][0] if rows else None

    def artifacts_by_uris(self, uris: Iterable[str]) -> list[Body]:
        """Return the artifacts at these exact uris, ordered by id."""
        uris_by_hash = {uri_hash(uri): uri for uri in uris}
        rows = self.with_bodies(ARTIFACT, _BY_URI, list(uris_by_hash))
        exact_rows = [row for row in rows if uris_by_hash.get(uri_hash(row[1])) == row[1]]
        return [row[-1] for row in sorted(exact_rows)]

    def events(self, kind: NodeKind, ids: Iterable[int]) -> list[Body]:
        """Return the events of these artifacts or executions, by their id, then as recorded."""
        rows = self.connection.rows_of(_EVENTS[kind], sorted(set(ids)))
        return [body for _, _, body in sorted(rows)]

    def contexts_of(self, kind: NodeKind, node_id: int) -> list[Body]:
        """Return the contexts that an artifact or execution belongs to, ordered by id."""
        return self._contexts(_CONTEXTS_OF[kind], [node_id]).get(node_id, [])

    def parents_of(self, context_ids: Sequence[int]) -> dict[int, list[Body]]:
        """Return the direct parents of contexts that have any, each list ordered by id."""
        return self._contexts(_PARENTS_OF, context_ids)

    def children_of(self, context_ids: Sequence[int]) -> dict[int, list[Body]]:
        """Return the direct children of contexts that have any, each list ordered by id."""
        return self._contexts(_CHILDREN_OF, context_ids)

    def page(self, query: PageQuery) -> Page:
        """Return one page of a listing, which ends by its rows or by its bytes."""
        if not self.connection.measures_by_reading:
            rows = self._listed(query, query.limit + 1)
            inline = inline_bodies(rows, PAGE_BYTES)
            if inline is not None and len(rows) <= query.limit:
                return Page(inline, None)
            if inline is not None:
                return Page(inline[:-1], key_of(rows[-2]))
        rows, bodies, count = self._page_rows(query)
        if count == len(rows):
            return Page(bodies.read(), None)
        self._settings.steps.note(query.kind, count, query.limit)
        return Page(bodies.read(count), key_of(rows[count - 1]))

    def page_ids(self, query: PageQuery) -> list[int]:
        """Return the ids of the nodes on one page of a listing, which ends by its rows alone."""
        return [row[1] for row in self._listed(query, query.limit)]

    def all(self, query: PageQuery) -> list[Body]:
        """Return all of a listing.

        Raises:
            TooLarge: It has more bytes than an answer may have.
        """
        first = FIRST_OF_ALL if self.connection.measures_by_reading else ALL_AT_ONCE
        rows = self._listed(query, first)
        if len(rows) < first:  # as a rule
            inline = inline_bodies(rows, self._settings.max_bytes)
            if inline is not None:
                return inline
        return self._all_by_steps(query, first)

    def _all_by_steps(self, query: PageQuery, first: int) -> list[Body]:
        max_bytes = self._settings.max_bytes
        all_bodies: list[Body] = []
        size = 0
        for rows in self._steps_of(query, first, ALL_AT_ONCE):
            bodies = Bodies(self.connection, tables.nodes[query.kind], rows, 1)
            size += bodies.size(0)
            check_answer(size, max_bytes, "ask for pages, with options.max_result_size")
            all_bodies += bodies.read()
        return all_bodies

    def _page_rows(self, query: PageQuery) -> tuple[list[Row], Bodies, int]:
        """Return the rows of a page, perhaps some behind it, their bodies, and its length."""
        page_rows: list[Row] = []
        most = query.limit + 1
        for rows in self._steps_of(query, self._settings.steps.first(query.kind, most), most):
            page_rows += rows
            bodies = Bodies(self.connection, tables.nodes[query.kind], page_rows, 1)
            count = min(query.limit, bodies.fitting(PAGE_BYTES))
            if count < len(page_rows):
                break
        return page_rows, bodies, count

    def _steps_of(self, query: PageQuery, first: int, most: int) -> Iterator[list[Row]]:
        """Yield the rows of a listing, at most so many at once.

        Args:
            query: The listing.
            first: The rows to read first, where measuring a body costs reading it.
            most: The rows to read at once.
        """
        step = first if self.connection.measures_by_reading else most
        while True:
            rows = self._listed(query, step)
            yield rows
            if len(rows) < step:
                return
            query = replace(query, after=key_of(rows[-1]))
            step = min(2 * step, most)

    def _listed(self, query: PageQuery, rows: int) -> list[Row]:
        """Return the first rows of a listing."""
        if query.condition is None:
            return self._first_rows(query, rows)
        if query.condition.shape.reads_properties:
            self.demand_index()
        with self.connection.within(query.condition.seconds):
            statement, values = list_statement(query, rows)
            return self.connection.rows(statement, **values)

    def _first_rows(self, query: PageQuery, count: int) -> list[Row]:
        """Return rows of a listing without condition.

        In a condition, functions of SQLite would depend on the bound: SUBSTR reads no further.
        """
        if self.connection.refuses_large_values and query.kind not in self._settings.large_kinds:
            statement, values = list_statement(query, count, measured=False)
            rows = self.connection.rows_below(INLINE_BYTES, statement, **values)
            if rows is not None:
                return rows
            self._settings.large_kinds.add(query.kind)
        statement, values = list_statement(query, count)
        return self.connection.rows(statement, **values)

    def matching_ids(
        self, kind: NodeKind, condition: Condition, among: Iterable[int] | None = None
    ) -> list[int]:
        """Return the ids of the nodes for which a condition holds, in order.

        Args:
            kind: The kind of node.
            condition: The condition.
            among: Only nodes with these ids; None: all nodes.
        """
        values = dict(condition.values)
        if condition.shape.reads_properties:
            self.demand_index()
        with self.connection.within(condition.seconds):
            if among is None:
                rows = self.connection.rows(_matching_statement(kind, condition.shape), **values)
            else:
                statement = _matching_among(kind, condition.shape)
                rows = self.connection.rows_of(statement, sorted(set(among)), **values)
        return sorted(node_id for (node_id,) in rows)

    def demand_index(self) -> None:
        """Make sure that the index over properties has all that was acknowledged.

        Raises:
            IndexIsBehind: It has not; whoever runs the query has it completed, and runs it again.
        """
        if self._index_is_complete:
            return
        if has_queue(self.connection):
            raise IndexIsBehind
        self._index_is_complete = True

    def _contexts(self, statement: ListStatement, ids: Sequence[int]) -> dict[int, list[Body]]:
        """Return the contexts beside some nodes, by those and ordered by id."""
        bodies_by_node: dict[int, list[Body]] = {}
        for row in sorted(self.with_bodies(CONTEXT, statement, sorted(set(ids)), 1)):
            bodies_by_node.setdefault(row[0], []).append(row[-1])
        return bodies_by_node

    def with_bodies(
        self, kind: NodeKind, statement: ListStatement, items: Sequence[object], at: int = 0
    ) -> list[Row]:
        """Return the rows of a query that ends in `small_body`, each with its body.

        Args:
            kind: The kind of node.
            statement: The query, over a list.
            items: The list.
            at: The place of the id in each row.

        Raises:
            TooLarge: The bodies have more bytes than an answer may have.
        """
        max_bytes = self._settings.max_bytes
        complete_rows: list[Row] = []
        size = 0
        for begin in range(0, len(items), MAX_VALUES):
            rows = self.connection.rows_of(statement, items[begin : begin + MAX_VALUES])
            if len(items) <= MAX_VALUES and inline_bodies(rows, max_bytes) is not None:
                return rows
            bodies = Bodies(self.connection, tables.nodes[kind], rows, at)
            size += bodies.size(0)
            check_answer(size, max_bytes, "ask for fewer at once")
            complete_rows += [
                (*row[:-1], body) for row, body in zip(rows, bodies.read(), strict=True)
            ]
        return complete_rows
