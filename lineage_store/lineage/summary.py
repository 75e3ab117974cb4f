"""How much a walk meets, without what."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

from lineage_store.entities import EventType
from lineage_store.lineage.verdict import Limit, Verdict
from lineage_store.v1 import lineage_pb2, metadata_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCount:
    """How many nodes of a type lie at a distance.

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
    """How much a walk meets.

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
        found: Counter[tuple[str, str]] = Counter()
        for counted in self.nodes:
            found[counted.kind, counted.type] += counted.count
        return dict(found)

    @classmethod
    def from_message(cls, message: Any, asked: frozenset[Limit]) -> Self:
        """Return what a SummarizeResponse holds; see `Verdict.from_message` for `asked`."""
        kinds, events = lineage_pb2.LineageNodeKind, metadata_pb2.Event.Type
        return cls(
            nodes=tuple(
                NodeCount(
                    kind=kinds.Name(found.kind).lower(),
                    type=found.type,
                    hop=found.hop,
                    count=found.count,
                )
                for found in message.nodes
            ),
            events={EventType(events.Name(found.type)): found.count for found in message.events},
            verdict=Verdict.from_message(message.verdict, asked),
        )
