"""Ids from leased blocks.

A row of `counters` is advanced by a whole block, and ids are then given out from memory: rows can
be built before they are inserted, on every database alike. Ids may have gaps; they stay below
2^53 because browsers read them as doubles.

The ids of events are in the order of commits, also those of several servers: a writer goes on with
its block only while no other has leased a newer one. Writers take turns, so the newest block, read
with its first id, stays the newest until it commits.
"""

from sqlalchemy import bindparam, select, update

from lineage_store import errors
from lineage_store.database.connection import Connection
from lineage_store.database.statements import Statement
from lineage_store.database.tables import counters

BLOCK = 1_000
MAX_ID = 2**53 - 1

IN_ORDER = frozenset({"events"})
"""Counters whose ids are in the order of commits."""

_ADVANCE = Statement(
    update(counters)
    .where(counters.c.name == bindparam("counter"))
    .values(next_id=counters.c.next_id + bindparam("size"))
)
_NEXT = Statement(select(counters.c.next_id).where(counters.c.name == bindparam("counter")))


class IdBlocks:
    """Blocks that this process has leased; used by one writer at a time."""

    def __init__(self) -> None:
        self._blocks: dict[str, tuple[int, int]] = {}
        self._before: dict[str, tuple[int, int]] = {}
        self._in_turn: set[str] = set()

    def begin(self) -> None:
        """Remember the blocks, because a transaction begins."""
        self._before = dict(self._blocks)
        self._in_turn.clear()

    def take(self, connection: Connection, counter: str) -> int:
        """Return an id never given out before; for a counter of IN_ORDER, the greatest so far.

        Raises:
            ResourceExhausted: There are no ids left.
        """
        following, end = self._blocks.get(counter, (0, 0))
        if following == end or not self._is_in_turn(connection, counter, end):
            following, end = self._lease(connection, counter)
        self._blocks[counter] = (following + 1, end)
        return following

    def _is_in_turn(self, connection: Connection, counter: str, end: int) -> bool:
        """Return whether ids of a block that ends there may be given out in this transaction."""
        if counter not in IN_ORDER or counter in self._in_turn:
            return True
        self._in_turn.add(counter)
        [(newest,)] = connection.rows(_NEXT, counter=counter)
        return bool(newest == end)

    def restore(self) -> None:
        """Go back to the blocks before the transaction, which wrote nothing."""
        self._blocks = self._before

    def forget(self) -> None:
        """Drop all blocks: the transaction failed, and the fate of a new block is unknown."""
        self._blocks = {}

    @staticmethod
    def _lease(connection: Connection, counter: str) -> tuple[int, int]:
        connection.execute(_ADVANCE, counter=counter, size=BLOCK)
        [(end,)] = connection.rows(_NEXT, counter=counter)
        if end > MAX_ID:
            raise errors.ResourceExhausted(f"the store has given out all its {counter} ids")
        return end - BLOCK, end
