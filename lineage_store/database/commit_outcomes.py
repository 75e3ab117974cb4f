"""Outcomes of commits whose answer was lost: the database tells whether they took place.

Each transaction writes its number into the row of its process. If the connection is lost during a
COMMIT, the next transaction holds the write lock, so the lost one has ended, and the row tells
whether it was committed. In a cluster the lost one may still arrive; then it and the transaction
that looked have both changed the common row, and the cluster lets only one of them commit.
"""

import random

from sqlalchemy import bindparam, delete, select

from lineage_store.database import tables
from lineage_store.database.clock import now_us
from lineage_store.database.connection import Connection
from lineage_store.database.ids import MAX_ID
from lineage_store.database.statements import Statement

FORGOTTEN_AFTER_US = 7 * 24 * 3600 * 1_000_000
"""The row of a process that has not written for so long is removed by another."""

_w = tables.writers
_LAST = Statement(select(_w.c.turn).where(_w.c.id == bindparam("writer")))
_FORGET = Statement(
    delete(_w).where(_w.c.id != tables.TURNS, _w.c.recorded_at < bindparam("long_ago"))
)


class CommitOutcomes:
    """The transactions of one process, numbered, and those whose outcome is unknown."""

    def __init__(self) -> None:
        self._writer = random.SystemRandom().randrange(1, MAX_ID)
        self._last = 0
        self._unknown: set[int] = set()

    def stamp(self, connection: Connection) -> None:
        """Write the number of this transaction into it."""
        if self._last == 0:
            connection.execute(_FORGET, long_ago=now_us() - FORGOTTEN_AFTER_US)
        self._last += 1
        row = (self._writer, self._last, now_us())
        connection.insert(_w, [row], on_conflict="update")

    def mark_unknown(self) -> None:
        """Remember that the outcome of the last transaction is unknown."""
        self._unknown.add(self._last)

    @property
    def has_unknown(self) -> bool:
        """True if there is a transaction whose outcome is unknown."""
        return bool(self._unknown)

    def was_committed(self, connection: Connection) -> bool:
        """Return whether one of the unknown transactions took place; needs the write lock."""
        rows = connection.rows(_LAST, writer=self._writer)
        return bool(rows) and rows[0][0] in self._unknown

    def clear(self) -> None:
        """Forget the unknown transactions: their callers were answered."""
        self._unknown.clear()
