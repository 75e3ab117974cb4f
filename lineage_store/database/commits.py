"""Commits: each transaction that adds facts has one, and they have one order.

Writers of all servers take turns, and each reads the last commit once it holds the turn. So the
`recorded_at` of its own commit can be greater, also where its clock is behind. All facts of the
transaction carry that number: the state of the store as of any commit is the facts up to it.
"""

import logging
import os
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, update

from lineage_store.database import tables
from lineage_store.database.clock import now_us
from lineage_store.database.connection import Connection, Row
from lineage_store.database.facts import Facts, encoded_facts
from lineage_store.database.statements import Statement

SEED_BYTES = 32

LATE_US = 2_000_000
"""A commit that is stamped so far ahead of its writer's clock is worth a warning."""

logger = logging.getLogger(__name__)

_c, _w = tables.commits.c, tables.writers.c
_LAST = Statement(select(_c.recorded_at, _c.seq).order_by(_c.recorded_at.desc()).limit(1))
_LAST_STAMP = Statement(select(func.max(_c.recorded_at)))
_SET_TURNS = Statement(
    update(tables.writers)
    .where(_w.id == tables.TURNS)
    .values(recorded_at=bindparam("last_recorded_at"), seq=bindparam("last_seq"))
)


@dataclass(frozen=True, slots=True)
class CommitPoint:
    """A commit in the order of all.

    Attributes:
        recorded_at: Its stamp in µs since the epoch; 0 before the first.
        seq: Its number; 0 before the first.
    """

    recorded_at: int = 0
    seq: int = 0


BEFORE_ALL = CommitPoint()


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit of the present transaction.

    Attributes:
        point: Its place in the order of all.
        writer: The process that writes; see `tables.writers`.
        clock: The clock of the writer, in µs since the epoch.
        last: The commit before.
    """

    point: CommitPoint
    writer: int
    clock: int
    last: CommitPoint = BEFORE_ALL

    @property
    def is_late(self) -> bool:
        """True if the writer's clock is well behind the stamp."""
        return self.point.recorded_at - self.clock > LATE_US


def following(last: CommitPoint, writer: int) -> Commit:
    """Return the commit after the last one; whoever calls must hold the turn to write."""
    clock = now_us()
    stamp = clock if clock > last.recorded_at else last.recorded_at + 1
    return Commit(CommitPoint(stamp, last.seq + 1), writer, clock, last)


def commit_row(commit: Commit, facts: Facts) -> Row:
    """Return the row of a commit."""
    return (
        commit.point.recorded_at,
        commit.point.seq,
        commit.writer,
        commit.clock,
        encoded_facts(facts),
        os.urandom(SEED_BYTES),
    )


def write_commit(connection: Connection, commit: Commit, facts: Facts) -> None:
    """Write the row of a commit."""
    connection.insert(tables.commits, [commit_row(commit, facts)])


def last_commit(connection: Connection) -> CommitPoint:
    """Return the last commit, or BEFORE_ALL."""
    rows = connection.rows(_LAST)
    return CommitPoint(*rows[0]) if rows else BEFORE_ALL


def last_stamp(connection: Connection) -> int:
    """Return the stamp of the last commit in µs since the epoch, or 0."""
    [(stamp,)] = connection.rows(_LAST_STAMP)
    return stamp or 0


def set_turns(connection: Connection, last: CommitPoint) -> None:
    """Let the next writer go on from a commit, after rows were written in another way."""
    connection.execute(_SET_TURNS, last_recorded_at=last.recorded_at, last_seq=last.seq)
