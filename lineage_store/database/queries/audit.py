"""Statements for the questions of an audit: runs, reports, hits, late events, gaps and counts."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    bindparam,
    exists,
    func,
    literal_column,
    select,
)

from lineage_store.database import tables
from lineage_store.database.connection import Connection, Row
from lineage_store.database.queries.bodies import small_body
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.database.statements import ListStatement, Statement, slots
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION, KINDS, NodeKind

INPUT_TYPES = (2, 3, 5)
"""The types of events over which an execution reads: see `Event.Type`."""

OUTPUT_TYPES = (1, 4, 6, 7)

_e, _t, _h = tables.events.c, tables.types.c, tables.cache_hits.c
_executions = tables.nodes[EXECUTION]
_members = tables.members[EXECUTION].c

_RUNS = ListStatement(
    lambda n: (
        select(_members.context_id, _executions.c.id, small_body(_executions))
        .join(_executions, _executions.c.id == _members.execution_id)
        .join(tables.types, _t.id == _executions.c.type_id)
        .where(_members.context_id.in_(slots(n)), _t.name == literal_column("'PipelineRun'"))
    )
)
_STEPS = ListStatement(
    lambda n: (
        select(_members.context_id, _members.execution_id)
        .join(_executions, _executions.c.id == _members.execution_id)
        .where(_members.context_id.in_(slots(n)))
    )
)
_CONTEXTS = ListStatement(
    lambda n: select(_members.execution_id, _members.context_id).where(
        _members.execution_id.in_(slots(n))
    )
)
_reports = tables.artifact_reports.c
_REPORTS = ListStatement(
    lambda n: select(
        _reports.artifact_id,
        _reports.status,
        _reports.digest,
        _reports.reported_by,
        _reports.recorded_at,
    ).where(_reports.artifact_id.in_(slots(n)))
)
_OLD_REPORTS = ListStatement(
    lambda n: (
        select(*(tables.artifact_report_versions.c[column.name] for column in (
            _reports.artifact_id, _reports.status, _reports.digest, _reports.reported_by,
            _reports.recorded_at,
        ))).where(tables.artifact_report_versions.c.artifact_id.in_(slots(n)))
    )
)  # fmt: skip
_HITS = ListStatement(
    lambda n: (
        select(
            _h.execution_id,
            _h.source_execution_id,
            _h.original_execution_id,
            tables.cache_entries.c.digest,
            _h.recorded_at,
        )
        .join(tables.cache_entries, tables.cache_entries.c.id == _h.entry_id, isouter=True)
        .where(_h.execution_id.in_(slots(n)))
    )
)
_STAMPS = ListStatement(
    lambda n: select(_e.artifact_id, _e.execution_id, _e.recorded_at, _e.body).where(
        _e.artifact_id.in_(slots(n))
    )
)
_MEMBERSHIPS = Statement(
    select(tables.members[ARTIFACT].c.context_id, tables.members[ARTIFACT].c.recorded_at).where(
        tables.members[ARTIFACT].c.artifact_id == bindparam("node")
    )
)
# Divided by a float, since the product of an odd time and 1000 is beyond the integers.
_LATE = Statement(
    select(_e.artifact_id, _e.recorded_at, _e.body)
    .where(
        _e.recorded_at > bindparam("after"),
        _e.recorded_at / literal_column("1000.0") - _e.happened_at > bindparam("late"),
    )
    .order_by(_e.id)
    .limit(bindparam("most"))
)


def _flows(kind: NodeKind, types: tuple[int, ...]) -> ColumnElement[bool]:
    """Return whether a node has events of some types."""
    numbers: list[ColumnElement[Any]] = [literal_column(str(number)) for number in types]
    column = _e[f"{kind.name}_id"]
    return exists(
        select(literal_column("1")).where(column == tables.nodes[kind].c.id, _e.type.in_(numbers))
    )


def _one_sided(kind: NodeKind, has: tuple[int, ...], lacks: tuple[int, ...]) -> Statement:
    node = tables.nodes[kind].c.id
    core = select(node).where(_flows(kind, has), ~_flows(kind, lacks))
    return Statement(core.order_by(node).limit(bindparam("most")))


_UNPRODUCED = _one_sided(ARTIFACT, INPUT_TYPES, OUTPUT_TYPES)
_WITHOUT_INPUTS = _one_sided(EXECUTION, OUTPUT_TYPES, INPUT_TYPES)


def _within(core: Select[Any], member: FromClause, *, in_context: bool) -> Select[Any]:
    return core.where(member.c.context_id == bindparam("context")) if in_context else core


def _count_of(kind: NodeKind, *, in_context: bool) -> Statement:
    node = tables.nodes[kind]
    source: FromClause = node.join(tables.types, _t.id == node.c.type_id)
    core = select(_t.name, func.count())
    if in_context:
        member = tables.members[kind]
        source = source.join(member, member.c[f"{kind.name}_id"] == node.c.id)
        core = _within(core, member, in_context=True)
    return Statement(core.select_from(source).group_by(_t.name))


def _event_count(*, in_context: bool) -> Statement:
    core = select(_e.type, func.count()).group_by(_e.type)
    if in_context:
        member = tables.members[EXECUTION]
        core = core.select_from(
            tables.events.join(member, member.c.execution_id == _e.execution_id)
        ).where(member.c.context_id == bindparam("context"))
    return Statement(core)


_COUNTS = {
    (kind, in_context): _count_of(kind, in_context=in_context)
    for kind in KINDS
    for in_context in (False, True)
    if kind is not CONTEXT or not in_context
}
_EVENT_COUNTS = {flag: _event_count(in_context=flag) for flag in (False, True)}


def runs_in(snapshot: Snapshot, context_ids: Iterable[int]) -> list[tuple[int, bytes]]:
    """Return the executions of whole runs in some contexts: context, body."""
    rows = snapshot.with_bodies(EXECUTION, _RUNS, sorted(set(context_ids)))
    return [(row[0], row[-1]) for row in rows]


def members_of(connection: Connection, context_ids: Iterable[int]) -> list[Row]:
    """Return pairs of a context and an execution in it."""
    return connection.rows_of(_STEPS, sorted(set(context_ids)))


def contexts_of(connection: Connection, execution_ids: Iterable[int]) -> list[Row]:
    """Return pairs of an execution and a context that it belongs to."""
    return connection.rows_of(_CONTEXTS, sorted(set(execution_ids)))


def reports_of(connection: Connection, artifact_ids: Iterable[int]) -> list[Row]:
    """Return the last reports of artifacts: id, status, digest, reporter, recorded_at."""
    return connection.rows_of(_REPORTS, sorted(set(artifact_ids)))


def all_reports_of(connection: Connection, artifact_id: int) -> list[Row]:
    """Return all reports of an artifact, the replaced ones too, as `reports_of` does."""
    rows = [
        *connection.rows_of(_OLD_REPORTS, [artifact_id]),
        *reports_of(connection, [artifact_id]),
    ]
    return sorted(rows, key=lambda row: row[4])


def hits_of(connection: Connection, execution_ids: Iterable[int]) -> list[Row]:
    """Return the hits of executions: id, source, original, key or None, recorded_at."""
    return connection.rows_of(_HITS, sorted(set(execution_ids)))


def events_of(connection: Connection, artifact_ids: Iterable[int]) -> list[Row]:
    """Return the events of artifacts: artifact, execution, recorded_at, body."""
    return connection.rows_of(_STAMPS, sorted(set(artifact_ids)))


def memberships_of(connection: Connection, artifact_id: int) -> list[Row]:
    """Return the contexts of an artifact, and when it joined: id, recorded_at."""
    return connection.rows(_MEMBERSHIPS, node=artifact_id)


def late_events(connection: Connection, after: int, late_ms: int, most: int) -> list[Row]:
    """Return events that were recorded late, by their ids: artifact, recorded_at, body.

    Args:
        connection: Reads.
        after: Only those recorded after this time, in µs.
        late_ms: Only those recorded so many ms later than they had happened.
        most: The most to answer.
    """
    return connection.rows(_LATE, after=after, late=late_ms, most=most)


def unproduced_artifacts(connection: Connection, most: int) -> list[int]:
    """Return artifacts that were read, and that no execution wrote."""
    return [row[0] for row in connection.rows(_UNPRODUCED, most=most)]


def executions_without_inputs(connection: Connection, most: int) -> list[int]:
    """Return executions that wrote something and read nothing."""
    return [row[0] for row in connection.rows(_WITHOUT_INPUTS, most=most)]


def counts(connection: Connection, context_id: int | None) -> list[tuple[NodeKind, str, int]]:
    """Return the number of nodes of each type, in a context or in the store."""
    in_context = context_id is not None
    values = {"context": context_id} if in_context else {}
    return [
        (kind, name, count)
        for (kind, of_context), statement in _COUNTS.items()
        if of_context is in_context
        for name, count in connection.rows(statement, **values)
    ]


def event_counts(connection: Connection, context_id: int | None) -> list[tuple[int, int]]:
    """Return the number of events of each type, of the executions of a context or of all."""
    in_context = context_id is not None
    values = {"context": context_id} if in_context else {}
    return [(kind, count) for kind, count in connection.rows(_EVENT_COUNTS[in_context], **values)]
