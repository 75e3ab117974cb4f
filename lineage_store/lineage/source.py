"""The source that a walk reads: the events of nodes, their types, and filters on them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from lineage_store.kinds import ARTIFACT, EXECUTION, NodeKind

Edge = tuple[int, int, int, int, Any]
"""An event: its id, artifact id, execution id, type, and its encoded message or None."""

Position = tuple[int, int, int]
"""The position of an event among those of some nodes: the id of the node on this side, of the
node on the other side, the type."""

MAX_ID = 2**63 - 1
"""No id is greater."""


class Source(Protocol):
    """One state of a graph, or as much of one as was known at some time."""

    def events(
        self,
        kind: NodeKind,
        ids: Sequence[int],
        types: Collection[int] | None,
        after: Position | None,
        limit: int,
    ) -> list[Edge]:
        """Return events of some nodes, in the order of their positions.

        Args:
            kind: The kind of the nodes.
            ids: Their ids, ascending.
            types: Only events of these types; None: of any.
            after: Only events behind this position, which is one of `ids[0]`; None: all.
            limit: At most so many.
        """

    def type_names(self, kind: NodeKind, ids: Sequence[int]) -> Mapping[int, str]:
        """Return the names of the types of some nodes, by the id of the node."""

    def matching(self, kind: NodeKind, condition: Any, ids: Sequence[int]) -> Collection[int]:  # noqa: ANN401 - each source has its own
        """Return those of some nodes that a condition holds for."""


def other(kind: NodeKind) -> NodeKind:
    """Return the kind at the other end of an event."""
    return EXECUTION if kind is ARTIFACT else ARTIFACT


def sides(kind: NodeKind) -> tuple[int, int]:
    """Return where in an Edge the id of its node of a kind is, and the id of its other node."""
    return (1, 2) if kind is ARTIFACT else (2, 1)


def position(kind: NodeKind, edge: Edge) -> Position:
    """Return where an event stands among those of its node of a kind."""
    near, far = sides(kind)
    return (edge[near], edge[far], edge[3])
