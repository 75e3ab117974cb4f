"""A database of ML Metadata, read in pages and never changed."""

from base64 import b64encode
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from functools import reduce
from itertools import accumulate
from operator import add
from typing import Any

from sqlalchemy import BigInteger, Select, Table, and_, bindparam, func, inspect, or_, select, text

from lineage_store import errors
from lineage_store.database.connection import Connection, Driver
from lineage_store.database.drivers.sqlite import SqliteDriver
from lineage_store.database.drivers.urls import driver_for
from lineage_store.database.mlmd.records import (
    EventRecord,
    NodeRecord,
    PropertyRecord,
    StepRecord,
    TypeRecord,
)
from lineage_store.database.mlmd.tables import (
    CURRENT,
    ENVIRONMENT,
    OLDEST,
    MlmdTables,
    column_or_null,
)
from lineage_store.database.schema import revisions as schema
from lineage_store.database.statements import Statement
from lineage_store.kinds import ARTIFACT, EXECUTION, KINDS, NodeKind

Pair = tuple[int, int]

PAGE = 500
"""Nodes or events that are read at a time, with all that belongs to them."""

PAGE_BYTES = 8 * 1024 * 1024
"""About how many bytes of properties are read at a time, those of one node at least."""

EDGE_PAGE = 5_000
"""Attributions, associations or parent contexts that are read at a time."""

LEAST = -(2**63)
"""Below every id, also those that no store ever gives out."""


class MlmdSource:
    """One consistent state of a database of ML Metadata.

    Args:
        url: Its URL; see `driver_for`.

    Attributes:
        version: Its schema version, 8 to 10.

    Raises:
        InvalidArgument: It is no database of ML Metadata.
        FailedPrecondition: Its schema version can't be read; the message names the remedy.
        LineageError: It can't be opened, and why.
    """

    def __init__(self, url: str) -> None:
        self._driver = _reading_driver(url)
        self._raw = self._driver.connect()
        try:
            self.version = self._checked_version()
            _prepare(self._driver, self._raw)
        except BaseException:
            self._driver.close(self._raw)
            raise
        self._is_lower_case = is_lower_case(self._driver)
        self._tables = MlmdTables(self.version, lower_case=self._is_lower_case)
        self._connection = Connection(self._raw, self._driver)
        self._statements = _Statements(self._tables)
        self._connection.begin(write=False)

    def _checked_version(self) -> int:
        with (
            schema.translated(self._driver),
            self._driver.core_engine(self._raw).connect() as connection,
        ):
            if ENVIRONMENT.lower() not in map(str.lower, inspect(connection).get_table_names()):
                raise errors.InvalidArgument(
                    "the source is not a database of ML Metadata, or of a version before 0.14"
                )
            environment = MlmdTables(lower_case=is_lower_case(self._driver)).environment
            versions = connection.execute(select(environment)).scalars().all()
        return _checked(list(versions))

    def counts(self) -> dict[str, int]:
        """Return how many rows there are of each kind of node and edge."""
        counted = {kind.plural: self._tables.nodes[kind] for kind in KINDS} | {
            "events": self._tables.events,
            "attributions": self._tables.members[ARTIFACT],
            "associations": self._tables.members[EXECUTION],
            "parent_contexts": self._tables.parent_contexts,
        }
        return {name: self._count(table) for name, table in counted.items()}

    def types(self) -> list[TypeRecord]:
        """Return all types, by id."""
        properties, parents = defaultdict(list), defaultdict(list)
        for type_id, name, data_type in self._rows(self._statements.type_properties):
            properties[type_id].append((name, data_type))
        for type_id, parent in self._rows(self._statements.parent_types):
            parents[type_id].append(parent)
        return [
            TypeRecord._make((*row, properties.get(row[0], []), parents.get(row[0], [])))
            for row in self._rows(self._statements.types)
        ]

    def nodes(self, kind: NodeKind, after: int) -> list[NodeRecord]:
        """Return the next nodes behind an id, by id; none: there are no more."""
        rows = self._rows(self._statements.nodes[kind], after=after)
        if not rows:
            return []
        rows = self._fitting(kind, rows)
        values: dict[int, list[PropertyRecord]] = {row[0]: [] for row in rows}
        bounds = {"first": rows[0][0], "last": rows[-1][0]}
        for node_id, *value in self._rows(self._statements.properties[kind], **bounds):
            # A property of a node that is not there: no reader ever sees it.
            if node_id in values:
                values[node_id].append(self._property(value))
        return [NodeRecord._make((*row, values[row[0]])) for row in rows]

    def _fitting(self, kind: NodeKind, rows: list[Any]) -> list[Any]:
        """Return the first of some nodes, as many as are read at a time with their properties."""
        bounds = {"first": rows[0][0], "last": rows[-1][0]}
        sizes = dict(self._rows(self._statements.property_bytes[kind], **bounds))
        totals = list(accumulate(int(sizes.get(row[0], 0)) for row in rows))
        return rows[: max(1, bisect_right(totals, PAGE_BYTES))]

    def events(self, after: int) -> list[EventRecord]:
        """Return the next events behind an id, by id; none: there are no more."""
        rows = self._rows(self._statements.events, after=after)
        if not rows:
            return []
        paths: dict[int, list[StepRecord]] = {}
        bounds = {"first": rows[0][0], "last": rows[-1][0]}
        for event_id, *step in self._rows(self._statements.event_paths, **bounds):
            paths.setdefault(event_id, []).append(StepRecord(*step))
        return [EventRecord._make((*row, paths.get(row[0], []))) for row in rows]

    def members(self, kind: NodeKind, after: Pair) -> list[Pair]:
        """Return the next pairs of context and node behind a pair, in order."""
        return self._pairs(self._statements.members[kind], after)

    def parents(self, after: Pair) -> list[Pair]:
        """Return the next pairs of child and parent context behind a pair, in order."""
        return self._pairs(self._statements.parents, after)

    def close(self) -> None:
        """Close the connection."""
        self._driver.close(self._raw)

    def _property(self, cells: list[Any]) -> PropertyRecord:
        record = PropertyRecord(*cells)
        if self._is_lower_case and isinstance(record.proto_value, bytes):
            # On PostgreSQL alone, ML Metadata stores the bytes and not a text.
            return record._replace(proto_value=b64encode(record.proto_value))
        return record

    def _count(self, table: Table) -> int:
        return int(self._rows(Statement(select(func.count()).select_from(table)))[0][0])

    def _pairs(self, statement: Statement, after: Pair) -> list[Pair]:
        rows = self._rows(statement, after_left=after[0], after_right=after[1])
        return [(left, right) for left, right in rows]

    def _rows(self, statement: Statement, **values: Any) -> list[tuple[Any, ...]]:
        return self._connection.rows(statement, **values)


class _Statements:
    """The statements over the tables of one schema version."""

    def __init__(self, tables: MlmdTables) -> None:
        t = tables.types
        described = (t.c.description, t.c.input_type, t.c.output_type)
        external_id = column_or_null(t, "external_id")
        self.types = Statement(
            select(t.c.id, t.c.name, t.c.version, t.c.type_kind, *described, external_id).order_by(
                t.c.id
            )
        )
        self.type_properties = Statement(select(tables.type_properties))
        self.parent_types = Statement(
            select(tables.parent_types).order_by(tables.parent_types.c.parent_type_id)
        )
        self.nodes = {kind: _nodes(tables, kind) for kind in KINDS}
        self.properties = {kind: _properties(tables, kind) for kind in KINDS}
        self.property_bytes = {kind: _property_bytes(tables, kind) for kind in KINDS}
        self.events = Statement(_behind(tables.events, select(tables.events)))
        self.event_paths = _event_paths(tables.event_paths)
        self.members = {
            kind: _pairs_of(table, "context_id", f"{kind.name}_id")
            for kind, table in tables.members.items()
        }
        self.parents = _pairs_of(tables.parent_contexts, "context_id", "parent_context_id")


def _behind(table: Table, query: Select[Any]) -> Select[Any]:
    return (
        query.where(table.c.id > bindparam("after", type_=BigInteger))
        .order_by(table.c.id)
        .limit(PAGE)
    )


def _nodes(tables: MlmdTables, kind: NodeKind) -> Statement:
    node = tables.nodes[kind]
    columns = ("id", "type_id", "name", "external_id", "uri", kind.state_field or "state")
    times = (node.c.create_time_since_epoch, node.c.last_update_time_since_epoch)
    node_columns = [column_or_null(node, name) for name in columns]
    return Statement(_behind(node, select(*node_columns, *times)))


def _properties(tables: MlmdTables, kind: NodeKind) -> Statement:
    value, node_id = tables.properties[kind], tables.node_id(kind)
    names = ("name", "is_custom_property", "int_value", "double_value", "string_value")
    value_columns = [column_or_null(value, name) for name in (*names, "proto_value", "bool_value")]
    within = node_id.between(
        bindparam("first", type_=BigInteger), bindparam("last", type_=BigInteger)
    )
    return Statement(select(node_id, *value_columns).where(within))


def _property_bytes(tables: MlmdTables, kind: NodeKind) -> Statement:
    """Return the query for about how many bytes the properties of some nodes have."""
    value, node_id = tables.properties[kind], tables.node_id(kind)
    lengths = [
        func.coalesce(func.length(value.c[name]), 0)
        for name in ("string_value", "proto_value")
        if name in value.c
    ]
    within = node_id.between(
        bindparam("first", type_=BigInteger), bindparam("last", type_=BigInteger)
    )
    total = func.sum(reduce(add, lengths))
    return Statement(select(node_id, total).where(within).group_by(node_id))


def _event_paths(path: Table) -> Statement:
    """Return the steps of some events; ML Metadata numbers none, their rows are in their order."""
    within = path.c.event_id.between(
        bindparam("first", type_=BigInteger), bindparam("last", type_=BigInteger)
    )
    query = select(path).where(within)
    # An index of MySQL ends in the hidden number of the row.
    for name in ("mysql", "mariadb"):
        query = query.with_hint(path, "FORCE INDEX (idx_eventpath_event_id)", name)
    return _ByDialect(
        {
            "sqlite": query.order_by(path.c.event_id, text("rowid")),
            "postgresql": query.order_by(path.c.event_id, text("ctid")),
        },
        query.order_by(path.c.event_id),
    )


def _pairs_of(table: Table, left_name: str, right_name: str) -> Statement:
    left, right = table.c[left_name], table.c[right_name]
    after_left: Any = bindparam("after_left", type_=BigInteger)
    after_right: Any = bindparam("after_right", type_=BigInteger)
    # Two conditions instead of a comparison of pairs, for which MySQL uses no index.
    behind = and_(left >= after_left, or_(left > after_left, right > after_right))
    return Statement(select(left, right).where(behind).order_by(left, right).limit(EDGE_PAGE))


class _ByDialect(Statement):
    """A statement that some databases write in another way."""

    def __init__(self, queries: dict[str, Any], otherwise: Any) -> None:  # noqa: ANN401 - a query
        super().__init__(otherwise)
        self._others = {name: Statement(query) for name, query in queries.items()}

    def render(self, dialect: Any, values: dict[str, Any]) -> tuple[str, Any]:  # noqa: ANN401 - as in Statement
        other = self._others.get(dialect.name)
        return other.render(dialect, values) if other else super().render(dialect, values)


def _reading_driver(url: str) -> Driver:
    driver = driver_for(url)
    if isinstance(driver, SqliteDriver):
        return SqliteDriver(driver.path, "ro")
    return driver


def is_lower_case(driver: Driver) -> bool:
    """Return whether a database folds the names of tables to lower case."""
    return driver.dialect.name == "postgresql"


def _prepare(driver: Driver, raw: Any) -> None:  # noqa: ANN401 - the driver's own
    """Let a connection return texts as bytes, where it can, undecoded."""
    if driver.dialect.name == "sqlite":
        raw.text_factory = bytes
        raw.execute("PRAGMA cache_size=-4096")  # each page is read once
        raw.execute("PRAGMA mmap_size=0")
    elif driver.dialect.name == "postgresql":
        from lineage_store.database.mlmd.postgresql import read_bytes  # noqa: PLC0415 - an extra

        read_bytes(raw)


def _checked(versions: Iterable[int]) -> int:
    rows = list(versions)
    if len(rows) != 1:
        raise errors.FailedPrecondition(
            "the source has no schema version: ML Metadata, or an export, did not finish it"
        )
    if rows[0] > CURRENT:
        raise errors.FailedPrecondition(
            f"the source has schema version {rows[0]}; {CURRENT} is the newest that is known"
        )
    if rows[0] < OLDEST:
        raise errors.FailedPrecondition(
            f"the source has schema version {rows[0]}, and {OLDEST} to {CURRENT} can be read: let "
            "ML Metadata upgrade a copy of it (enable_upgrade_migration), then import that"
        )
    return int(rows[0])
