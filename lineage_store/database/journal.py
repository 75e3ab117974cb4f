"""Writes that are held in memory until the transaction is flushed, and can be taken back.

Many requests share a transaction. Each stages its rows here after checking them; when one
request fails, what it staged is undone and the others go on. Rows reach the database once, at
the end, with a few large statements.
"""

from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_MISSING: Any = object()


class Journal:
    """The order in which staged maps were changed."""

    def __init__(self) -> None:
        self._changes: list[tuple[dict[Any, Any], Any, Any]] = []

    def mark(self) -> int:
        """Return the present point, to undo to."""
        return len(self._changes)

    def undo(self, mark: int) -> None:
        """Take back every change made since `mark`."""
        while len(self._changes) > mark:
            staged, key, before = self._changes.pop()
            if before is _MISSING:
                del staged[key]
            else:
                staged[key] = before

    def record(self, staged: dict[Any, Any], key: Any) -> None:
        """Remember what stands at `key`, which is about to change."""
        self._changes.append((staged, key, staged.get(key, _MISSING)))


class Staged(Generic[K, V]):
    """A map whose changes a journal can take back; keeps the order of insertion."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.items: dict[K, V] = {}

    def put(self, key: K, value: V) -> None:
        """Set the value at `key`."""
        self._journal.record(self.items, key)
        self.items[key] = value
