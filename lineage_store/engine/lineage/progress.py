"""A walk under a budget, and the verdict on it."""

from collections.abc import Iterator

from lineage_store.engine.lineage.budget import Meter
from lineage_store.kinds import ARTIFACT, EXECUTION, NodeKind
from lineage_store.lineage.source import Source, other
from lineage_store.lineage.walk import Expansion, PageSizes, Walk
from lineage_store.v1 import lineage_pb2 as pb

LAST_LOOK_PAGES = 64
"""Pages of nodes that are searched, after the last hop, for events beyond it."""


class Progress:
    """A walk under a budget. Each step is looked at and then taken, until it is over.

    Args:
        walk: The walk.
        meter: The budget.
        pace: The size of one step.
    """

    def __init__(self, walk: Walk, meter: Meter, pace: PageSizes) -> None:
        self.walk = walk
        self._meter = meter
        self._pace = pace
        self._reason: pb.Verdict.Reason | None = None
        self._open_ends: dict[NodeKind, list[int]] | None = None
        self._has_started = False

    def look(self, source: Source, most: int | None = None) -> Expansion | None:
        """Return the next step; None: the walk is over.

        Args:
            source: The graph.
            most: Answer at most so many nodes; None: as many as the pace says.
        """
        if self._reason is not None or self.walk.is_done:
            return None
        if self.walk.is_far_enough:
            self._look_beyond(source)
            return None
        # A walk that is resumed often, with a small budget, must come to an end.
        if self._has_started:
            self._reason = self._meter.exhausted
        if self._reason is not None:
            return None
        nodes = min(self._pace.nodes if most is None else most, self._meter.nodes)
        return self.walk.look(source, PageSizes(nodes, self._pace.batch, self._pace.events))

    def take(self, step: Expansion, size: int = 0) -> None:
        """Take a step, whose answer has so many bytes."""
        self._has_started = True
        self.walk.take(step)
        self._meter.spend(len(step.nodes), size)
        if step.is_full and self._meter.nodes <= 0:
            self._reason = pb.Verdict.MAX_NODES

    def steps(self, source: Source) -> Iterator[Expansion]:
        """Take all steps on one state of the graph, and return each."""
        while (step := self.look(source)) is not None:
            self.take(step, sum(len(edge[4] or b"") for edge in step.events))
            yield step

    def stop(self, reason: "pb.Verdict.Reason") -> None:
        """End the walk here."""
        self._reason = reason

    def verdict(self) -> pb.Verdict:
        """Return the verdict on the walk as far as it came."""
        state = self.walk.state
        verdict = pb.Verdict(
            complete=self._reason is None, node_count=state.nodes, event_count=state.events
        )
        if self._reason is not None:
            verdict.reason = self._reason
            ends = state.open_ends() if self._open_ends is None else self._open_ends
            verdict.frontier_artifact_ids.extend(ends.get(ARTIFACT, ()))
            verdict.frontier_execution_ids.extend(ends.get(EXECUTION, ()))
        return verdict

    def _look_beyond(self, source: Source) -> None:
        """Find out whether there is anything beyond the last hop."""
        node_ids = self.walk.open_ends(source, self._pace, LAST_LOOK_PAGES)
        if node_ids:
            self._open_ends = {other(self.walk.state.kind): node_ids}
            self._reason = pb.Verdict.MAX_HOPS
