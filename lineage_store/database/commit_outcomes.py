"""How a process knows, when the answer to a COMMIT was lost, whether it took place.

Each transaction writes its number into the row of its process. When the connection was lost while
it committed, the next transaction holds the write lock, so the lost one has ended, and the row says
which way. In a cluster the lost one may still arrive; then it and the transaction that looked
have both changed the common row, and the cluster lets only one of them commit.
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


class Turns:
    """The transactions of one process, numbered, and those whose outcome is not known."""

    def __init__(self) -> None:
        self._writer = random.SystemRandom().randrange(1, MAX_ID)
        self._last = 0
        self._in_doubt: set[int] = set()

    def sign(self, connection: Connection) -> None:
        """Write the number of this transaction into it."""
        if self._last == 0:
            connection.execute(_FORGET, long_ago=now_us() - FORGOTTEN_AFTER_US)
        self._last += 1
        row = (self._writer, self._last, now_us())
        connection.insert(_w, [row], on_conflict="update")

    def doubt(self) -> None:
        """Remember that the outcome of the last transaction is not known."""
        self._in_doubt.add(self._last)

    @property
    def is_in_doubt(self) -> bool:
        """Whether there is a transaction whose outcome is not known."""
        return bool(self._in_doubt)

    def was_committed(self, connection: Connection) -> bool:
        """Whether one of the transactions in doubt took place; asked with the write lock held."""
        rows = connection.rows(_LAST, writer=self._writer)
        return bool(rows) and rows[0][0] in self._in_doubt

    def settle(self) -> None:
        """Forget what was in doubt: its callers were answered."""
        self._in_doubt.clear()
