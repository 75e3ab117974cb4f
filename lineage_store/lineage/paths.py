"""The ways from one node to another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from lineage_store.entities import Artifact, Event, Execution
from lineage_store.lineage.exports import edge_to_dict, verdict_to_dict
from lineage_store.lineage.folding import Repeats, repeats_to_dict
from lineage_store.lineage.identity import GraphNode, key, key_of, node_key
from lineage_store.lineage.labels import label
from lineage_store.lineage.verdict import Limit, Verdict
from lineage_store.v1 import lineage_pb2 as pb


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One way from a node to another.

    Attributes:
        nodes: From the source to the target.
        edges: The events between them: one less.
        repeats: What is folded into executions on it, by their keys: cached repeats, over which the
            same way leads.
    """

    nodes: tuple[GraphNode, ...]
    edges: tuple[Event, ...]
    repeats: Mapping[str, Repeats] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of hops."""
        return len(self.edges)

    def __str__(self) -> str:
        return "\n".join(map(self._line, self.nodes))

    def _line(self, node: GraphNode) -> str:
        repeats = self.repeats.get(key_of(node))
        return label(node) if repeats is None else f"{label(node)}  {repeats}"


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

    @property
    def repeat_count(self) -> int:
        """The number of executions that are folded into those on the paths."""
        groups = {name: repeats for path in self.paths for name, repeats in path.repeats.items()}
        return sum(repeats.count for repeats in groups.values())

    def to_dict(self) -> dict[str, Any]:
        """Return the paths in terms of JSON; edges are as in the JSON of a lineage."""
        return {
            "paths": [_path_to_dict(path) for path in self.paths],
            "verdict": verdict_to_dict(self.verdict, self.repeat_count),
        }

    @classmethod
    def from_message(cls, message: pb.FindPathsResponse, caller_limits: frozenset[Limit]) -> Self:
        """Return the paths in a FindPathsResponse; `caller_limits` as for `Verdict`."""
        nodes: list[GraphNode] = [
            *map(Artifact.from_message, message.artifacts),
            *map(Execution.from_message, message.executions),
        ]
        by_key = {key_of(node): node for node in nodes}
        repeats = {
            key("execution", one.execution_id): Repeats(count=one.count, ids=tuple(one.ids))
            for one in message.repeats
        }
        return cls(
            paths=tuple(_path(path, by_key, repeats) for path in message.paths),
            verdict=Verdict.from_message(message.verdict, caller_limits),
        )


def _path(
    message: pb.FindPathsResponse.Path,
    by_key: Mapping[str, GraphNode],
    repeats: Mapping[str, Repeats],
) -> Path:
    keys = [node_key(node) for node in message.nodes]
    return Path(
        nodes=tuple(by_key[name] for name in keys),
        edges=tuple(map(Event.from_message, message.events)),
        repeats={name: repeats[name] for name in keys if name in repeats},
    )


def _path_to_dict(path: Path) -> dict[str, Any]:
    nodes = [_node_to_dict(path, node) for node in path.nodes]
    return {"nodes": nodes, "edges": [edge_to_dict(event) for event in path.edges]}


def _node_to_dict(path: Path, node: GraphNode) -> dict[str, Any]:
    fields: dict[str, Any] = {"key": key_of(node), "type": node.type, "name": node.name}
    if isinstance(node, Artifact):
        return fields
    return fields | {"repeats": repeats_to_dict(path.repeats.get(key_of(node)))}
