"""The graph as lineage queries read it, from the database or from memory."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from lineage_store.database.queries.bodies import Bodies
from lineage_store.kinds import NodeKind
from lineage_store.lineage.source import Edge, Source


class GraphReader(Source, Protocol):
    """One state of the graph, or as much of it as was known at some time.

    `LineageReader` has events of any time from the database, `AdjacencyReader` those of now from
    memory; both read nodes from the database.
    """

    def all_events(self, kind: NodeKind, ids: Sequence[int]) -> list[Edge]:
        """Return all events of some nodes, as `events` does."""

    def event_bodies(self, ids: Iterable[int]) -> Mapping[int, bytes]:
        """Return encoded events, by the first number of the event in `events`."""

    def closure(
        self,
        kind: NodeKind,
        ids: Sequence[int],
        types: tuple[Collection[int] | None, Collection[int] | None],
        limit: int,
        seconds: float | None = None,
    ) -> dict[NodeKind, set[int]]:
        """Return all nodes within reach, those to start from included, up to a limit.

        Args:
            kind: The kind of the nodes to start from.
            ids: Their ids.
            types: The types of events that lead on from artifacts, and from executions; None: any.
            limit: Stop soon after so many nodes.
            seconds: The longest that it may take; None: any time.

        Raises:
            DeadlineExceeded: It took longer.
        """

    def bodies(self, kind: NodeKind, ids: Iterable[int]) -> Mapping[int, bytes]:
        """Return encoded nodes by their ids.

        Raises:
            TooLarge: They have more bytes than an answer may have.
        """

    def bodies_in_order(self, kind: NodeKind, ids: Sequence[int]) -> Bodies:
        """Return encoded nodes in the order of the ids, the large ones yet to be read."""

    def members(self, kind: NodeKind, ids: Iterable[int]) -> Sequence[tuple[int, int]]:
        """Return pairs of node and context for the contexts of some nodes, ordered."""
