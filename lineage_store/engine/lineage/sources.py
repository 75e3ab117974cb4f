"""The graph that a lineage query reads: in memory if it is loaded, else from the database."""

import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress

from lineage_store import errors
from lineage_store.database.connection import Row
from lineage_store.database.queries.lineage import LineageReader
from lineage_store.database.queries.lineage_nodes import NodeReader
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.lineage.adjacency import Adjacency
from lineage_store.engine.lineage.reader import GraphReader
from lineage_store.kinds import ARTIFACT, EXECUTION, NodeKind
from lineage_store.limits import LineageLimits
from lineage_store.lineage.adjacency.graph import View
from lineage_store.lineage.adjacency.neighbours import edges
from lineage_store.lineage.adjacency.reach import Reach
from lineage_store.lineage.rules import BIDIRECTIONAL, DOWNSTREAM, UPSTREAM, Rules


class GraphSources:
    """The graphs that lineage queries read, and their limits.

    Args:
        limits: The bounds of every query.
        adjacency: The graph in memory.
    """

    def __init__(self, limits: LineageLimits, adjacency: Adjacency) -> None:
        self.limits = limits
        self._adjacency = adjacency

    def within(self, limits: LineageLimits) -> "GraphSources":
        """Return the same with other limits."""
        return GraphSources(limits, self._adjacency)

    def present(self, snapshot: Snapshot, *, with_bodies: bool) -> GraphReader:
        """Return the graph of a snapshot.

        Args:
            snapshot: The snapshot.
            with_bodies: Whether events come with their encoded message, or with None.
        """
        view = self._adjacency.view(snapshot)
        if view is None:
            return LineageReader(snapshot, with_bodies=with_bodies)
        return AdjacencyReader(snapshot, view, with_bodies=with_bodies)


class _LimitReached(Exception):
    """There are as many nodes as were asked for."""


class AdjacencyReader(NodeReader):
    """Reads the events of a snapshot from memory, and nodes from the database.

    Events have their place in the log where those of the database have their id.

    Args:
        snapshot: The snapshot.
        view: Its events.
        with_bodies: Whether events come with their encoded message, or with None.

    Attributes:
        view: Its events.
    """

    def __init__(self, snapshot: Snapshot, view: View, *, with_bodies: bool) -> None:
        super().__init__(snapshot)
        self.view = view
        self._with_bodies = with_bodies

    def events(
        self,
        kind: NodeKind,
        ids: Sequence[int],
        types: Collection[int] | None,
        after: tuple[int, int, int] | None,
        limit: int,
    ) -> list[Row]:
        """Return events of some nodes; see `GraphReader.events`."""
        return list(edges(self.view, kind, ids, types, after, limit, with_bodies=self._with_bodies))

    def all_events(self, kind: NodeKind, ids: Sequence[int]) -> list[Row]:
        """Return all events of some nodes, as `events` does."""
        return self.events(kind, ids, None, None, self.view.count)

    def closure(
        self,
        kind: NodeKind,
        ids: Sequence[int],
        types: tuple[Collection[int] | None, Collection[int] | None],
        limit: int,
        seconds: float | None = None,
    ) -> dict[NodeKind, set[int]]:
        """Return all nodes within reach of some that exist; see `GraphReader.closure`."""
        for direction in (UPSTREAM, DOWNSTREAM, BIDIRECTIONAL):
            rules = Rules(direction=direction)
            if types == (rules.types_from(ARTIFACT), rules.types_from(EXECUTION)):
                return self._closure(kind, ids, rules, limit, seconds)
        return LineageReader(self._snapshot).closure(kind, ids, types, limit, seconds)

    def _closure(
        self, kind: NodeKind, ids: Sequence[int], rules: Rules, limit: int, seconds: float | None
    ) -> dict[NodeKind, set[int]]:
        end = None if seconds is None else time.monotonic() + seconds
        reach = Reach(self.view, rules, self)

        def look() -> None:
            if end is not None and time.monotonic() > end:
                raise errors.DeadlineExceeded("the query took longer than it may; ask for less")
            if reach.count >= limit:
                raise _LimitReached

        with suppress(_LimitReached):
            reach.walk(kind, ids, look)
        return {of: set(reach.nodes(of).tolist()) for of in (ARTIFACT, EXECUTION)}

    def event_bodies(self, ids: Iterable[int]) -> dict[int, bytes]:
        """Return the encoded events of these places in the log."""
        return {event: self.view.edge(event, with_body=True)[4] for event in set(ids)}
