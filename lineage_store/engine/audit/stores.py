"""The questions on a whole store: inventory, users of code, gaps and counts."""

from collections import defaultdict
from dataclasses import replace
from typing import Any

from lineage_store import errors
from lineage_store.audit import overview
from lineage_store.audit.material import Material
from lineage_store.audit.usage import Usage
from lineage_store.database.queries import audit as queries
from lineage_store.database.queries.listing import PageQuery
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.audit.answers import answer
from lineage_store.engine.audit.gathering import (
    artifacts_of,
    executions_of,
    model_types,
    nodes_of,
    reports_of,
    run_contexts,
    runs_of,
    walked,
)
from lineage_store.engine.audit.scanning import scan
from lineage_store.engine.audit.sources import AuditSources
from lineage_store.engine.lineage.budget import Meter
from lineage_store.engine.requests import non_empty_all, text
from lineage_store.entities import Artifact, Execution
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION
from lineage_store.lineage.graph import Direction, LineageGraph
from lineage_store.lineage.identity import GraphNode, key, key_of
from lineage_store.lineage.verdict import Limit, Verdict
from lineage_store.v1 import audit_pb2 as pb
from lineage_store.v1 import lineage_pb2, metadata_pb2

MAX_GAPS = 10_000
"""Artifacts without producer, and executions without inputs, in one answer."""

MAX_OWN_GAPS = 100_000
"""Other gaps in one answer."""

_KINDS = {pb.UsedByRequest.COMMIT: "commit", pb.UsedByRequest.IMAGE: "image",
          pb.UsedByRequest.LIBRARY: "library"}  # fmt: skip


def _meter(sources: AuditSources) -> Meter:
    return Meter(lineage_pb2.LineageBudget(), sources.graphs.limits)


def inventory(
    snapshot: Snapshot, request: pb.InventoryRequest, sources: AuditSources
) -> pb.InventoryResponse:
    """Answer the models of the store."""
    stages = non_empty_all("stages", request.stages)
    types = model_types(snapshot)
    named = [t for t in snapshot.types.all(ARTIFACT) if overview.is_model_type(t.name, types)]
    models: list[Artifact] = []

    def take(bodies: list[bytes]) -> int:
        models.extend(artifacts_of(bodies))
        return len(bodies)

    listings = (PageQuery(kind=ARTIFACT, type_id=message.id) for message in named)
    verdict = scan(snapshot, listings, _meter(sources), take)
    audit = overview.inventory(models, stages, verdict)
    return pb.InventoryResponse(audit=answer(snapshot, sources, audit))


def used_by(
    snapshot: Snapshot, request: pb.UsedByRequest, sources: AuditSources
) -> pb.UsedByResponse:
    """Answer the executions that used a commit, an image or a version of a library."""
    kind = _KINDS.get(request.kind)
    if kind is None:
        raise errors.InvalidArgument("kind must be COMMIT, IMAGE or LIBRARY")
    usage = Usage.of(kind, text("value", request.value))

    def take(bodies: list[bytes]) -> int:
        return usage.take(executions_of(bodies))

    verdict = scan(snapshot, [PageQuery(kind=EXECUTION)], _meter(sources), take)
    steps = _steps_of_runs(snapshot, usage.runs)
    runs = runs_of(snapshot, usage.silent)
    without = sum(not any(map(usage.facts, runs.get(key_of(s), ()))) for s in usage.silent)
    audit = overview.used_by(kind, request.value, usage.users, without, steps, verdict)
    return pb.UsedByResponse(audit=answer(snapshot, sources, audit))


def _steps_of_runs(snapshot: Snapshot, runs: list[Execution]) -> dict[str, list[Execution]]:
    """Return the other executions in the contexts of runs, by the key of the run."""
    contexts = _run_contexts(snapshot, [run.id or 0 for run in runs])
    members: dict[int, list[int]] = defaultdict(list)
    context_ids = {context for of in contexts.values() for context in of}
    for context_id, execution_id in queries.members_of(snapshot.connection, context_ids):
        members[context_id].append(execution_id)
    step_ids = {step for of in members.values() for step in of}
    bodies = snapshot.nodes_by_ids(EXECUTION, step_ids)
    steps = {step.id: step for step in executions_of(body for _, body in bodies)}
    return {
        key_of(run): [
            steps[step_id]
            for context_id in contexts.get(run.id or 0, ())
            for step_id in members[context_id]
            if step_id != run.id
        ]
        for run in runs
    }


def _run_contexts(snapshot: Snapshot, execution_ids: list[int]) -> dict[int, set[int]]:
    """Return the contexts of single runs that executions belong to, by their ids."""
    pairs = queries.contexts_of(snapshot.connection, execution_ids)
    single = run_contexts(snapshot, {context for _, context in pairs})
    contexts: dict[int, set[int]] = defaultdict(set)
    for execution_id, context_id in pairs:
        if context_id in single:
            contexts[execution_id].add(context_id)
    return contexts


def gaps(snapshot: Snapshot, request: pb.GapsRequest, sources: AuditSources) -> pb.GapsResponse:
    """Answer the places where the record of the store, or of a lineage, ends too early."""
    if request.HasField("artifact_id"):
        bounded = pb.OriginsRequest(artifact_id=request.artifact_id, budget=request.budget)
        upstream = walked(
            snapshot, bounded, sources.graphs, request.artifact_id, Direction.UPSTREAM
        )
        rows = list(overview.gaps_of(upstream))
        audit = overview.gaps(rows, upstream.verdict, f"the lineage of {key_of(upstream.subject)}")
        return pb.GapsResponse(audit=answer(snapshot, sources, audit))
    rows, verdict = _gaps_of_store(snapshot, sources)
    audit = overview.gaps(rows, verdict, "the store")
    return pb.GapsResponse(audit=answer(snapshot, sources, audit))


Gap = tuple[GraphNode, str, str]


def _gaps_of_store(snapshot: Snapshot, sources: AuditSources) -> tuple[list[Gap], Verdict]:
    """Return the gaps of a store, and whether these are all."""
    limits = sources.graphs.limits
    with snapshot.connection.within(limits.max_milliseconds / 1000):
        rows, is_whole = _one_sided_nodes(snapshot)
    bounded = replace(limits, max_nodes=min(limits.max_nodes, MAX_OWN_GAPS))
    meter = Meter(lineage_pb2.LineageBudget(), bounded)

    def take_executions(bodies: list[bytes]) -> int:
        return add(Material(graph=LineageGraph(nodes=tuple(executions_of(bodies)))))

    def take_artifacts(bodies: list[bytes]) -> int:
        nodes = artifacts_of(bodies)
        reports = reports_of(snapshot, [node.id or 0 for node in nodes])
        return add(Material(graph=LineageGraph(nodes=tuple(nodes)), reports=reports))

    def add(page: Material) -> int:
        before = len(rows)
        rows.extend(overview.own_gaps(page))
        return len(rows) - before

    for kind, take in ((EXECUTION, take_executions), (ARTIFACT, take_artifacts)):
        verdict = scan(snapshot, [PageQuery(kind=kind)], meter, take)
        if not verdict.complete:
            return rows, verdict
    return rows, Verdict(
        complete=is_whole, reason=None if is_whole else Limit.MAX_NODES, by_server=not is_whole
    )


def _one_sided_nodes(snapshot: Snapshot) -> tuple[list[Gap], bool]:
    """Return artifacts without producer and executions without inputs, and whether that is all."""
    artifact_ids = queries.unproduced_artifacts(snapshot.connection, MAX_GAPS + 1)
    step_ids = queries.executions_without_inputs(snapshot.connection, MAX_GAPS + 1)
    is_whole = max(len(artifact_ids), len(step_ids)) <= MAX_GAPS
    artifact_keys = [key("artifact", node_id) for node_id in artifact_ids[:MAX_GAPS]]
    step_keys = [key("execution", node_id) for node_id in step_ids[:MAX_GAPS]]
    nodes = nodes_of(snapshot, [*artifact_keys, *step_keys])
    rows = [(nodes[name], *overview.NO_PRODUCER) for name in artifact_keys]
    rows += [(nodes[name], *overview.NO_INPUTS) for name in step_keys]
    return rows, is_whole


def counts(
    snapshot: Snapshot, request: pb.CountsRequest, sources: AuditSources
) -> pb.CountsResponse:
    """Answer how many nodes and events of each type there are."""
    context_id, where = None, "the store"
    if request.HasField("context_id"):
        context_id = request.context_id
        bodies = snapshot.nodes_by_ids(CONTEXT, [context_id])
        if not bodies:
            raise errors.NotFound(f"there is no context {context_id}")
        context = metadata_pb2.Context.FromString(bodies[0][1])
        where = f"{context.type} {context.name}"
    with snapshot.connection.within(sources.graphs.limits.max_milliseconds / 1000):
        nodes = queries.counts(snapshot.connection, context_id)
        events = queries.event_counts(snapshot.connection, context_id)
    rows = [(kind.name, name, count) for kind, name, count in nodes]
    rows += [("event", event_name(kind), count) for kind, count in events]
    audit = overview.counts(rows, where)
    return pb.CountsResponse(audit=answer(snapshot, sources, audit))


def event_name(number: Any) -> str:  # noqa: ANN401 - the stubs want an enum
    """Return the name of a type of events."""
    return str(metadata_pb2.Event.Type.Name(number))
