"""A breadth-first walk, in steps that each need little memory and a short look at the graph.

A step is taken in two halves. `look` reads and changes nothing, so that it can be repeated;
`take` changes the state and reads nothing. Events are gone over in one order: by the node they
leave from, by the node they lead to, by type. So a walk can be cut behind any event and go on
later, and every event is met once.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile

from lineage_store.kinds import NodeKind
from lineage_store.lineage.rules import BIDIRECTIONAL, Admission, Rules
from lineage_store.lineage.source import MAX_ID, Edge, Position, Source, other, position, sides
from lineage_store.lineage.state import State


@dataclass(frozen=True, slots=True)
class Pace:
    """How much one step looks at.

    Attributes:
        nodes: Nodes that it answers at most.
        batch: Nodes that it expands at most.
        events: Events that it goes over at most.
    """

    nodes: int = 500
    batch: int = 512
    events: int = 1024


@dataclass(slots=True)
class Step:
    """What a look found.

    Attributes:
        kind: The kind of the nodes.
        hop: Their distance from the start.
        nodes: The nodes that were reached for the first time.
        events: The events that the walk went over.
        is_full: There was a node more than the step was allowed to answer.
        admission: Which of the nodes that it met were not answered, or not gone beyond.
        passed: How many of the nodes that wait in the state it is through with.
        after: The last event that it went over, if its node has more.
    """

    kind: NodeKind
    hop: int
    nodes: list[int] = field(default_factory=list)
    events: list[Edge] = field(default_factory=list)
    is_full: bool = False
    admission: Admission = field(default_factory=Admission)
    passed: int = 0
    after: Position | None = None


class Walk:
    """A walk over a graph.

    Args:
        rules: What it may do.
        state: Where it stands.
    """

    def __init__(self, rules: Rules, state: State) -> None:
        self.rules = rules
        self.state = state

    @property
    def is_done(self) -> bool:
        """Whether there is nowhere left to go."""
        return self.state.is_done

    @property
    def is_far_enough(self) -> bool:
        """Whether the next step would go beyond the last hop that is asked for."""
        return self.rules.max_hops is not None and self.state.hop > self.rules.max_hops

    def look(self, source: Source, pace: Pace) -> Step:
        """Return the next step, without taking it."""
        return self._start(source, pace) if self.state.unsent else self._expand(source, pace)

    def take(self, step: Step) -> None:
        """Take a step that was looked at."""
        state = self.state
        ended = set(step.nodes).intersection(step.admission.ended)
        state.seen[step.kind].update(step.nodes)
        state.ended[step.kind] |= ended
        state.dropped[step.kind].update(step.admission.dropped)
        state.reached.update(i for i in step.nodes if i not in ended)
        waiting = state.unsent or state.frontier
        for _ in range(step.passed):
            waiting.popleft()
        state.after = step.after
        state.nodes += len(step.nodes)
        state.events += len(step.events)
        state.advance()

    def open_ends(self, source: Source, pace: Pace, pages: int) -> list[int]:
        """Return the nodes of the frontier from which there is an event still to go over.

        Args:
            source: The graph.
            pace: How much to read at once.
            pages: How often to read; nodes that were not looked at count as open.
        """
        near, _ = sides(other(self.state.kind))
        found: set[int] = set()
        rest, after = deque(self.state.frontier), self.state.after
        for _ in range(pages):
            if not rest:
                break
            edges, passed, after = self._page(source, rest, after, pace)
            found.update(
                edge[near] for edge in self._passable(edges, self._admission(source, edges))
            )
            for _ in range(passed):
                rest.popleft()
            if after is not None and after[0] in found:  # one event of a node is enough
                after = (after[0], MAX_ID, 0)
        return sorted(found.union(rest))

    def _start(self, source: Source, pace: Pace) -> Step:
        state = self.state
        given = list(islice(state.unsent, pace.batch))
        admission = self.rules.admit(source, state.kind, given, is_start=True)
        step = Step(state.kind, state.hop, admission=admission)
        for node_id in given:
            if node_id not in admission.dropped:
                if len(step.nodes) == pace.nodes:
                    step.is_full = True
                    break
                step.nodes.append(node_id)
            step.passed += 1
        return step

    def _expand(self, source: Source, pace: Pace) -> Step:
        state = self.state
        edges, passed, after = self._page(source, state.frontier, state.after, pace)
        admission = self._admission(source, edges)
        step = Step(state.kind, state.hop, admission=admission, passed=passed, after=after)
        _, far = sides(other(state.kind))
        seen, new = state.seen[state.kind], set[int]()
        for edge in self._passable(edges, admission):
            node_id = edge[far]
            if node_id not in seen and node_id not in new:
                if len(new) == pace.nodes:
                    self._cut(step, edges, edge)
                    break
                new.add(node_id)
                step.nodes.append(node_id)
            step.events.append(edge)
        return step

    def _cut(self, step: Step, edges: list[Edge], edge: Edge) -> None:
        """End a step just before an event."""
        state = self.state
        kind = other(state.kind)
        at = edges.index(edge)
        here = position(kind, edge)[0]
        before = position(kind, edges[at - 1]) if at else state.after
        step.is_full = True
        step.passed = sum(1 for _ in takewhile(lambda i: i < here, state.frontier))
        step.after = before if before is not None and before[0] == here else None

    def _page(
        self, source: Source, frontier: deque[int], after: Position | None, pace: Pace
    ) -> tuple[list[Edge], int, Position | None]:
        """Return the next events, how many nodes have no more of them, and where the next is at."""
        kind = other(self.state.kind)
        types = self.rules.types_from(kind)
        batch = list(islice(frontier, pace.batch))
        edges = (
            [] if types == frozenset() else source.events(kind, batch, types, after, pace.events)
        )
        if len(edges) < pace.events:
            return edges, len(batch), None
        last = position(kind, edges[-1])
        return edges, bisect_left(batch, last[0]), last

    def _admission(self, source: Source, edges: Sequence[Edge]) -> Admission:
        state = self.state
        _, far = sides(other(state.kind))
        ids = {edge[far] for edge in edges}
        ids -= state.seen[state.kind]
        ids -= state.dropped[state.kind]
        return self.rules.admit(source, state.kind, sorted(ids), is_start=False)

    def _passable(self, edges: Iterable[Edge], admission: Admission) -> Iterator[Edge]:
        """Yield the events of the frontier that the walk goes over."""
        state = self.state
        _, far = sides(other(state.kind))
        dropped, before = admission.dropped, state.dropped[state.kind]
        # One way, an event leaves from one of its ends only; both ways, it was met before if the
        # walk went on from its other end.
        meets_again = self.rules.direction == BIDIRECTIONAL
        for edge in edges:
            there = edge[far]
            if there in dropped or there in before or (meets_again and state.is_behind(there)):
                continue
            yield edge
