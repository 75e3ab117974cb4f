"""Paths from one node to another, the shortest first.

Of all paths that were begun, the one is continued that can still become the shortest. How long a
path can become at best is known exactly, from the distance of its last node to the target, so where
there are no cycles no step is ever in vain, and the first k paths cost no more than their nodes.
Unlike an algorithm that answers path by path, this one can be stopped at every step.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import count, pairwise
from typing import Any

from lineage_store.lineage.rules import BIDIRECTIONAL, DOWNSTREAM, INPUTS
from lineage_store.lineage.source import Edge

Node = int
"""An artifact is its id, an execution is its id with a minus."""

Link = tuple[Node, Any]
"""A node and the link before it, or None: paths share their beginnings."""

POPS_PER_LOOK = 256
"""Steps between two looks at the clock."""


class OutOfTime(Exception):
    """The search was stopped before it had found all paths."""


class PathGraph:
    """The graph of all paths between some nodes, in one direction.

    Args:
        edges: The events; of several that lead from one node to another, the first recorded is
            the one that paths go over.
        direction: Which way they lead.
    """

    def __init__(self, edges: Iterable[Edge], direction: int) -> None:
        self._on: dict[Node, dict[Node, Edge]] = {}
        self._back: dict[Node, list[Node]] = {}
        for edge in sorted(edges):
            for near, far in _ends(edge, direction):
                on = self._on.setdefault(near, {})
                if far not in on:
                    on[far] = edge
                    self._back.setdefault(far, []).append(near)

    def events(self, path: list[Node]) -> list[Edge]:
        """Return the events that a path goes over."""
        return [self._on[near][far] for near, far in pairwise(path)]

    def distances(self, target: Node) -> dict[Node, int]:
        """Return how many events away the target is, for every node that has a way to it."""
        distances = {target: 0}
        queue = deque([target])
        while queue:
            node = queue.popleft()
            for before in self._back.get(node, ()):
                if before not in distances:
                    distances[before] = distances[node] + 1
                    queue.append(before)
        return distances

    def on(self, node: Node) -> Iterable[Node]:
        """Return the nodes one event further."""
        return self._on.get(node, ())


class Search:
    """The paths from one node to another on which no node comes twice.

    Args:
        graph: The graph they go over.
        source: Where the paths begin.
        target: Where they end.
        is_late: Whether to stop.

    Attributes:
        shortest: How many events the shortest path has; None: there is no path.
        is_cut: Longer paths than asked for were left out, if there were any.
    """

    def __init__(
        self, graph: PathGraph, source: Node, target: Node, is_late: Callable[[], bool]
    ) -> None:
        self._graph = graph
        self._source = source
        self._target = target
        self._is_late = is_late
        self._distances = graph.distances(target)
        self._ordered: dict[Node, list[Node]] = {}
        self.shortest = self._distances.get(source)
        self.is_cut = False

    def paths(self, longest: int | None) -> Iterator[list[Node]]:
        """Yield paths, the shortest first.

        Args:
            longest: How many events a path may have; None: any number.

        Raises:
            OutOfTime: `is_late` said so.
        """
        if self.shortest is None:
            return
        tie = count(1)
        # What is begun: (length at best, minus events so far, tie, link before, choices, which).
        partial_paths: list[Any] = [(self.shortest, 0, 0, None, [self._source], 0)]
        while partial_paths:
            best, depth, order, link, choices, at = heapq.heappop(partial_paths)
            if order % POPS_PER_LOOK == 0 and self._is_late():
                raise OutOfTime
            if longest is not None and best > longest:
                self.is_cut = True
                return
            if at + 1 < len(choices):  # only now, so that a node with many ways on costs little
                other = self._distances[choices[at + 1]] - depth
                heapq.heappush(partial_paths, (other, depth, next(tie), link, choices, at + 1))
            node = choices[at]
            if node in _nodes(link):
                continue
            if node == self._target:
                yield [*reversed(list(_nodes(link))), node]
                continue
            further = self._choices(node)
            if further:
                first = self._distances[further[0]] - (depth - 1)
                heapq.heappush(
                    partial_paths, (first, depth - 1, next(tie), (node, link), further, 0)
                )

    def _choices(self, node: Node) -> list[Node]:
        """Return the nodes one event further that have a way to the target, the nearest first."""
        if node not in self._ordered:
            useful_nodes = [on for on in self._graph.on(node) if on in self._distances]
            self._ordered[node] = sorted(
                useful_nodes, key=lambda on: (self._distances[on], abs(on))
            )
        return self._ordered[node]


def _nodes(link: Link | None) -> Iterator[Node]:
    while link is not None:
        node, link = link
        yield node


def _ends(edge: Edge, direction: int) -> list[tuple[Node, Node]]:
    """Return from where to where an event leads."""
    artifact, execution = edge[1], -edge[2]
    if direction == BIDIRECTIONAL:
        return [(artifact, execution), (execution, artifact)]
    reads = edge[3] in INPUTS
    if reads == (direction == DOWNSTREAM):
        return [(artifact, execution)]
    return [(execution, artifact)]
