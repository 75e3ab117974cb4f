"""The events of each node, as compressed rows."""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lineage_store.lineage.rules import INPUTS

Numbers = NDArray[np.integer[Any]]

TYPES = 256
"""Types of events that the arrays can tell apart."""

AT_ONCE = 1 << 20
"""About how many events are sorted at once: sorting takes several times the memory of the rows."""

_IS_INPUT = np.zeros(TYPES, np.uint8)
_IS_INPUT[list(INPUTS)] = 1


class Choice(NamedTuple):
    """The events of a node that a walk goes over.

    Attributes:
        first: 0, or 1 if none but inputs are.
        last: 2, or 1 if no inputs are.
        types: Only of these types; None: of any.
        table: Whether events of a type are, by type.
    """

    first: int
    last: int
    types: frozenset[int] | None
    table: NDArray[np.bool_]


@lru_cache(maxsize=512)
def choice(types: frozenset[int] | None) -> Choice:
    """Return the choice of events of some types; None: of any."""
    table = np.zeros(TYPES, np.bool_)
    if types is None:
        table[:] = True
        return Choice(0, 2, None, table)
    table[list(types)] = True
    return Choice(0 if types - INPUTS else 1, 2 if types & INPUTS else 1, types, table)


class Rows:
    """The events of each node of a kind: outputs before inputs, by the node at the other end.

    Args:
        near: The number of the node of each event.
        far: The number of the node at its other end.
        types: Its type.
        count: How many nodes there are.
    """

    def __init__(
        self, near: NDArray[np.int32], far: NDArray[np.int32], types: NDArray[np.uint8], count: int
    ) -> None:
        self.events = np.empty(len(near), np.int32)
        self.bounds = np.zeros(2 * count + 1, np.int32)
        width = int(far.max(initial=0)) + 1
        step = max(1, count * AT_ONCE // max(1, len(near)))
        at = 0
        for low in range(0, count, step):
            part = np.flatnonzero((near >= low) & (near < low + step))
            half = 2 * near[part].astype(np.int64) + _IS_INPUT[types[part]]
            counts = np.bincount(half - 2 * low, minlength=2 * min(step, count - low))
            self.bounds[2 * low + 1 : 2 * low + 1 + len(counts)] = counts
            key = (half * width + far[part]) * TYPES + types[part]
            self.events[at : at + len(part)] = part[np.argsort(key)]
            at += len(part)
        np.cumsum(self.bounds, out=self.bounds)
        self._events, self._bounds = self.events.data, self.bounds.data

    @property
    def nbytes(self) -> int:
        """The memory they take, in bytes."""
        return self.events.nbytes + self.bounds.nbytes

    def few(self, node: int, event_choice: Choice) -> list[int]:
        """Return the events of a node; their types are still to be looked at."""
        first, last = (
            self._bounds[2 * node + event_choice.first],
            self._bounds[2 * node + event_choice.last],
        )
        node_events: list[int] = self._events[first:last].tolist()
        return node_events

    def halves(self, node: int, event_choice: Choice) -> list[NDArray[np.int32]]:
        """Return the outputs and the inputs of a node, each by the node at the other end."""
        at = 2 * node
        return [
            self.events[self.bounds[at + half] : self.bounds[at + half + 1]]
            for half in range(event_choice.first, event_choice.last)
        ]

    def many(self, nodes: Numbers, event_choice: Choice) -> NDArray[np.int32]:
        """Return the events of many nodes; their types are still to be looked at."""
        first = self.bounds[2 * nodes + event_choice.first]
        counts = self.bounds[2 * nodes + event_choice.last] - first
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        at = np.repeat(first - (ends - counts), counts) + np.arange(total)
        return self.events[at]
