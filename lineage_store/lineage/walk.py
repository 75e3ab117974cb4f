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
class PageSizes:
    """The page sizes of one step.

    Attributes:
        nodes: Nodes that it answers at most.
        batch: Nodes that it expands at most.
        events: Events that it goes over at most.
    """

    nodes: int = 500
    batch: int = 512
    events: int = 1024


@dataclass(slots=True)
class Expansion:
    """The next step of a walk, looked at but not taken yet.

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
        """True if there is nowhere left to go."""
        return self.state.is_done

    @property
    def is_far_enough(self) -> bool:
        """True if the next step would go beyond the last hop that is asked for."""
        return self.rules.max_hops is not None and self.state.hop > self.rules.max_hops

    def look(self, source: Source, sizes: PageSizes) -> Expansion:
        """Return the next step, without taking it."""
        return self._start(source, sizes) if self.state.unsent else self._expand(source, sizes)

    def take(self, expansion: Expansion) -> None:
        """Take a step that was looked at."""
        state = self.state
        end_nodes = set(expansion.nodes).intersection(expansion.admission.end_nodes)
        state.answered[expansion.kind].update(expansion.nodes)
        state.end_nodes[expansion.kind] |= end_nodes
        state.dropped[expansion.kind].update(expansion.admission.dropped)
        state.reached.update(i for i in expansion.nodes if i not in end_nodes)
        queue = state.unsent or state.frontier
        for _ in range(expansion.passed):
            queue.popleft()
        state.after = expansion.after
        state.nodes += len(expansion.nodes)
        state.events += len(expansion.events)
        state.advance()

    def open_ends(self, source: Source, sizes: PageSizes, pages: int) -> list[int]:
        """Return the nodes of the frontier from which there is an event still to go over.

        Args:
            source: The graph.
            sizes: How much to read at once.
            pages: How often to read; nodes that were not looked at count as open.
        """
        near, _ = sides(other(self.state.kind))
        open_nodes: set[int] = set()
        rest, after = deque(self.state.frontier), self.state.after
        for _ in range(pages):
            if not rest:
                break
            edges, passed, after = self._page(source, rest, after, sizes)
            open_nodes.update(
                edge[near] for edge in self._passable(edges, self._admission(source, edges))
            )
            for _ in range(passed):
                rest.popleft()
            if after is not None and after[0] in open_nodes:  # one event of a node is enough
                after = (after[0], MAX_ID, 0)
        return sorted(open_nodes.union(rest))

    def _start(self, source: Source, sizes: PageSizes) -> Expansion:
        state = self.state
        batch = list(islice(state.unsent, sizes.batch))
        admission = self.rules.admit(source, state.kind, batch, is_start=True)
        expansion = Expansion(state.kind, state.hop, admission=admission)
        for node_id in batch:
            if node_id not in admission.dropped:
                if len(expansion.nodes) == sizes.nodes:
                    expansion.is_full = True
                    break
                expansion.nodes.append(node_id)
            expansion.passed += 1
        return expansion

    def _expand(self, source: Source, sizes: PageSizes) -> Expansion:
        state = self.state
        edges, passed, after = self._page(source, state.frontier, state.after, sizes)
        admission = self._admission(source, edges)
        expansion = Expansion(
            state.kind, state.hop, admission=admission, passed=passed, after=after
        )
        _, far = sides(other(state.kind))
        known_nodes, new_nodes = state.answered[state.kind], set[int]()
        for edge in self._passable(edges, admission):
            node_id = edge[far]
            if node_id not in known_nodes and node_id not in new_nodes:
                if len(new_nodes) == sizes.nodes:
                    self._cut(expansion, edges, edge)
                    break
                new_nodes.add(node_id)
                expansion.nodes.append(node_id)
            expansion.events.append(edge)
        return expansion

    def _cut(self, expansion: Expansion, edges: list[Edge], edge: Edge) -> None:
        """End a step just before an event."""
        state = self.state
        kind = other(state.kind)
        at = edges.index(edge)
        node_id = position(kind, edge)[0]
        before = position(kind, edges[at - 1]) if at else state.after
        expansion.is_full = True
        expansion.passed = sum(1 for _ in takewhile(lambda i: i < node_id, state.frontier))
        expansion.after = before if before is not None and before[0] == node_id else None

    def _page(
        self, source: Source, frontier: deque[int], after: Position | None, sizes: PageSizes
    ) -> tuple[list[Edge], int, Position | None]:
        """Return the next events, how many nodes have no more of them, and where the next is at."""
        kind = other(self.state.kind)
        types = self.rules.types_from(kind)
        batch = list(islice(frontier, sizes.batch))
        edges = (
            [] if types == frozenset() else source.events(kind, batch, types, after, sizes.events)
        )
        if len(edges) < sizes.events:
            return edges, len(batch), None
        last = position(kind, edges[-1])
        return edges, bisect_left(batch, last[0]), last

    def _admission(self, source: Source, edges: Sequence[Edge]) -> Admission:
        state = self.state
        _, far = sides(other(state.kind))
        ids = {edge[far] for edge in edges}
        ids -= state.answered[state.kind]
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
            node_id = edge[far]
            if (
                node_id in dropped
                or node_id in before
                or (meets_again and state.is_behind(node_id))
            ):
                continue
            yield edge
