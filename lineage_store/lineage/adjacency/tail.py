"""The recent events, which came after the columns, in lists that only grow."""

from bisect import bisect_left

from lineage_store.kinds import ARTIFACT, EXECUTION, NodeKind
from lineage_store.lineage.adjacency.columns import Columns, EventEntry, Mark


class Tail:
    """The events behind those of some columns. One thread adds; others may read meanwhile.

    Args:
        before: The columns.

    Attributes:
        entries: The events.
        ends: The number of the node of each kind at the end of each event.
        new_ids: The ids of nodes that the columns don't have, in the order of their numbers.
        new_numbers: Their numbers.
        events: The numbers of the events of each node of each kind.
    """

    def __init__(self, before: Columns) -> None:
        self._before = before
        self._first = len(before.types)
        self._ids = {kind: ids.data for kind, ids in before.ids.items()}
        self._marks: list[Mark] = []
        self.entries: list[EventEntry] = []
        self.ends: dict[NodeKind, list[int]] = {ARTIFACT: [], EXECUTION: []}
        self.new_ids: dict[NodeKind, list[int]] = {ARTIFACT: [], EXECUTION: []}
        self.new_numbers: dict[NodeKind, dict[int, int]] = {ARTIFACT: {}, EXECUTION: {}}
        self.events: dict[NodeKind, dict[int, list[int]]] = {ARTIFACT: {}, EXECUTION: {}}

    @property
    def last(self) -> Mark:
        """The mark of the last event."""
        return self._marks[-1] if self._marks else self._before.last

    def add(self, entry: EventEntry) -> None:
        """Put an event behind the others."""
        number = self._first + len(self.entries)
        self.entries.append(entry)
        self._marks.append((entry[0], entry[5]))
        for kind, node_id in ((ARTIFACT, entry[1]), (EXECUTION, entry[2])):
            node = self._numbered(kind, node_id)
            self.ends[kind].append(node)
            self.events[kind].setdefault(node, []).append(number)

    def count_to(self, mark: Mark) -> int | None:
        """Return how many events there are up to one; None: it is none of them."""
        if mark == self._before.last:
            return 0
        at = bisect_left(self._marks, mark)
        return at + 1 if at < len(self._marks) and self._marks[at] == mark else None

    def number(self, kind: NodeKind, node_id: int) -> int | None:
        """Return the number of a node, in the columns or here; None: it has no events."""
        ids = self._ids[kind]
        at = bisect_left(ids, node_id)
        if at < len(ids) and ids[at] == node_id:
            return at
        return self.new_numbers[kind].get(node_id)

    def _numbered(self, kind: NodeKind, node_id: int) -> int:
        number = self.number(kind, node_id)
        if number is None:
            number = len(self._ids[kind]) + len(self.new_ids[kind])
            self.new_ids[kind].append(node_id)
            self.new_numbers[kind][node_id] = number
        return number
