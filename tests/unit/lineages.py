"""Lineages built by hand, in the few words that a test needs."""

from typing import Any

from lineage_store import Artifact, Event, EventType, Execution
from lineage_store.lineage.graph import Direction
from lineage_store.lineage.identity import GraphNode, key_of
from lineage_store.lineage.result import Lineage, LineagePart
from lineage_store.lineage.verdict import Verdict

COMPLETE = Verdict(complete=True)


def data(node_id: int, name: str | None = None, digest: str | None = None, **more: Any) -> Artifact:
    """Return an artifact of the type Data, unless told otherwise."""
    properties = more.pop("properties", {}) | ({"sha256": digest} if digest else {})
    fields = {"type": "Data", "name": name, "properties": properties, **more}
    return Artifact(id=node_id, **fields)


def step(node_id: int, type_name: str, **properties: Any) -> Execution:
    """Return an execution."""
    return Execution(id=node_id, type=type_name, properties=properties)


def reads(execution: Execution, artifact: Artifact, *path: str | int) -> Event:
    """Return the event of an input."""
    ids = {"execution_id": execution.id, "artifact_id": artifact.id}
    return Event(type=EventType.INPUT, path=path, **ids)


def writes(execution: Execution, artifact: Artifact, *path: str | int) -> Event:
    """Return the event of an output."""
    ids = {"execution_id": execution.id, "artifact_id": artifact.id}
    return Event(type=EventType.OUTPUT, path=path, **ids)


def lineage(
    hops: list[list[GraphNode]],
    edges: list[Event],
    direction: Direction = Direction.UPSTREAM,
    verdict: Verdict = COMPLETE,
) -> Lineage:
    """Return a lineage whose nodes are given hop by hop."""
    parts = [LineagePart(hop=at, nodes=tuple(some), edges=()) for at, some in enumerate(hops)]
    parts.append(LineagePart(hop=0, nodes=(), edges=tuple(edges), verdict=verdict))
    return Lineage(direction=direction).joined_by(parts)


def keys(nodes: list[GraphNode]) -> list[str]:
    """Return the keys of nodes."""
    return [key_of(node) for node in nodes]
