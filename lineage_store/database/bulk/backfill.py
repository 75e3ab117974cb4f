"""Commits for rows that were filled in without any: one for each few thousand facts.

They say when the store was filled; the rows say when the store, or the one they come from, claims
to have learned them.
"""

from sqlalchemy import func, select

from lineage_store.database import tables
from lineage_store.database.bulk.fact_pages import fact_pages
from lineage_store.database.commits import (
    BEFORE_ALL,
    CommitPoint,
    following,
    last_commit,
    set_turns,
    write_commit,
)
from lineage_store.database.connection import Connection
from lineage_store.database.fact_rows import SOURCES
from lineage_store.database.statements import Statement

_LAST_TIMES = [
    Statement(select(func.max(table.c.recorded_at)))
    for table in dict.fromkeys(source.table for source in SOURCES)
]


def complete_commits(connection: Connection) -> None:
    """Write commits for all facts if the store has no commit; let writers go on from the last.

    Args:
        connection: Within a transaction that holds the turn to write.
    """
    last = last_commit(connection)
    if last == BEFORE_ALL:
        last = _backfilled(connection)
    set_turns(connection, last)


def _backfilled(connection: Connection) -> CommitPoint:
    """Write commits for all facts; return the last."""
    last = CommitPoint(_last_time(connection), 0)
    for source in SOURCES:
        for page in fact_pages(connection, source):
            commit = following(last, tables.BACKFILL)
            write_commit(connection, commit, {source.kind: [key for key, _ in page]})
            last = commit.point
    return last


def _last_time(connection: Connection) -> int:
    """Return the last time that any row has: the clock that gave it may be ahead."""
    times = [row[0] for statement in _LAST_TIMES for row in connection.rows(statement)]
    return max((moment for moment in times if moment is not None), default=0)
