"""The graph in memory, and the part of it that a query may see."""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lineage_store.kinds import ARTIFACT, EXECUTION, NodeKind
from lineage_store.lineage.adjacency.arena import Piece, framed
from lineage_store.lineage.adjacency.columns import Columns, ColumnsBuilder, EventEntry, Mark
from lineage_store.lineage.adjacency.rows import Choice, Rows
from lineage_store.lineage.adjacency.tail import Tail
from lineage_store.lineage.source import Edge, other

Numbers = NDArray[np.integer[Any]]

TAIL_BYTES = 800
"""About how much memory an event of the tail takes."""


class Graph:
    """The events of a log up to some point, which only moves on; safe for many threads.

    Args:
        columns: The beginning of the log.
    """

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.rows = {
            kind: Rows(columns.ends[kind], columns.ends[other(kind)], columns.types, len(ids))
            for kind, ids in columns.ids.items()
        }
        self.tail = Tail(columns)
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """The memory it takes, in bytes."""
        rows = sum(rows.nbytes for rows in self.rows.values())
        return self.columns.nbytes + rows + TAIL_BYTES * len(self.tail.entries)

    @property
    def last(self) -> Mark:
        """The mark of the last event."""
        return self.tail.last

    def extend(self, entries: Sequence[EventEntry]) -> None:
        """Take in those of some successive events of the log that are new."""
        with self._lock:
            last_id, _ = self.tail.last
            for entry in entries:
                if entry[0] > last_id:
                    self.tail.add(entry)

    def view(self, up_to: Mark) -> "View | None":
        """Return the graph of the events up to one; None: it is not known here."""
        with self._lock:
            recent = self.tail.count_to(up_to)
            return None if recent is None else View(self, recent)

    def builder(self) -> ColumnsBuilder:
        """Return a builder that has all events."""
        builder = ColumnsBuilder(self.columns)
        with self._lock:
            entries = self.tail.entries[:]
        builder.add(entries)
        return builder


class View:
    """A graph as it was at some time. It stays the same while events are added to the graph.

    Args:
        graph: The graph.
        recent: How many events of the tail are seen.

    Attributes:
        old: How many events are in the columns.
        count: How many events there are.
        nodes: How many nodes of each kind there are, or more.
    """

    def __init__(self, graph: Graph, recent: int) -> None:
        self._columns, self._rows, self._tail = graph.columns, graph.rows, graph.tail
        self.old = len(self._columns.types)
        self.count = self.old + recent
        self.nodes = {
            kind: len(self._columns.ids[kind]) + len(self._tail.new_ids[kind])
            for kind in (ARTIFACT, EXECUTION)
        }
        self._ids = {kind: ids.data for kind, ids in self._columns.ids.items()}
        self._ends = {kind: ends.data for kind, ends in self._columns.ends.items()}
        self._types = self._columns.types.data

    def number(self, kind: NodeKind, node_id: int) -> int | None:
        """Return the number of a node; None: it has no events."""
        number = self._tail.number(kind, node_id)
        return number if number is not None and number < self.nodes[kind] else None

    def numbers(self, kind: NodeKind, ids: Sequence[int]) -> NDArray[np.int64]:
        """Return the numbers of nodes, in their order, those without events left out."""
        ids_array, column_ids = np.array(ids, np.int64), self._columns.ids[kind]
        at = np.searchsorted(column_ids, ids_array)
        is_known = np.zeros(len(ids_array), np.bool_)
        inside = at < len(column_ids)
        is_known[inside] = column_ids[at[inside]] == ids_array[inside]
        if self.count > self.old and not is_known.all():
            new = self._tail.new_numbers[kind]
            for place in np.flatnonzero(~is_known).tolist():
                number = new.get(ids[place], self.nodes[kind])
                at[place], is_known[place] = number, number < self.nodes[kind]
        return at[is_known]

    def degrees(self, kind: NodeKind, nodes: Numbers) -> NDArray[np.int64]:
        """Return how many events nodes have in the columns."""
        bounds, counts = self._rows[kind].bounds, np.zeros(len(nodes), np.int64)
        is_old = nodes < len(self._ids[kind])
        old = nodes[is_old]
        counts[is_old] = bounds[2 * old + 2] - bounds[2 * old]
        return counts

    def id(self, kind: NodeKind, node: int) -> int:
        """Return the id of a node."""
        ids = self._ids[kind]
        return ids[node] if node < len(ids) else self._tail.new_ids[kind][node - len(ids)]

    def ids(self, kind: NodeKind, nodes: Numbers) -> NDArray[np.int64]:
        """Return the ids of nodes."""
        column_ids = self._columns.ids[kind]
        is_new = nodes >= len(column_ids)
        if not is_new.any():
            return column_ids[nodes]
        node_ids = np.empty(len(nodes), np.int64)
        node_ids[~is_new] = column_ids[nodes[~is_new]]
        new = self._tail.new_ids[kind]
        node_ids[is_new] = [new[node - len(column_ids)] for node in nodes[is_new].tolist()]
        return node_ids

    def end(self, kind: NodeKind, event: int) -> int:
        """Return the number of the node of a kind at the end of an event."""
        if event < self.old:
            return self._ends[kind][event]
        return self._tail.ends[kind][event - self.old]

    def type(self, event: int) -> int:
        """Return the type of an event."""
        return self._types[event] if event < self.old else self._tail.entries[event - self.old][3]

    def few(self, kind: NodeKind, node: int, choice: Choice) -> list[tuple[int, int]]:
        """Return the numbers of the chosen events of a node, each with that of its far end."""
        far = other(kind)
        types, ends, allowed_types = self._types, self._ends[far], choice.types
        events = self._rows[kind].few(node, choice) if node < len(self._ids[kind]) else []
        numbered = [
            (e, ends[e]) for e in events if allowed_types is None or types[e] in allowed_types
        ]
        if self.count > self.old:
            recent = self.recent(kind, node)
            numbered += [
                (e, self.end(far, e))
                for e in recent
                if allowed_types is None or self.type(e) in allowed_types
            ]
        return numbered

    def many(
        self, kind: NodeKind, nodes: Numbers, choice: Choice
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the numbers of the chosen events of some nodes, and those of their far ends."""
        old_nodes = nodes[nodes < len(self._ids[kind])]
        events: NDArray[Any] = self._rows[kind].many(old_nodes, choice)
        if choice.types is not None:
            events = events[choice.table[self._columns.types[events]]]
        far: NDArray[Any] = self._columns.ends[other(kind)][events]
        recent = [
            event
            for node in self._with_recent(kind, nodes)
            for event in self.recent(kind, node)
            if choice.types is None or self.type(event) in choice.types
        ]
        if recent:
            events = np.concatenate([events, recent])
            far = np.concatenate([far, [self.end(other(kind), event) for event in recent]])
        return events, far

    def halves(self, kind: NodeKind, node: int, choice: Choice) -> list[NDArray[np.int32]]:
        """Return the outputs and the inputs of a node that are not recent, by the far end."""
        return self._rows[kind].halves(node, choice) if node < len(self._ids[kind]) else []

    def recent(self, kind: NodeKind, node: int) -> list[int]:
        """Return the numbers of the events of a node that are not in the columns."""
        events = self._tail.events[kind].get(node)
        return [] if events is None else [event for event in events if event < self.count]

    def edge(self, event: int, *, with_body: bool) -> Edge:
        """Return an event; in the place of its id is its number."""
        if event >= self.old:
            _, artifact, execution, of_type, body, _ = self._tail.entries[event - self.old]
            return (event, artifact, execution, of_type, body if with_body else None)
        artifact = self._ids[ARTIFACT][self._ends[ARTIFACT][event]]
        execution = self._ids[EXECUTION][self._ends[EXECUTION][event]]
        encoded = self._columns.arena.body(event) if with_body else None
        return (event, artifact, execution, self._types[event], encoded)

    def edges(self, events: Numbers, *, with_bodies: bool) -> list[Edge]:
        """Return events; in the place of their ids are their numbers."""
        columns, old = self._columns, events[events < self.old]
        ends = (columns.ids[k][columns.ends[k][old]].tolist() for k in (ARTIFACT, EXECUTION))
        bodies = columns.arena.bodies(old) if with_bodies else [None] * len(old)
        types = columns.types[old].tolist()
        edges: list[Edge] = list(zip(old.tolist(), *ends, types, bodies, strict=True))
        if len(old) < len(events):
            recent = events[events >= self.old].tolist()
            edges += [self.edge(event, with_body=with_bodies) for event in recent]
        return edges

    def frames(self, events: Numbers) -> list[Piece]:
        """Return some encoded events, framed, in pieces that only need to be joined."""
        if self.count == self.old:
            return self._columns.arena.frames(events)
        is_old = events < self.old
        pieces = self._columns.arena.frames(events[is_old])
        recent = self._tail.entries
        return pieces + [framed(recent[event - self.old][4]) for event in events[~is_old].tolist()]

    def _with_recent(self, kind: NodeKind, nodes: Numbers) -> list[int]:
        """Return those of some nodes that have recent events."""
        if self.count == self.old:
            return []
        having = self._tail.events[kind]
        return [node for node in nodes.tolist() if node in having]
