"""Outcomes of commits whose answer was lost: the database tells whether they took place.

Each transaction writes its number into the row of its process. If the connection is lost during a
COMMIT, the next transaction holds the write lock, so the lost one has ended, and the row tells
whether it was committed. In a cluster the lost one may still arrive; then it and the transaction
that looked have both changed the common row, and the cluster lets only one of them commit. The
common row also has the last commit of the store, from which the next writer goes on.
"""

import os
import random
import socket

from sqlalchemy import bindparam, select

from lineage_store.database import tables
from lineage_store.database.clock import now_us
from lineage_store.database.commits import CommitPoint
from lineage_store.database.connection import Connection
from lineage_store.database.ids import MAX_ID
from lineage_store.database.statements import Statement

_w = tables.writers
_LAST = Statement(select(_w.c.turn).where(_w.c.id == bindparam("writer")))


class CommitOutcomes:
    """The transactions of one process, numbered, and those whose outcome is unknown.

    Attributes:
        writer: The number of the process among all writers; a name in the commits is better kept.
    """

    def __init__(self) -> None:
        self.writer = random.SystemRandom().randrange(1, MAX_ID)
        self._name = _writer_name()
        self._last = 0
        self._unknown: set[int] = set()

    @property
    def is_introduced(self) -> bool:
        """True once a transaction of this process was stamped."""
        return self._last > 0

    def stamp(self, connection: Connection, last: CommitPoint, turn: int) -> None:
        """Write the number of this transaction, and the last commit of the store, into it.

        Args:
            connection: Holds the turn to write.
            last: The commit of this transaction, or the one before if it has none.
            turn: The number of the turn, one more than the one before; a row that did not change
                would be no change to a cluster.
        """
        self._last += 1
        row = (self.writer, self._last, now_us(), last.seq, self._name)
        turns = (tables.TURNS, turn, last.recorded_at, last.seq, "")
        connection.insert(_w, [row, turns], on_conflict="update")

    def introduce(self, connection: Connection, last: CommitPoint) -> None:
        """Write the row of this process into its first transaction, where nobody needs more."""
        self._last += 1
        row = (self.writer, self._last, now_us(), last.seq, self._name)
        connection.insert(_w, [row])

    def mark_unknown(self) -> None:
        """Remember that the outcome of the last transaction is unknown."""
        self._unknown.add(self._last)

    @property
    def has_unknown(self) -> bool:
        """True if there is a transaction whose outcome is unknown."""
        return bool(self._unknown)

    def was_committed(self, connection: Connection) -> bool:
        """Return whether one of the unknown transactions took place; needs the write lock."""
        rows = connection.rows(_LAST, writer=self.writer)
        return bool(rows) and rows[0][0] in self._unknown

    def clear(self) -> None:
        """Forget the unknown transactions: their callers were answered."""
        self._unknown.clear()


def _writer_name() -> str:
    """Return the host and number of this process, for people who read the history."""
    return f"{socket.gethostname()[:200]}:{os.getpid()}"
