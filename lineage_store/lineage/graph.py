"""Nodes and the events between them, and the ways from one to the next."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from lineage_store import errors
from lineage_store.entities import Artifact, Event, Execution
from lineage_store.lineage.folding import Repeats
from lineage_store.lineage.identity import GraphNode, ends, key_of
from lineage_store.lineage.verdict import Verdict


class Direction(StrEnum):
    """The direction of a walk; upstream leads to the inputs that a node was made from."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"
    BOTH = "both"


@dataclass(frozen=True, kw_only=True)
class LineageGraph:
    """A part of the graph of all lineage.

    Nodes are called by their keys: "artifact:12", "execution:7".

    Attributes:
        nodes: Artifacts and executions, the nearest to the start first.
        edges: The events that the walk went over.
        hops: How far each node is from the start, by key.
        start: The keys of the nodes from which the walk began.
        direction: Which way it went.
        verdict: Whether that is all.
        repeats: What is folded into executions, by their keys: cached repeats that are not among
            the nodes.
    """

    nodes: tuple[GraphNode, ...] = ()
    edges: tuple[Event, ...] = ()
    hops: Mapping[str, int] = field(default_factory=dict)
    start: tuple[str, ...] = ()
    direction: Direction = Direction.BOTH
    verdict: Verdict = field(default_factory=lambda: Verdict(complete=True))
    repeats: Mapping[str, Repeats] = field(default_factory=dict)

    def __contains__(self, key: object) -> bool:
        return key in self._by_key

    def __len__(self) -> int:
        return len(self.nodes)

    @cached_property
    def _by_key(self) -> dict[str, GraphNode]:
        return {key_of(node): node for node in self.nodes}

    @cached_property
    def inner_edges(self) -> tuple[Event, ...]:
        """The events of which both ends are among the nodes: all, unless a part was cut out."""
        return tuple(e for e in self.edges if all(end in self._by_key for end in ends(e)))

    @cached_property
    def _around(self) -> tuple[dict[str, list[Event]], dict[str, list[Event]]]:
        into, out_of = defaultdict(list), defaultdict(list)
        for event in self.inner_edges:
            source, target = ends(event)
            out_of[source].append(event)
            into[target].append(event)
        return into, out_of

    @property
    def artifacts(self) -> list[Artifact]:
        """The artifacts, the nearest first."""
        return [node for node in self.nodes if isinstance(node, Artifact)]

    @property
    def executions(self) -> list[Execution]:
        """The executions, the nearest first."""
        return [node for node in self.nodes if isinstance(node, Execution)]

    @property
    def repeat_count(self) -> int:
        """The number of executions that were walked and are folded into others."""
        return sum(repeats.count for repeats in self.repeats.values())

    def node(self, key: str) -> GraphNode:
        """Return the node of a key.

        Raises:
            NotFound: It is not in this lineage.
        """
        try:
            return self._by_key[key]
        except KeyError:
            raise errors.NotFound(f"{key} is not in this lineage") from None

    def into(self, key: str) -> list[Event]:
        """Return the events over which data flows into a node."""
        return self._around[0].get(key, [])

    def out_of(self, key: str) -> list[Event]:
        """Return the events over which data flows out of a node."""
        return self._around[1].get(key, [])

    def hop(self, node: GraphNode) -> int:
        """Return how many hops a node is away from the start.

        Raises:
            NotFound: It is not in this lineage.
        """
        self.node(key_of(node))
        return self.hops[key_of(node)]

    def roots(self) -> list[GraphNode]:
        """Return the nodes with nothing upstream in this lineage.

        Of a complete upstream lineage, these are the original data, and the steps that read
        nothing.
        """
        return [node for node in self.nodes if not self.into(key_of(node))]

    def leaves(self) -> list[GraphNode]:
        """Return the nodes with nothing downstream in this lineage."""
        return [node for node in self.nodes if not self.out_of(key_of(node))]
