"""A whole walk at once: node by node while few are reached, then all nodes of a hop together."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lineage_store.kinds import ARTIFACT, EXECUTION, NodeKind
from lineage_store.lineage.adjacency.distinct import distinct
from lineage_store.lineage.adjacency.graph import Numbers, View
from lineage_store.lineage.adjacency.rows import Choice, choice
from lineage_store.lineage.rules import BIDIRECTIONAL, Admission, Rules
from lineage_store.lineage.source import Source, other

FEW = 32
"""Nodes from which on an array costs less than a list."""

REACHED, PASSED, DROPPED, MET = 1, 2, 3, 4
"""The state of a node: answered; answered and expanded; left out; not decided yet."""

SPARSE = 64
"""If fewer than one of so many nodes are met, they are sorted; else all are looked through."""


class Reach:
    """The nodes that a walk reaches in a view, hop by hop.

    Args:
        view: The graph.
        rules: What the walk may do.
        source: What is known of nodes, for the rules.

    Attributes:
        count: How many nodes were reached.
    """

    def __init__(self, view: View, rules: Rules, source: Source) -> None:
        self._view, self._rules, self._source = view, rules, source
        self._choices = {kind: _choice(rules, kind) for kind in (ARTIFACT, EXECUTION)}
        self._both_ways = rules.direction == BIDIRECTIONAL
        self._marks: dict[NodeKind, NDArray[np.uint8]] = {}
        # By node: sparse until many are met, then a look into the arrays.
        self._looks: dict[NodeKind, Any] = {kind: defaultdict(int) for kind in view.nodes}
        self._alone: dict[NodeKind, list[int]] = {ARTIFACT: [], EXECUTION: []}
        self._nodes: dict[NodeKind, list[Numbers | list[int]]] = {ARTIFACT: [], EXECUTION: []}
        self._events: list[Numbers | list[int]] = []
        self.count = 0

    def walk(self, kind: NodeKind, ids: Sequence[int], look: Callable[[], None]) -> None:
        """Walk from some nodes, each of which exists.

        Args:
            kind: Their kind.
            ids: Their ids, ascending.
            look: Called after each hop; what it raises ends the walk.
        """
        frontier: Numbers | list[int] = self._begin(kind, ids)
        hop = 0
        look()
        while len(frontier) and (self._rules.max_hops is None or hop < self._rules.max_hops):
            expand = self._expand_few if len(frontier) < FEW else self._expand_many
            frontier = expand(kind, frontier)
            kind = other(kind)
            hop += 1
            look()

    def nodes(self, kind: NodeKind) -> NDArray[np.int64]:
        """Return the ids of the nodes that were reached, ascending."""
        marks = self._marks.get(kind)
        if marks is None or self.count * SPARSE < len(marks):
            numbers = _joint(self._nodes[kind])
        else:
            numbers = np.flatnonzero((marks == REACHED) | (marks == PASSED))
        ids = np.concatenate([self._view.ids(kind, numbers), np.array(self._alone[kind], np.int64)])
        if (ids[1:] < ids[:-1]).any():
            ids.sort()
        return ids

    def events(self) -> NDArray[np.int64]:
        """Return the numbers of the events that were gone over, each once."""
        return _joint(self._events)

    def _begin(self, kind: NodeKind, ids: Sequence[int]) -> list[int]:
        admission = self._rules.admit(self._source, kind, ids, is_start=True)
        look = self._looks[kind]
        start_numbers: list[int] = []
        frontier: list[int] = []
        for node_id in ids:
            number = self._view.number(kind, node_id)
            if node_id in admission.dropped:
                if number is not None:
                    look[number] = DROPPED
            elif number is None:
                self._alone[kind].append(node_id)
            else:
                look[number] = REACHED
                start_numbers.append(number)
                if node_id not in admission.end_nodes:
                    frontier.append(number)
        self._nodes[kind].append(start_numbers)
        self.count = len(start_numbers) + len(self._alone[kind])
        return frontier

    def _expand_few(self, kind: NodeKind, frontier: Numbers | list[int]) -> list[int]:
        """Go one hop further from a few nodes of a kind; return the nodes to go on from."""
        view, event_choice, far = self._view, self._choices[kind], other(kind)
        near_marks, far_marks = self._looks[kind], self._looks[far]
        met: list[tuple[int, int]] = []
        for node in frontier if isinstance(frontier, list) else frontier.tolist():
            near_marks[node] = PASSED
            met += view.few(kind, node, event_choice)
        fresh = {node: None for _, node in met if not far_marks[node]}
        end_nodes = self._admit(far, list(fresh))
        skipped = (DROPPED, PASSED) if self._both_ways else (DROPPED,)
        self._events.append([event for event, node in met if far_marks[node] not in skipped])
        new_nodes = [node for node in fresh if not far_marks[node]]
        for node in new_nodes:
            far_marks[node] = REACHED
        self._nodes[far].append(new_nodes)
        self.count += len(new_nodes)
        return [node for node in new_nodes if node not in end_nodes] if end_nodes else new_nodes

    def _expand_many(self, kind: NodeKind, frontier: Numbers | list[int]) -> Numbers | list[int]:
        """Go one hop further from many nodes of a kind; return the nodes to go on from."""
        far = other(kind)
        nodes = np.asarray(frontier)
        if not self._marks:
            self._spread()
        marks = self._marks[far]
        self._marks[kind][nodes] = PASSED
        events, ends = self._view.many(kind, nodes, self._choices[kind])
        fresh = _newly_met(ends[marks[ends] == 0], marks)
        end_nodes = self._admit(far, fresh)
        before = marks[ends]
        skipped = before == DROPPED
        if self._both_ways:
            skipped |= before == PASSED
        self._events.append(events[~skipped] if skipped.any() else events)
        new_nodes: Numbers = fresh[marks[fresh] != DROPPED]
        marks[new_nodes] = REACHED
        self._nodes[far].append(new_nodes)
        self.count += len(new_nodes)
        if not end_nodes:
            return new_nodes
        beyond: Numbers = new_nodes[~np.isin(new_nodes, list(end_nodes))]
        return beyond

    def _spread(self) -> None:
        """Put what became of nodes into arrays."""
        for kind, count in self._view.nodes.items():
            marks = self._marks[kind] = np.zeros(count, np.uint8)
            look = self._looks[kind]
            marks[np.array(list(look), np.int64)] = list(look.values())
            self._looks[kind] = marks.data

    def _admit(self, kind: NodeKind, nodes: Numbers | list[int]) -> set[int]:
        """Mark those of some new nodes that are left out; return those not to go on from."""
        if not (self._rules.is_choosing(kind) and len(nodes)):
            return set()
        numbers = np.asarray(nodes, np.int64)
        ids = self._view.ids(kind, numbers).tolist()
        number_of = dict(zip(ids, numbers.tolist(), strict=True))
        admission = self._rules.admit(self._source, kind, sorted(ids), is_start=False)
        return self._apply(kind, number_of, admission)

    def _apply(self, kind: NodeKind, number_of: dict[int, int], admission: Admission) -> set[int]:
        for node_id in admission.dropped:
            self._looks[kind][number_of[node_id]] = DROPPED
        return {number_of[node_id] for node_id in admission.end_nodes}


def _joint(parts: Sequence[Numbers | list[int]]) -> NDArray[np.int64]:
    """Return all numbers of some parts, in no order."""
    few = [number for part in parts if isinstance(part, list) for number in part]
    many = [part for part in parts if not isinstance(part, list)]
    return np.concatenate([np.array(few, np.int64), *many])


def _newly_met(nodes: Numbers, marks: NDArray[np.uint8]) -> Numbers:
    """Return nodes that were not reached yet, ascending, each once, and mark them as met."""
    marks[nodes] = MET
    if len(nodes) * SPARSE > len(marks):
        return np.flatnonzero(marks == MET)
    return distinct(nodes)


def _choice(rules: Rules, kind: NodeKind) -> Choice:
    return choice(rules.types_from(kind))
