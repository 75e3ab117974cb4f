"""The rules of a walk: its direction, its length, its events and its nodes."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from lineage_store.kinds import ARTIFACT, NodeKind
from lineage_store.lineage.source import Source
from lineage_store.v1 import metadata_pb2 as pb

Direction = pb.LineageSubgraphQueryOptions.Direction
UPSTREAM = pb.LineageSubgraphQueryOptions.UPSTREAM
DOWNSTREAM = pb.LineageSubgraphQueryOptions.DOWNSTREAM
BIDIRECTIONAL = pb.LineageSubgraphQueryOptions.BIDIRECTIONAL

INPUTS = frozenset({pb.Event.INPUT, pb.Event.DECLARED_INPUT, pb.Event.INTERNAL_INPUT})
"""The types of events through which an execution read an artifact."""

OUTPUTS = frozenset(
    {
        pb.Event.OUTPUT,
        pb.Event.DECLARED_OUTPUT,
        pb.Event.INTERNAL_OUTPUT,
        pb.Event.PENDING_OUTPUT,
    }
)
"""The types of events through which an execution wrote an artifact."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Nodes that a walk does not go beyond.

    Attributes:
        condition: What holds for them; None: for all of their kind.
        is_included: Whether they are answered themselves.
    """

    condition: Any
    is_included: bool


@dataclass(frozen=True, slots=True)
class Admission:
    """The decision which of some nodes a walk goes to.

    Attributes:
        dropped: Not these; the events that lead there are left out as well.
        end_nodes: To these, but not beyond them.
    """

    dropped: Set[int] = frozenset()
    end_nodes: Set[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of a walk.

    Attributes:
        direction: Towards what nodes were made from, away from it, or both ways.
        max_hops: How far from the start; None: as far as there is a way.
        event_types: Only over events of these types; None: of any.
        type_names: Only to nodes whose type has one of these names, for each kind that is limited
            so; the start is exempt.
        keeping: Only to nodes that a condition holds for; the start is exempt.
        ending: Where it ends; that holds for the start as well.
    """

    direction: int = BIDIRECTIONAL
    max_hops: int | None = None
    event_types: frozenset[int] | None = None
    type_names: Mapping[NodeKind, frozenset[str]] = field(default_factory=dict)
    keeping: Mapping[NodeKind, Any] = field(default_factory=dict)
    ending: Mapping[NodeKind, Ending] = field(default_factory=dict)

    def types_from(self, kind: NodeKind) -> frozenset[int] | None:
        """Return the types of the events that lead on from nodes of a kind; None: any."""
        if self.direction == BIDIRECTIONAL:
            return self.event_types
        leading = OUTPUTS if (kind is ARTIFACT) == (self.direction == UPSTREAM) else INPUTS
        return leading if self.event_types is None else leading & self.event_types

    def is_choosing(self, kind: NodeKind) -> bool:
        """Return whether the walk may leave out nodes of a kind, or end there."""
        return kind in self.ending or kind in self.type_names or kind in self.keeping

    def admit(
        self, source: Source, kind: NodeKind, ids: Sequence[int], *, is_start: bool
    ) -> Admission:
        """Return which of some nodes the walk goes to."""
        dropped: set[int] = set()
        if ids and not is_start:
            dropped = self._unchosen(source, kind, ids)
        ending = self.ending.get(kind)
        if ending is None or not ids:
            return Admission(dropped)
        end_nodes = set(ids)
        if ending.condition is not None:
            end_nodes = set(source.matching(kind, ending.condition, ids))
        return (
            Admission(dropped, end_nodes) if ending.is_included else Admission(dropped | end_nodes)
        )

    def _unchosen(self, source: Source, kind: NodeKind, ids: Sequence[int]) -> set[int]:
        dropped: set[int] = set()
        if kind in self.type_names:
            names = source.type_names(kind, ids)
            dropped |= {i for i in ids if names.get(i) not in self.type_names[kind]}
        if kind in self.keeping:
            dropped |= set(ids).difference(source.matching(kind, self.keeping[kind], ids))
        return dropped
