"""Stores as they were: the rows as of a commit in a database in memory, which answers any read.

The past does not change, so a store that was made once answers until others are asked for.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

MAX_STORES = 2
"""Revisions whose stores are kept in memory."""


class _Closable(Protocol):
    def close(self) -> None:
        """Free the memory."""


S = TypeVar("S", bound=_Closable)


class PastStores(Generic[S]):
    """The stores of the revisions that were asked for last.

    Args:
        make: Makes the store as of the commit of a stamp.
    """

    def __init__(self, make: Callable[[int], S]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._stores: OrderedDict[int, S] = OrderedDict()

    def at(self, stamp: int) -> S:
        """Return the store as of the commit of a stamp.

        Raises:
            LineageError: It can't be made, and why.
        """
        with self._lock:  # one at a time: each takes memory and a processor
            if stamp not in self._stores:
                self._stores[stamp] = self._make(stamp)
            self._stores.move_to_end(stamp)
            while len(self._stores) > MAX_STORES:
                self._stores.popitem(last=False)  # freed when the last call on it has ended
            return self._stores[stamp]

    def close(self) -> None:
        """Free all memory."""
        with self._lock:
            while self._stores:
                self._stores.popitem()[1].close()
