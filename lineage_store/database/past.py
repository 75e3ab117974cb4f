"""The rows of a store as of a commit: all that it held then, and no others.

A row that never changes was there if it was recorded by then. Of a row that does, the version that
was current then is among those that it has replaced, or it is the present one.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

from sqlalchemy import BindParameter, Table, bindparam, func, literal_column, select

from lineage_store import errors
from lineage_store.database import tables
from lineage_store.database.bulk.index_rows import COMPONENT_COLUMNS, component_rows, message_of
from lineage_store.database.connection import Connection, Row
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.database.staging.node_rows import PROPERTY_COLUMNS, node_row, property_rows
from lineage_store.database.staging.types import type_row
from lineage_store.database.statements import Statement
from lineage_store.database.tables import columns_of
from lineage_store.kinds import BY_NUMBER, KINDS, NodeKind, NodeMessage

_UNCHANGING = (
    tables.commits,
    tables.events,
    *tables.members.values(),
    tables.parent_contexts,
    tables.cache_hits,
)

_COUNTED = (*tables.nodes.values(), *_UNCHANGING, tables.cache_entries)

PastRows = tuple[Table, Sequence[Row], Sequence[str] | None]
"""A table, some of its rows, and the columns that they have; None: all of them."""


def past_rows(snapshot: Snapshot, stamp: int, max_rows: int) -> list[PastRows]:
    """Return the rows of a store as of a commit.

    Args:
        snapshot: Of the store.
        stamp: The stamp of the commit.
        max_rows: At most so many, those of indexes left out.

    Raises:
        FailedPrecondition: There are more.
    """
    connection = snapshot.connection
    _check_size(connection, stamp, max_rows)
    return list(_parts(connection, stamp))


def _check_size(connection: Connection, stamp: int, max_rows: int) -> None:
    count = 0
    for table in _COUNTED:
        [(rows,)] = connection.rows(_count(table), stamp=stamp, most=max_rows + 1)
        count += rows
        if count > max_rows:
            raise errors.FailedPrecondition(
                f"the store held more than {max_rows:,} rows at that revision, too many to read "
                "all of it; walk the lineage with recorded_as_of, or read the history of a node"
            )


def _parts(connection: Connection, stamp: int) -> Iterator[PastRows]:
    yield tables.types, list(_types(connection, stamp)), None
    for kind in KINDS:
        for rows in _in_parts(list(_nodes(connection, kind, stamp))):
            yield tables.nodes[kind], [row for row, _ in rows], None
            properties = [one for _, message in rows for one in property_rows(message)]
            yield tables.properties[kind], properties, PROPERTY_COLUMNS
    for table in _UNCHANGING:
        yield table, connection.rows(_recorded_by(table), stamp=stamp), None
    yield tables.artifact_reports, list(_reports(connection, stamp)), None
    entries = list(_entries(connection, stamp))
    yield tables.cache_entries, entries, None
    place = columns_of(tables.cache_entries).index("body")
    components = [one for row in entries for one in component_rows(row[0], row[place])]
    yield tables.cache_components, components, COMPONENT_COLUMNS


_PART = 2_000


def _in_parts(
    rows: Sequence[tuple[Row, NodeMessage]],
) -> Iterator[Sequence[tuple[Row, NodeMessage]]]:
    for at in range(0, len(rows), _PART):
        yield rows[at : at + _PART]


def _types(connection: Connection, stamp: int) -> Iterator[Row]:
    yield from connection.rows(_recorded_by(tables.types), stamp=stamp)
    for number, type_id, revision, recorded_at, _, body in connection.rows(
        _current_at(tables.type_versions), stamp=stamp
    ):
        kind = BY_NUMBER[number]
        message = message_of(kind.type_message, body, f"type {type_id}")
        yield type_row(kind, message, recorded_at, revision)


def _nodes(connection: Connection, kind: NodeKind, stamp: int) -> Iterator[tuple[Row, NodeMessage]]:
    """Yield the rows of nodes, each with its message."""
    table = tables.nodes[kind]
    place = columns_of(table).index("body")
    for row in connection.rows(_recorded_by(table), stamp=stamp):
        yield row, message_of(kind.message, row[place], f"{kind.name} {row[0]}")
    for node_id, revision, recorded_at, body in connection.rows(_versions_at(kind), stamp=stamp):
        message = message_of(kind.message, body, f"{kind.name} {node_id}")
        yield node_row(kind, message, bytes(body), revision, recorded_at), message


def _reports(connection: Connection, stamp: int) -> Iterator[Row]:
    yield from connection.rows(_recorded_by(tables.artifact_reports), stamp=stamp)
    versions = connection.rows(_current_at(tables.artifact_report_versions), stamp=stamp)
    for artifact_id, revision, status, digest, by, recorded_at, _ in versions:
        yield artifact_id, status, digest, by, recorded_at, revision


def _entries(connection: Connection, stamp: int) -> Iterator[Row]:
    """Yield cache entries with the hits and the invalidation that they had by then."""
    hits = connection.rows(_recorded_by(tables.cache_hits), stamp=stamp)
    counts = Counter(entry_id for _, entry_id, *_ in hits)
    last_at = {row[1]: row[4] // 1000 for row in sorted(hits, key=_stamp)}
    names = columns_of(tables.cache_entries)
    for row in connection.rows(_recorded_by(tables.cache_entries), stamp=stamp):
        values = dict(zip(names, row, strict=True))
        values |= {"hit_count": counts[values["id"]], "last_hit_at": last_at.get(values["id"])}
        if (values["invalidation_recorded_at"] or 0) > stamp:
            values |= dict.fromkeys(name for name in names if name.startswith("invalidat"))
        yield tuple(values.values())


def _stamp(row: Row) -> int:
    return int(row[-1])


@lru_cache(maxsize=64)
def _recorded_by(table: Table) -> Statement:
    return Statement(select(table).where(table.c.recorded_at <= bindparam("stamp")))


@lru_cache(maxsize=64)
def _current_at(table: Table) -> Statement:
    """Return the query for the replaced versions that were current then."""
    c = table.c
    stamp: BindParameter[int] = bindparam("stamp")
    return Statement(select(table).where(c.recorded_at <= stamp, c.replaced_at > stamp))


@lru_cache(maxsize=8)
def _versions_at(kind: NodeKind) -> Statement:
    c = tables.node_versions.c
    stamp: BindParameter[int] = bindparam("stamp")
    core = select(c.node_id, c.revision, c.recorded_at, c.body).where(
        c.kind == literal_column(str(kind.number)), c.recorded_at <= stamp, c.replaced_at > stamp
    )
    return Statement(core)


@lru_cache(maxsize=64)
def _count(table: Table) -> Statement:
    by_then = table.c.recorded_at <= bindparam("stamp")
    rows = select(table.c.recorded_at).where(by_then).limit(bindparam("most")).subquery()
    return Statement(select(func.count()).select_from(rows))
