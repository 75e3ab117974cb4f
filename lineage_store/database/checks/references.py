"""Rows that point at nothing."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Table, bindparam, select

from lineage_store.database import tables
from lineage_store.database.bulk import store_contents as contents
from lineage_store.database.bulk.store_contents import StoredTable
from lineage_store.database.checks.findings import Findings
from lineage_store.database.connection import Connection, Row
from lineage_store.database.statements import ListStatement, Statement, slots
from lineage_store.database.tables import columns_of
from lineage_store.kinds import ARTIFACT, BY_NUMBER, CONTEXT, EXECUTION, KINDS

_ARTIFACTS, _EXECUTIONS, _CONTEXTS = (tables.nodes[k] for k in (ARTIFACT, EXECUTION, CONTEXT))


class _Reference(NamedTuple):
    column: str
    target: Table


REFERENCES: dict[str, tuple[_Reference, ...]] = {
    "events": (_Reference("artifact_id", _ARTIFACTS), _Reference("execution_id", _EXECUTIONS)),
    "attributions": (_Reference("context_id", _CONTEXTS), _Reference("artifact_id", _ARTIFACTS)),
    "associations": (_Reference("context_id", _CONTEXTS), _Reference("execution_id", _EXECUTIONS)),
    "parent_contexts": (_Reference("child_id", _CONTEXTS), _Reference("parent_id", _CONTEXTS)),
    "cache_entries": (
        _Reference("execution_id", _EXECUTIONS),
        _Reference("original_execution_id", _EXECUTIONS),
    ),
    "cache_hits": (
        _Reference("execution_id", _EXECUTIONS),
        _Reference("entry_id", tables.cache_entries),
        _Reference("source_execution_id", _EXECUTIONS),
        _Reference("original_execution_id", _EXECUTIONS),
    ),
    "artifact_reports": (_Reference("artifact_id", _ARTIFACTS),),
    "artifact_report_versions": (_Reference("artifact_id", _ARTIFACTS),),
    "type_versions": (_Reference("type_id", tables.types),),
}
"""The columns that point at rows of another table, whose `id` they hold."""

INDEXED = {
    **{tables.properties[kind].name: ("node_id", tables.nodes[kind]) for kind in KINDS},
    "cache_components": ("entry_id", tables.cache_entries),
}
"""The column of each index that points at the row which it is over."""


def _by_ids(table: Table, *columns: str) -> ListStatement:
    selected_columns = [table.c[name] for name in columns]
    return ListStatement(lambda n: select(*selected_columns).where(table.c.id.in_(slots(n))))


_IDS = {
    table.name: _by_ids(table, "id")
    for table in (*tables.nodes.values(), tables.cache_entries, tables.types)
}
_REVISIONS = {kind: _by_ids(table, "id", "revision") for kind, table in tables.nodes.items()}
_KINDS = Statement(select(tables.types.c.id, tables.types.c.kind))


def check_page(
    connection: Connection, table: StoredTable, rows: Sequence[Row], findings: Findings
) -> None:
    """Find the rows of a page that point at rows which are not there."""
    for row, message in _dangling(connection, table, rows):
        findings.add("reference", table.name, _shown_key(table, row), message)


def _dangling(
    connection: Connection, table: StoredTable, rows: Sequence[Row]
) -> Iterator[tuple[Row, str]]:
    if table is tables.node_versions:
        yield from _versions(connection, rows)
    elif table in tables.nodes.values():
        yield from _untyped(connection, table, rows)
    for column, target in REFERENCES.get(table.name, ()):
        place = columns_of(table).index(column)
        absent_ids = missing_ids(connection, target, (row[place] for row in rows))
        for row in rows:
            if row[place] in absent_ids:
                yield row, f"{column} {row[place]} is not in {target.name}"


def missing_ids(connection: Connection, target: Table, ids: Iterable[int | None]) -> set[int]:
    """Return those ids that no row of a table has."""
    target_ids = {target_id for target_id in ids if target_id is not None}
    rows = connection.rows_of(_IDS[target.name], sorted(target_ids))
    return target_ids - {target_id for (target_id,) in rows}


def _versions(connection: Connection, rows: Sequence[Row]) -> Iterator[tuple[Row, str]]:
    names = columns_of(tables.node_versions)
    at_kind, at_node, at_revision = (names.index(n) for n in ("kind", "node_id", "revision"))
    for number in {row[at_kind] for row in rows}:
        of_kind = [row for row in rows if row[at_kind] == number]
        kind = BY_NUMBER.get(number)
        if kind is None:
            yield from ((row, f"there is no kind {number} of node") for row in of_kind)
            continue
        ids = sorted({row[at_node] for row in of_kind})
        newest: dict[int, int] = dict(connection.rows_of(_REVISIONS[kind], ids))
        for row in of_kind:
            if row[at_node] not in newest:
                yield row, f"node_id {row[at_node]} is not in {kind.plural}"
            elif row[at_revision] >= newest[row[at_node]]:
                yield row, f"the {kind.name} has revision {newest[row[at_node]]}, not a later one"


def _untyped(
    connection: Connection, table: StoredTable, rows: Sequence[Row]
) -> Iterator[tuple[Row, str]]:
    kinds: dict[int, int] = dict(connection.rows(_KINDS))
    [kind] = [kind for kind, nodes in tables.nodes.items() if nodes is table]
    at_type = columns_of(table).index("type_id")
    for row in rows:
        if row[at_type] not in kinds:
            yield row, f"type_id {row[at_type]} is not in types"
        elif kinds[row[at_type]] != kind.number:
            yield row, f"type_id {row[at_type]} is a type of another kind"


def orphans_of_index(connection: Connection, index: StoredTable) -> Iterator[list[int]]:
    """Yield, page by page, the ids that an index has rows on and that do not exist."""
    column, target = INDEXED[index.name]
    id_column = index.c[column]
    core = select(id_column).where(id_column > bindparam("after")).distinct()
    statement = Statement(core.order_by(id_column).limit(bindparam("count")))
    after = -1
    while True:
        ids = [i for (i,) in connection.rows(statement, after=after, count=contents.MAX_ROWS)]
        yield sorted(missing_ids(connection, target, ids))
        if len(ids) < contents.MAX_ROWS:
            return
        after = ids[-1]


def _shown_key(table: StoredTable, row: Row) -> dict[str, Any]:
    return dict(zip((c.name for c in table.primary_key), contents.key_of(table, row), strict=True))
