"""Writes that are held in memory until the transaction is flushed, and can be undone.

Many requests share a transaction. Each stages its rows here after checking them; when one request
fails, its staged rows are undone and the others go on. Rows reach the database once, at the end,
with a few large statements.
"""

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from lineage_store.database.clock import now_us

K = TypeVar("K")
V = TypeVar("V")

_MISSING: Any = object()


class Journal:
    """The order in which staged maps were changed.

    Args:
        stamp: The stamp of the transaction.

    Attributes:
        changes: The maps, the keys that were set, and the values before.
        stamp: The `recorded_at` of all rows, in µs since the epoch: that of the commit.
        moment: When the request that stages rows began, in µs since the epoch.
    """

    def __init__(self, stamp: int) -> None:
        self.changes: list[tuple[dict[Any, Any], Any, Any]] = []
        self.stamp = stamp
        self.moment = now_us()

    def begin_request(self) -> int:
        """Note that a request begins; return the present point."""
        self.moment = now_us()
        return self.mark()

    def mark(self) -> int:
        """Return the present point, to undo to."""
        return len(self.changes)

    def undo(self, mark: int) -> None:
        """Take back every change made since `mark`."""
        while len(self.changes) > mark:
            staged, key, before = self.changes.pop()
            if before is _MISSING:
                del staged[key]
            else:
                staged[key] = before


class Staged(Generic[K, V]):
    """A map whose changes a journal can take back; keeps the order of insertion."""

    __slots__ = ("_changes", "items")

    def __init__(self, journal: Journal) -> None:
        self._changes = journal.changes
        self.items: dict[K, V] = {}

    def put(self, key: K, value: V) -> None:
        """Set the value at `key`."""
        items = self.items
        self._changes.append((items, key, items.get(key, _MISSING)))
        items[key] = value

    def put_all(self, keys: Iterable[K], value: V) -> None:
        """Set the same value at some keys."""
        items, changes = self.items, self._changes
        for key in keys:
            changes.append((items, key, items.get(key, _MISSING)))
            items[key] = value
