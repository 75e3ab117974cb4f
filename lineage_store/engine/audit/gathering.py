"""The material of an answer: lineage as entities, with runs, reports and types of models."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from lineage_store.audit.material import Material, Report
from lineage_store.database.queries import audit
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.lineage.closure_graph import closure_graph
from lineage_store.engine.lineage.known_then import check_known
from lineage_store.engine.lineage.selection import check_exist
from lineage_store.engine.lineage.sources import GraphSources
from lineage_store.engine.lineage.walks import Bounded, graph
from lineage_store.entities import Artifact, Context, Event, Execution, Node
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION
from lineage_store.lineage.graph import Direction, LineageGraph
from lineage_store.lineage.identity import GraphNode, key, key_of
from lineage_store.lineage.verdict import Limit, Verdict
from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_pb2 as pb

MAX_NODES = 100_000
"""Nodes of a lineage, all of which are held in memory as entities."""

_RUN = re.compile(r"(.*\.)?(pipeline_?)?run", re.IGNORECASE)
"""The names of the types of contexts that stand for one run: "Run", "system.PipelineRun"."""

_INPUTS = frozenset(audit.INPUT_TYPES)


def walked(
    snapshot: Snapshot,
    request: Bounded,
    sources: GraphSources,
    artifact_id: int,
    direction: Direction,
    *,
    fold: bool = True,
) -> Material:
    """Return the lineage of an artifact with all that goes with it.

    Args:
        snapshot: The store.
        request: The bounds of the walk.
        sources: The graph to read, and its limits.
        artifact_id: The artifact.
        direction: Upstream or downstream.
        fold: Whether cached repeats are folded into the executions that ran.
    """
    limits = sources.limits
    within = sources.within(replace(limits, max_nodes=min(limits.max_nodes, MAX_NODES)))
    lineage = closure_graph(snapshot, artifact_id, direction, request, within)
    return material(snapshot, lineage.fold() if fold else lineage)


def around(
    snapshot: Snapshot, request: Bounded, sources: GraphSources, artifact_id: int
) -> Material:
    """Return the executions that read an artifact, with all that they read and wrote."""
    reader = graph(request, "as_of", sources, with_bodies=True)(snapshot)
    check_exist(snapshot, ARTIFACT, [artifact_id])
    check_known(snapshot, ARTIFACT, [artifact_id], request.as_of)
    readers = sorted({e[2] for e in reader.all_events(ARTIFACT, [artifact_id]) if e[3] in _INPUTS})
    most = min(sources.limits.max_nodes, MAX_NODES)
    edges = reader.all_events(EXECUTION, readers[:most])
    artifact_ids = sorted({artifact_id, *(edge[1] for edge in edges)})
    kept_ids = {artifact_id, *artifact_ids[:most]}
    kept_edges = [edge for edge in edges if edge[1] in kept_ids]
    is_whole = len(readers) <= most and len(artifact_ids) <= most
    bodies = [edge[4] or b"" for edge in kept_edges]
    if any(edge[4] is None for edge in kept_edges):
        encoded = reader.event_bodies(edge[0] for edge in kept_edges)
        bodies = [encoded[edge[0]] for edge in kept_edges]
    nodes: list[GraphNode] = [
        *artifacts_of(reader.bodies(ARTIFACT, kept_ids).values()),
        *executions_of(reader.bodies(EXECUTION, readers[:most]).values()),
    ]
    lineage = LineageGraph(
        nodes=tuple(nodes),
        edges=tuple(Event.from_message(pb.Event.FromString(body)) for body in bodies),
        hops={key_of(node): 2 - isinstance(node, Execution) for node in nodes},
        start=(key("artifact", artifact_id),),
        direction=Direction.DOWNSTREAM,
        verdict=Verdict(
            complete=is_whole,
            reason=None if is_whole else Limit.MAX_NODES,
            node_count=len(nodes),
            event_count=len(kept_edges),
        ),
    )
    return material(snapshot, lineage)


def material(snapshot: Snapshot, lineage: LineageGraph) -> Material:
    """Return a lineage with runs, reports and the types of models."""
    artifact_ids = [node.id or 0 for node in lineage.artifacts]
    return Material(
        graph=lineage,
        runs=runs_of(snapshot, lineage.executions),
        reports=reports_of(snapshot, artifact_ids),
        model_types=model_types(snapshot),
    )


def runs_of(snapshot: Snapshot, steps: Sequence[Execution]) -> dict[str, tuple[Node, ...]]:
    """Return the executions and contexts of the whole runs that steps belong to, by their keys."""
    pairs = sorted(
        (step, context)
        for context, step in _contexts_of(snapshot, [step.id or 0 for step in steps])
    )
    contexts = run_contexts(snapshot, {context for _, context in pairs})
    nodes: dict[int, list[Node]] = defaultdict(list)
    for context_id, body in audit.runs_in(snapshot, contexts):
        nodes[context_id].append(Execution.from_message(pb.Execution.FromString(body)))
    for context_id, context in contexts.items():
        nodes[context_id].append(context)
    runs: dict[str, list[Node]] = defaultdict(list)
    for step_id, context_id in pairs:
        own = key("execution", step_id)
        runs[own] += [node for node in nodes[context_id] if key_of(node) != own]
    return {name: tuple(of) for name, of in runs.items()}


def _contexts_of(snapshot: Snapshot, step_ids: Sequence[int]) -> list[tuple[int, int]]:
    rows = audit.contexts_of(snapshot.connection, step_ids)
    return [(context, step) for step, context in rows]


def run_contexts(snapshot: Snapshot, context_ids: Iterable[int]) -> dict[int, Context]:
    """Return those of some contexts that stand for one run, by their ids."""
    messages = [
        pb.Context.FromString(body) for _, body in snapshot.nodes_by_ids(CONTEXT, list(context_ids))
    ]
    contexts = map(Context.from_message, messages)
    return {one.id or 0: one for one in contexts if _RUN.fullmatch(one.type or "")}


def reports_of(snapshot: Snapshot, artifact_ids: Iterable[int]) -> dict[int, Report]:
    """Return the last sight of the payloads of artifacts, by their ids."""
    rows = audit.reports_of(snapshot.connection, artifact_ids)
    return {row[0]: report(*row[1:]) for row in rows}


def report(status: int, digest: str, by: str, recorded_at: int) -> Report:
    """Return the report in a row."""
    return Report(status == cache_pb2.ArtifactReport.VERIFIED, digest, by, recorded_at)


def model_types(snapshot: Snapshot) -> frozenset[str]:
    """Return the names of the types of artifacts that are models by their base."""
    messages = snapshot.types.all(ARTIFACT)
    return frozenset(m.name for m in messages if m.base_type == pb.ArtifactType.MODEL)


def artifacts_of(bodies: Iterable[bytes]) -> list[Artifact]:
    """Return the artifacts in encoded messages."""
    return [Artifact.from_message(pb.Artifact.FromString(body)) for body in bodies]


def executions_of(bodies: Iterable[bytes]) -> list[Execution]:
    """Return the executions in encoded messages."""
    return [Execution.from_message(pb.Execution.FromString(body)) for body in bodies]


def nodes_of(snapshot: Snapshot, ids: Iterable[str]) -> dict[str, GraphNode]:
    """Return artifacts and executions by their keys."""
    by_kind: dict[str, list[int]] = defaultdict(list)
    for name in ids:
        kind, _, digits = name.partition(":")
        by_kind[kind].append(int(digits))
    artifacts = artifacts_of(b for _, b in snapshot.nodes_by_ids(ARTIFACT, by_kind["artifact"]))
    executions = executions_of(b for _, b in snapshot.nodes_by_ids(EXECUTION, by_kind["execution"]))
    nodes: list[GraphNode] = [*artifacts, *executions]
    return {key_of(node): node for node in nodes}


def artifact(snapshot: Snapshot, artifact_id: int) -> Artifact:
    """Return an artifact.

    Raises:
        NotFound: There is none of this id.
    """
    check_exist(snapshot, ARTIFACT, [artifact_id])
    return artifacts_of(body for _, body in snapshot.nodes_by_ids(ARTIFACT, [artifact_id]))[0]
