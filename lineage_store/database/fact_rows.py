"""The rows behind the facts: where the keys of each kind of fact lie."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, SmallInteger, Table, literal_column

from lineage_store.database import tables
from lineage_store.database.facts import MEMBERSHIPS, VERSIONS, FactKind
from lineage_store.kinds import KINDS, NodeKind


@dataclass(frozen=True, slots=True)
class FactSource:
    """A table with rows of one kind of fact.

    Attributes:
        kind: The kind of fact.
        table: The table.
        key: The columns that make up the key of a fact, in its order.
        condition: Which rows are facts of this kind; None: all.
        stamp: The column that says when they were recorded.
    """

    kind: FactKind
    table: Table
    key: tuple[ColumnElement[int], ...]
    condition: ColumnElement[bool] | None = None
    stamp: str = "recorded_at"


def _of(kind: FactKind, table: Table, *names: str) -> FactSource:
    return FactSource(kind, table, tuple(table.c[name] for name in names))


def _node_sources(kind: NodeKind) -> list[FactSource]:
    versions = tables.node_versions
    replaced = FactSource(
        VERSIONS[kind],
        versions,
        (versions.c.node_id, versions.c.revision),
        versions.c.kind == literal_column(str(kind.number), SmallInteger),
    )
    return [_of(VERSIONS[kind], tables.nodes[kind], "id", "revision"), replaced]


_entries, _hits = tables.cache_entries.c, tables.cache_hits.c

SOURCES: tuple[FactSource, ...] = (
    _of(FactKind.TYPE, tables.types, "id", "revision"),
    _of(FactKind.TYPE, tables.type_versions, "type_id", "revision"),
    *(source for kind in KINDS for source in _node_sources(kind)),
    _of(FactKind.EVENT, tables.events, "id", "execution_id", "artifact_id", "type"),
    *(
        _of(MEMBERSHIPS[kind], table, "context_id", f"{kind.name}_id")
        for kind, table in tables.members.items()
    ),
    _of(FactKind.PARENT, tables.parent_contexts, "child_id", "parent_id"),
    _of(
        FactKind.CACHE_ENTRY,
        tables.cache_entries,
        "id",
        "execution_id",
        "original_execution_id",
    ),
    FactSource(
        FactKind.INVALIDATION,
        tables.cache_entries,
        (_entries.id,),
        _entries.invalidated_at.is_not(None),
        "invalidation_recorded_at",
    ),
    FactSource(
        FactKind.CACHE_HIT,
        tables.cache_hits,
        (
            _hits.execution_id,
            _hits.entry_id,
            _hits.source_execution_id,
            _hits.original_execution_id,
        ),
    ),
    _of(FactKind.REPORT, tables.artifact_reports, "artifact_id", "revision"),
    _of(FactKind.REPORT, tables.artifact_report_versions, "artifact_id", "revision"),
)
"""All tables with facts. A hit by fingerprint has no entry: its key has 0 in that place."""
