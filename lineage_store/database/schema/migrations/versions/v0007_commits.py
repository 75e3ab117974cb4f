"""Commits: one row for each transaction that adds facts, and for all facts that are there already.

The row of each writer gets columns without a default. So a server of the version before, which does
not write them, is refused at its next write: it would add facts without a commit.

A revision is frozen: it says everything itself and takes nothing from the tables as they are now.
"""

import os
import time
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from lineage_store.v1 import commits_pb2

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_BYTES = sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
_SLOW_ROW_VALUES = ("mariadb", "mysql")
_BATCH = 4_096
_NAME = 512
_TIMES = (
    *("types", "artifacts", "executions", "contexts", "events", "attributions", "associations"),
    *("parent_contexts", "cache_entries", "cache_hits", "artifact_reports"),
)

# Kind of fact, table, columns of its key, condition.
_SOURCES: tuple[tuple[int, str, tuple[str, ...], str | None], ...] = (
    (1, "types", ("id", "revision"), None),
    (3, "artifacts", ("id", "revision"), None),
    (3, "node_versions", ("node_id", "revision"), "kind = 1"),
    (2, "executions", ("id", "revision"), None),
    (2, "node_versions", ("node_id", "revision"), "kind = 0"),
    (4, "contexts", ("id", "revision"), None),
    (4, "node_versions", ("node_id", "revision"), "kind = 2"),
    (5, "events", ("id", "execution_id", "artifact_id", "type"), None),
    (6, "attributions", ("context_id", "artifact_id"), None),
    (7, "associations", ("context_id", "execution_id"), None),
    (8, "parent_contexts", ("child_id", "parent_id"), None),
    (9, "cache_entries", ("id", "execution_id", "original_execution_id"), None),
    (10, "cache_entries", ("id",), "invalidated_at IS NOT NULL"),
    (
        11,
        "cache_hits",
        ("execution_id", "entry_id", "source_execution_id", "original_execution_id"),
        None,
    ),
    (12, "artifact_reports", ("artifact_id", "revision"), None),
)
_KEYS = {
    "node_versions": ("kind", "node_id", "revision"),
    "attributions": ("context_id", "artifact_id"),
    "associations": ("context_id", "execution_id"),
    "parent_contexts": ("child_id", "parent_id"),
    "cache_hits": ("execution_id",),
    "artifact_reports": ("artifact_id",),
}


def upgrade() -> None:
    """Refuse writers of the version before, make the tables, and name all facts in commits."""
    connection = op.get_bind()
    _change_writers(connection)
    _create_tables()
    for table in ("types", "artifact_reports"):
        _add_column(table, sa.Column("revision", sa.Integer, nullable=False, server_default="1"))
    _add_column("cache_entries", sa.Column("invalidation_recorded_at", sa.BigInteger))
    op.execute("UPDATE cache_entries SET invalidation_recorded_at = invalidated_at * 1000")
    op.execute("DELETE FROM commits")
    stamp, seq = _last_time(connection), 0
    for kind, table, columns, condition in _SOURCES:
        for keys in _pages(connection, table, columns, condition):
            stamp, seq = max(time.time_ns() // 1_000, stamp + 1), seq + 1
            _insert_commit(stamp, seq, kind, keys)
    turns = "UPDATE writers SET recorded_at = :stamp, seq = :seq WHERE id = 0"
    connection.execute(sa.text(turns), {"stamp": stamp, "seq": seq})


def _change_writers(connection: sa.Connection) -> None:
    """Add columns that a writer must fill in."""
    if connection.dialect.name == "sqlite":  # where a default can't be dropped
        op.drop_table("writers")
        op.create_table(
            "writers",
            sa.Column("id", _ID, primary_key=True, autoincrement=False),
            sa.Column("turn", sa.BigInteger, nullable=False),
            sa.Column("recorded_at", sa.BigInteger, nullable=False),
            *_new_columns(),
        )
        op.execute("INSERT INTO writers (id, turn, recorded_at, seq, name) VALUES (0, 0, 0, 0, '')")
        return
    for column, default in zip(_new_columns(), ("0", ""), strict=True):
        column.server_default = sa.DefaultClause(default)
        _add_column("writers", column)
    for column in _new_columns():
        op.alter_column(
            "writers",
            column.name,
            server_default=None,
            existing_type=column.type,
            existing_nullable=False,
        )


def _add_column(table: str, column: sa.Column[Any]) -> None:
    """Add a column; where tables are not changed in one transaction, it may be there."""
    if column.name not in {one["name"] for one in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def _new_columns() -> list[sa.Column[Any]]:
    return [_filled("seq"), _filled("name", sa.String(_NAME))]


def _key(name: str, kind: Any = sa.BigInteger) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def _filled(name: str, kind: Any = sa.BigInteger) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _create_tables() -> None:
    op.create_table(
        "commits",
        _key("recorded_at", _ID),
        *(_filled(name) for name in ("seq", "writer", "clock")),
        *(_filled(name, _BYTES) for name in ("facts", "seed")),
        if_not_exists=True,
    )
    op.create_table(
        "type_versions",
        _filled("kind", sa.SmallInteger),
        _key("type_id"),
        _key("revision", sa.Integer),
        *(_filled(name) for name in ("recorded_at", "replaced_at")),
        _filled("body", _BYTES),
        if_not_exists=True,
    )
    op.create_table(
        "artifact_report_versions",
        _key("artifact_id"),
        _key("revision", sa.Integer),
        _filled("status", sa.SmallInteger),
        *(_filled(name, sa.Text) for name in ("digest", "reported_by")),
        *(_filled(name) for name in ("recorded_at", "replaced_at")),
        if_not_exists=True,
    )


def _last_time(connection: sa.Connection) -> int:
    """Return the last time that any row has, for the clock may have been set back since."""
    queries = [sa.text(f"SELECT MAX(recorded_at) FROM {table}") for table in _TIMES]  # noqa: S608 - constants
    return max(connection.execute(query).scalar() or 0 for query in queries)


def _pages(
    connection: sa.Connection, table: str, columns: Sequence[str], condition: str | None
) -> Iterator[list[tuple[int, ...]]]:
    key = _KEYS.get(table, ("id",))
    names = ", ".join((*columns, *key))
    after: dict[str, int] = {}
    while True:
        bounds = [_greater(connection, key)] if after else []
        where = " AND ".join([*bounds, *([condition] if condition else [])])
        query = f"SELECT {names} FROM {table} {'WHERE ' if where else ''}{where} "  # noqa: S608 - constants
        ordered = sa.text(f"{query} ORDER BY {', '.join(key)} LIMIT {_BATCH}")
        rows = connection.execute(ordered, after).all()
        if rows:
            yield [tuple(number or 0 for number in row[: len(columns)]) for row in rows]
        if len(rows) < _BATCH:
            return
        after = {f"k{at}": number for at, number in enumerate(rows[-1][len(columns) :])}


def _greater(connection: sa.Connection, key: Sequence[str]) -> str:
    """Return the condition that a key is greater, in the form whose index the database uses."""
    if connection.dialect.name not in _SLOW_ROW_VALUES:
        return f"({', '.join(key)}) > ({', '.join(f':k{at}' for at in range(len(key)))})"
    ranges = [
        " AND ".join([*(f"{key[i]} = :k{i}" for i in range(at)), f"{name} > :k{at}"])
        for at, name in enumerate(key)
    ]
    return f"(({') OR ('.join(ranges)}))"


def _insert_commit(stamp: int, seq: int, kind: int, keys: Sequence[tuple[int, ...]]) -> None:
    deltas: list[int] = []
    for column in zip(*keys, strict=True):
        deltas += [number - above for above, number in zip((0, *column), column, strict=False)]
    facts = commits_pb2.CommitFacts(kinds=[kind], counts=[len(keys)], deltas=deltas)
    names = ("recorded_at", "seq", "writer", "clock", "facts", "seed")
    values = (stamp, seq, 0, time.time_ns() // 1_000, facts.SerializeToString(), os.urandom(32))
    commits = sa.table("commits", *(sa.column(name) for name in names))
    op.bulk_insert(commits, [dict(zip(names, values, strict=True))])
