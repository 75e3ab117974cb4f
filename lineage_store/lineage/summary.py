"""The size of a walk: counts of nodes and events, without the nodes."""

from collections import Counter
from dataclasses import dataclass
from typing import Self

from lineage_store.entities import EventType
from lineage_store.lineage.verdict import Limit, Verdict
from lineage_store.v1 import lineage_pb2, metadata_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCount:
    """The number of nodes of a type at a distance.

    Attributes:
        kind: "artifact" or "execution".
        type: The name of the type.
        hop: The distance from the start.
        count: How many.
    """

    kind: str
    type: str
    hop: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The size of a walk.

    Attributes:
        nodes: How many nodes of each type lie at each distance.
        events: How many events of each type the walk went over.
        verdict: Whether that is all.
    """

    nodes: tuple[NodeCount, ...]
    events: dict[EventType, int]
    verdict: Verdict

    def by_type(self) -> dict[tuple[str, str], int]:
        """Return how many nodes there are of each kind and type, at any distance."""
        counts: Counter[tuple[str, str]] = Counter()
        for counted in self.nodes:
            counts[counted.kind, counted.type] += counted.count
        return dict(counts)

    @classmethod
    def from_message(
        cls, message: lineage_pb2.SummarizeResponse, caller_limits: frozenset[Limit]
    ) -> Self:
        """Return the summary in a SummarizeResponse; `caller_limits` as for `Verdict`."""
        kinds, events = lineage_pb2.LineageNodeKind, metadata_pb2.Event.Type
        return cls(
            nodes=tuple(
                NodeCount(
                    kind=kinds.Name(entry.kind).lower(),
                    type=entry.type,
                    hop=entry.hop,
                    count=entry.count,
                )
                for entry in message.nodes
            ),
            events={EventType(events.Name(entry.type)): entry.count for entry in message.events},
            verdict=Verdict.from_message(message.verdict, caller_limits),
        )
