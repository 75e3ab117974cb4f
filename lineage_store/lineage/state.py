"""The state of a walk: all that is needed to go on with it later."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from lineage_store.kinds import ARTIFACT, EXECUTION, NodeKind
from lineage_store.lineage.source import Position, other


def _none() -> dict[NodeKind, set[int]]:
    return {ARTIFACT: set(), EXECUTION: set()}


@dataclass(slots=True, kw_only=True)
class State:
    """The state of a walk.

    All nodes at one distance are of one kind, because an event ties an artifact to an execution
    and all starting nodes are of one kind.

    Attributes:
        kind: The kind of the nodes that are being reached.
        hop: Their distance from the start.
        unsent: Starting nodes that are still to be answered, ascending.
        frontier: The nodes of the hop before that are still to be expanded, ascending.
        after: The last event of `frontier[0]` that the walk went over; None: none of them yet.
        reached: The nodes of this hop from which the walk is to go on.
        answered: All nodes that were answered.
        end_nodes: Those that the walk doesn't go beyond.
        dropped: Nodes that are not answered, as far as remembered.
        nodes: How many nodes were answered.
        events: How many events were answered.
    """

    kind: NodeKind
    hop: int = 0
    unsent: deque[int] = field(default_factory=deque)
    frontier: deque[int] = field(default_factory=deque)
    after: Position | None = None
    reached: set[int] = field(default_factory=set)
    answered: dict[NodeKind, set[int]] = field(default_factory=_none)
    end_nodes: dict[NodeKind, set[int]] = field(default_factory=_none)
    dropped: dict[NodeKind, set[int]] = field(default_factory=_none)
    nodes: int = 0
    events: int = 0

    @classmethod
    def start(cls, kind: NodeKind, ids: Iterable[int]) -> "State":
        """Return the state before the first step."""
        return cls(kind=kind, unsent=deque(sorted(set(ids))))

    @property
    def is_done(self) -> bool:
        """True if there is nowhere left to go."""
        return not self.unsent and not self.frontier and not self.reached

    def open_ends(self) -> dict[NodeKind, list[int]]:
        """Return the nodes that were reached and from which the walk has not gone on."""
        return {other(self.kind): list(self.frontier), self.kind: sorted(self.reached)}

    def is_behind(self, node_id: int) -> bool:
        """Return whether the walk has gone on from this node of `kind` and met its events."""
        return (
            node_id in self.answered[self.kind]
            and node_id not in self.reached
            and node_id not in self.end_nodes[self.kind]
        )

    def advance(self) -> None:
        """Turn to the next hop when this one is exhausted."""
        if not self.unsent and not self.frontier and self.reached:
            self.frontier = deque(sorted(self.reached))
            self.reached = set()
            self.kind = other(self.kind)
            self.hop += 1
