"""Commits and versions, read from one snapshot."""

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, literal_column, select

from lineage_store.database import tables
from lineage_store.database.commits import BEFORE_ALL, CommitPoint
from lineage_store.database.connection import Connection, Row
from lineage_store.database.statements import ListStatement, Statement, slots
from lineage_store.kinds import KINDS, NodeKind

_c, _w, _v = tables.commits.c, tables.writers.c, tables.node_versions.c
_COMMIT = (_c.recorded_at, _c.seq, _c.writer, _c.clock, _c.facts)

_FIRST_SEED = Statement(select(_c.seed).order_by(_c.recorded_at).limit(literal_column("1")))
_FIRST = Statement(
    select(_c.recorded_at, _c.seq).order_by(_c.recorded_at).limit(literal_column("1"))
)
_LAST_BY = Statement(
    select(_c.recorded_at, _c.seq)
    .where(_c.recorded_at <= bindparam("stamp"))
    .order_by(_c.recorded_at.desc())
    .limit(literal_column("1"))
)
_FROM = Statement(
    select(*_COMMIT)
    .where(_c.recorded_at >= bindparam("stamp"))
    .order_by(_c.recorded_at)
    .limit(bindparam("most"))
)
_RECORDED_BY = [
    Statement(
        select(table.c.recorded_at)
        .where(table.c.recorded_at <= bindparam("stamp"))
        .limit(literal_column("1"))
    )
    for table in (*tables.nodes.values(), tables.node_versions, tables.events)
]
_BY_STAMPS = ListStatement(lambda n: select(*_COMMIT).where(_c.recorded_at.in_(slots(n))))
_WRITERS = ListStatement(lambda n: select(_w.id, _w.name).where(_w.id.in_(slots(n))))


def _replaced(kind: NodeKind) -> Statement:
    core = select(_v.revision, _v.recorded_at, _v.body).where(
        _v.kind == literal_column(str(kind.number)),
        _v.node_id == bindparam("node"),
        _v.revision > bindparam("after"),
    )
    return Statement(core.order_by(_v.revision).limit(bindparam("most")))


def _present(kind: NodeKind) -> Statement:
    c = tables.nodes[kind].c
    return Statement(select(c.revision, c.recorded_at, c.body).where(c.id == bindparam("node")))


_REPLACED = {kind: _replaced(kind) for kind in KINDS}
_PRESENT = {kind: _present(kind) for kind in KINDS}


def first_seed(connection: Connection) -> bytes:
    """Return the seed of the first commit, which no other store has."""
    rows = connection.rows(_FIRST_SEED)
    return bytes(rows[0][0]) if rows else b""


def first_commit(connection: Connection) -> CommitPoint:
    """Return the first commit."""
    rows = connection.rows(_FIRST)
    return CommitPoint(*rows[0]) if rows else BEFORE_ALL


def is_older_than(connection: Connection, stamp: int) -> bool:
    """Return whether a node or an event was recorded by a time, perhaps before all commits."""
    return any(connection.rows(statement, stamp=stamp) for statement in _RECORDED_BY)


def last_commit_by(connection: Connection, stamp: int) -> CommitPoint:
    """Return the last commit whose stamp is not greater, or BEFORE_ALL."""
    rows = connection.rows(_LAST_BY, stamp=stamp)
    return CommitPoint(*rows[0]) if rows else BEFORE_ALL


def commits_from(connection: Connection, stamp: int, most: int) -> list[Row]:
    """Return the commits from a stamp on, in their order: stamp, number, writer, clock, facts."""
    return connection.rows(_FROM, stamp=stamp, most=most)


def commits_at(connection: Connection, stamps: Iterable[int]) -> dict[int, Row]:
    """Return the commits of some stamps that there are, as `commits_from` does, by stamp."""
    return {row[0]: row for row in connection.rows_of(_BY_STAMPS, sorted(set(stamps)))}


def writer_names(connection: Connection, writers: Iterable[int]) -> dict[int, str]:
    """Return the names of those writers that are known."""
    return dict(connection.rows_of(_WRITERS, sorted(set(writers))))


def versions_of(
    connection: Connection, kind: NodeKind, node_id: int, after: int, most: int
) -> Sequence[Row]:
    """Return the versions of a node after one, in order, `most` or a few more.

    Each is (version, recorded_at, body).
    """
    rows = connection.rows(_REPLACED[kind], node=node_id, after=after, most=most)
    if len(rows) < most:
        rows += [row for row in connection.rows(_PRESENT[kind], node=node_id) if row[0] > after]
    return rows
