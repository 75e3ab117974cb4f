"""Stores with nodes to tie together, and the lineage in a snapshot of one."""

from collections.abc import Iterable
from random import Random
from typing import Any

from lineage_store.database.queries.lineage import LineageReader
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine import Engine
from lineage_store.engine.lineage.reader import GraphReader
from lineage_store.engine.lineage.sources import AdjacencyReader
from lineage_store.kinds import ARTIFACT, EXECUTION
from lineage_store.lineage.rules import BIDIRECTIONAL, DOWNSTREAM, UPSTREAM, Rules
from lineage_store.lineage.state import State
from lineage_store.lineage.walk import PageSizes, Walk
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service

NODES = 60
"""Artifacts in a store, and executions; their ids count from 1."""

Event = tuple[int, int, int]
"""Artifact id, execution id, type."""


def fill(engine: Engine) -> None:
    """Put nodes without events."""
    types = service.PutTypesRequest(
        artifact_types=[pb.ArtifactType(name="A")], execution_types=[pb.ExecutionType(name="E")]
    )
    engine.call("PutTypes", types)
    request = service.PutLineageSubgraphRequest()
    for _ in range(NODES):
        request.artifacts.add(type_id=10)
        request.executions.add(type_id=11)
    engine.call("PutLineageSubgraph", request)


def shuffled_events(seed: int) -> list[Event]:
    """Return all events that there can be, in some order."""
    events = [(a, e, t) for a in range(1, NODES + 1) for e in range(1, NODES + 1) for t in (3, 4)]
    Random(seed).shuffle(events)
    return events


def put(engine: Engine, events: Iterable[Event]) -> None:
    request = service.PutEventsRequest()
    for artifact, execution, of_type in events:
        request.events.add(artifact_id=artifact, execution_id=execution, type=of_type)
    engine.call("PutEvents", request)


def subgraph(engine: Engine, start: int, direction: int, hops: int = 4) -> Any:
    """Return the ids and the events of a graph, sorted."""
    request = service.GetLineageSubgraphRequest()
    options = request.lineage_subgraph_query_options
    options.starting_artifacts.filter_query = f"id = {start}"
    options.direction, options.max_num_hops = direction, hops
    answer = service.GetLineageSubgraphResponse.FromString(
        engine.call("GetLineageSubgraph", request)
    )
    subgraph_parts = answer.lineage_subgraph
    return (
        sorted(node.id for node in subgraph_parts.artifacts),
        sorted(node.id for node in subgraph_parts.executions),
        sorted(event.SerializeToString(deterministic=True) for event in subgraph_parts.events),
    )


def from_memory(engine: Engine, snapshot: Snapshot) -> AdjacencyReader | None:
    """Return the graph of a snapshot, if the one in memory can tell it."""
    graph = engine._sources.present(snapshot, with_bodies=True)
    return graph if isinstance(graph, AdjacencyReader) else None


def walked(graph: GraphReader, direction: int) -> Any:
    """Return all that a walk from the first artifact finds."""
    walk = Walk(Rules(direction=direction, max_hops=4), State.start(ARTIFACT, [1]))
    events = []
    while not walk.is_done and not walk.is_far_enough:
        step = walk.look(graph, PageSizes())
        walk.take(step)
        events += [edge[1:] for edge in step.events]
    answered = walk.state.answered
    return sorted(answered[ARTIFACT]), sorted(answered[EXECUTION]), sorted(events)


def assert_same(engine: Engine, snapshot: Snapshot) -> bool:
    """Compare the graph in memory with the snapshot; return whether it could tell."""
    graph = from_memory(engine, snapshot)
    if graph is not None:
        for direction in (UPSTREAM, DOWNSTREAM, BIDIRECTIONAL):
            assert walked(graph, direction) == walked(LineageReader(snapshot), direction)
    return graph is not None
