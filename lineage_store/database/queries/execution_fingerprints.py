"""Executions found by the fingerprints of other systems."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    FromClause,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    true,
)

from lineage_store.database import tables
from lineage_store.database.connection import Connection
from lineage_store.database.staging.cache_entries import CANDIDATES
from lineage_store.database.statements import ListStatement, slots
from lineage_store.database.upkeep.property_index import FINGERPRINT
from lineage_store.kinds import CONTEXT, EXECUTION
from lineage_store.v1 import metadata_pb2 as pb

CONTEXT_TYPE = "execution_cache"
"""The type of the contexts that TFX names after fingerprints."""

_executions = tables.nodes[EXECUTION]
_properties = tables.properties[EXECUTION]
_contexts = tables.nodes[CONTEXT]
_members = tables.members[EXECUTION]
_FINISHED: tuple[Any, ...] = tuple(
    literal_column(str(state)) for state in (pb.Execution.COMPLETE, pb.Execution.CACHED)
)


def _ranked(
    fingerprint: ColumnElement[str], source: FromClause, *conditions: ColumnElement[bool]
) -> Select[Any]:
    newest_first = _executions.c.id.desc()
    place = func.row_number().over(partition_by=fingerprint, order_by=newest_first)
    ranked = (
        select(
            fingerprint.label("fingerprint"),
            _executions.c.id.label("execution_id"),
            place.label("place"),
        )
        .select_from(source)
        .where(*conditions, _executions.c.state.in_(_FINISHED))
        .cte("ranked")
    )
    return select(ranked.c.fingerprint, ranked.c.execution_id).where(
        ranked.c.place <= bindparam("most")
    )


def _by_property(count: int) -> ClauseElement:
    p = _properties.c
    return _ranked(
        p.string_value,
        _properties.join(_executions, _executions.c.id == p.node_id),
        p.name == bindparam("property_name"),
        p.is_custom == true(),
        p.string_value.in_(slots(count)),
    )


def _by_context(count: int) -> ClauseElement:
    types, c = tables.types, _contexts.c
    source = (
        types.join(_contexts, c.type_id == types.c.id)
        .join(_members, _members.c.context_id == c.id)
        .join(_executions, _executions.c.id == _members.c.execution_id)
    )
    return _ranked(
        c.name,
        source,
        types.c.kind == bindparam("kind_number"),
        types.c.name == bindparam("type_name"),
        c.name.in_(slots(count)),
    )


_BY_PROPERTY = ListStatement(_by_property)
_BY_CONTEXT = ListStatement(_by_context)


def finished_executions(
    connection: Connection, fingerprints: Sequence[str]
) -> dict[str, list[int]]:
    """Return the ids of the newest finished executions of each fingerprint, newest first."""
    rows = connection.rows_of(
        _BY_PROPERTY, fingerprints, property_name=FINGERPRINT, most=CANDIDATES
    ) + connection.rows_of(
        _BY_CONTEXT,
        fingerprints,
        kind_number=CONTEXT.number,
        type_name=CONTEXT_TYPE,
        most=CANDIDATES,
    )
    ids_by_fingerprint: dict[str, set[int]] = {}
    for fingerprint, execution_id in rows:
        ids_by_fingerprint.setdefault(fingerprint, set()).add(execution_id)
    return {
        fingerprint: sorted(ids, reverse=True) for fingerprint, ids in ids_by_fingerprint.items()
    }
