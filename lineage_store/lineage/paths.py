"""The ways from one node to another."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from lineage_store.lineage.exports import edge_to_dict
from lineage_store.lineage.identity import GraphNode, key_of, node_key
from lineage_store.lineage.labels import label
from lineage_store.lineage.verdict import Limit, Verdict
from lineage_store.model import Artifact, Event, Execution
from lineage_store.model.plain import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One way from a node to another.

    Attributes:
        nodes: From the source to the target.
        edges: The events between them: one less.
    """

    nodes: tuple[GraphNode, ...]
    edges: tuple[Event, ...]

    def __len__(self) -> int:
        """How many hops it has."""
        return len(self.edges)

    def __str__(self) -> str:
        return "\n".join(label(node) for node in self.nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """The ways from one node to another, the shortest first.

    Attributes:
        paths: The ways.
        verdict: Whether these are all, within what was asked for.
    """

    paths: tuple[Path, ...]
    verdict: Verdict

    def __iter__(self) -> Iterator[Path]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)

    def to_dict(self) -> dict[str, Any]:
        """Return the paths in terms of JSON; edges are as in the JSON of a lineage."""
        return {
            "paths": [_path_to_dict(path) for path in self.paths],
            "verdict": plain(self.verdict),
        }

    @classmethod
    def from_message(cls, message: Any, asked: frozenset[Limit]) -> Self:
        """Return what a FindPathsResponse holds; see `Verdict.from_message` for `asked`."""
        nodes: list[GraphNode] = [
            *map(Artifact.from_message, message.artifacts),
            *map(Execution.from_message, message.executions),
        ]
        by_key = {key_of(node): node for node in nodes}
        return cls(
            paths=tuple(
                Path(
                    nodes=tuple(by_key[node_key(node)] for node in path.nodes),
                    edges=tuple(map(Event.from_message, path.events)),
                )
                for path in message.paths
            ),
            verdict=Verdict.from_message(message.verdict, asked),
        )


def _path_to_dict(path: Path) -> dict[str, Any]:
    nodes = [{"key": key_of(node), "type": node.type, "name": node.name} for node in path.nodes]
    return {"nodes": nodes, "edges": [edge_to_dict(event) for event in path.edges]}
