"""The questions on single records: cached or executed, corrections, late and later records."""

from collections.abc import Iterable, Iterator

from lineage_store import errors
from lineage_store.audit import records
from lineage_store.audit.material import Material
from lineage_store.audit.records import Change, Hit, LateEvent
from lineage_store.database.queries import audit as queries
from lineage_store.database.queries import history
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.audit.answers import answer
from lineage_store.engine.audit.gathering import (
    artifact,
    artifacts_of,
    executions_of,
    material,
    report,
    walked,
)
from lineage_store.engine.audit.sources import AuditSources
from lineage_store.engine.history.commit_messages import CommitMessages
from lineage_store.engine.history.field_changes import field_changes
from lineage_store.engine.history.revisions import Tokens
from lineage_store.engine.lineage.selection import check_exist
from lineage_store.engine.requests import US_IN_MS, required
from lineage_store.entities import Event
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION
from lineage_store.lineage.graph import Direction, LineageGraph
from lineage_store.lineage.identity import GraphNode, key
from lineage_store.v1 import audit_pb2 as pb
from lineage_store.v1 import history_pb2, lineage_pb2, metadata_pb2

MAX_LATE = 10_000
"""Late events of one answer."""

MAX_VERSIONS = 100_000
"""Versions of one node that are looked through."""


def executed_or_cached(
    snapshot: Snapshot, request: pb.ExecutedOrCachedRequest, sources: AuditSources
) -> pb.ExecutedOrCachedResponse:
    """Answer whether executions ran or were served from the cache."""
    node_field = request.WhichOneof("node")
    if node_field is None:
        raise errors.InvalidArgument("execution_id or artifact_id must be set")
    node_id = getattr(request, node_field)
    kind = EXECUTION if node_field == "execution_id" else ARTIFACT
    check_exist(snapshot, kind, [node_id])
    ids = [node_id]
    if kind is ARTIFACT:
        bodies = (row[3] for row in queries.events_of(snapshot.connection, [node_id]))
        events = (Event.from_message(metadata_pb2.Event.FromString(body)) for body in bodies)
        ids = sorted({event.execution_id or 0 for event in events if event.type.is_output})
    steps = executions_of(body for _, body in snapshot.nodes_by_ids(EXECUTION, ids))
    hits = {
        execution_id: Hit(execution_id, source_id, original_id, digest and bytes(digest).hex(), at)
        for execution_id, source_id, original_id, digest, at in queries.hits_of(
            snapshot.connection, ids
        )
    }
    subject: GraphNode = artifact(snapshot, node_id) if kind is ARTIFACT else steps[0]
    lineage = LineageGraph(nodes=tuple(steps))
    audit = records.executed_or_cached(steps, hits, material(snapshot, lineage), subject)
    return pb.ExecutedOrCachedResponse(audit=answer(snapshot, sources, audit))


def between(
    snapshot: Snapshot, request: pb.BetweenRequest, sources: AuditSources
) -> pb.BetweenResponse:
    """Answer the facts on an artifact that were recorded between two times."""
    artifact_id = required(request, "artifact_id", "")
    after = required(request, "after_microseconds", "")
    until = required(request, "until_microseconds", "")
    if after >= until:
        raise errors.InvalidArgument("until_microseconds must be later than after_microseconds")
    subject = artifact(snapshot, artifact_id)
    changes = [
        *_versions(snapshot, artifact_id, after, until, sources.tokens),
        *_events(snapshot, artifact_id),
        *_memberships(snapshot, artifact_id),
        *_reports(snapshot, artifact_id),
    ]
    audit = records.between(subject, changes, after, until)
    return pb.BetweenResponse(audit=answer(snapshot, sources, audit))


def _versions(
    snapshot: Snapshot, artifact_id: int, after: int, until: int, tokens: Tokens
) -> Iterator[Change]:
    """Yield a change for each field that a version changed."""
    connection = snapshot.connection
    rows = history.versions_of(connection, ARTIFACT, artifact_id, 0, MAX_VERSIONS)
    if len(rows) > MAX_VERSIONS:
        raise errors.ResourceExhausted(
            f"artifact {artifact_id} has more than {MAX_VERSIONS} versions: read its history in "
            "pages, with GetHistory"
        )
    stamps = [row[1] for row in rows if after < row[1] <= until]
    commits = CommitMessages(connection, tokens, stamps)
    before: metadata_pb2.Artifact | None = None
    for version, recorded_at, body in rows:
        node = metadata_pb2.Artifact.FromString(body)
        if after < recorded_at <= until:
            commit = commits.at(recorded_at)
            writer = "" if commit is None else commit.writer_name or str(commit.writer)
            if before is None:
                yield Change(recorded_at, "recorded first", "", "", writer)
            for change in _changes(before, node):
                fact = f"version {version}: {change.field}"
                yield Change(recorded_at, fact, change.before, change.after, writer)
        before = node


def _changes(
    before: metadata_pb2.Artifact | None, after: metadata_pb2.Artifact
) -> Iterable[history_pb2.FieldChange]:
    return [] if before is None else field_changes(before, after)


def _events(snapshot: Snapshot, artifact_id: int) -> Iterator[Change]:
    for _, execution_id, recorded_at, body in queries.events_of(snapshot.connection, [artifact_id]):
        event = Event.from_message(metadata_pb2.Event.FromString(body))
        name = key("execution", execution_id)
        yield Change(recorded_at, f"event {event.type} of {name}", node=name)


def _memberships(snapshot: Snapshot, artifact_id: int) -> Iterator[Change]:
    rows: dict[int, int] = dict(queries.memberships_of(snapshot.connection, artifact_id))
    for _, body in snapshot.nodes_by_ids(CONTEXT, list(rows)):
        context = metadata_pb2.Context.FromString(body)
        fact = f"member of {context.type} {context.name}"
        yield Change(rows[context.id], fact, node=key("context", context.id))


def _reports(snapshot: Snapshot, artifact_id: int) -> Iterator[Change]:
    for row in queries.all_reports_of(snapshot.connection, artifact_id):
        sighting = report(*row[1:])
        state = "payload seen" if sighting.is_present else "payload missing"
        yield Change(
            sighting.recorded_at, f"{state} by {sighting.by or 'nobody named'}", "", sighting.digest
        )


def late_records(
    snapshot: Snapshot, request: pb.LateRecordsRequest, sources: AuditSources
) -> pb.LateRecordsResponse:
    """Answer the events that were recorded long after they had happened."""
    late_ms = request.later_than_milliseconds or records.MS_IN_HOUR
    if late_ms < 0 or request.recorded_after_microseconds < 0:
        raise errors.InvalidArgument("later_than and recorded_after must not be negative")
    after = request.recorded_after_microseconds
    with snapshot.connection.within(sources.graphs.limits.max_milliseconds / 1000):
        rows = queries.late_events(snapshot.connection, after, late_ms, MAX_LATE + 1)
    listed = rows[:MAX_LATE]
    bodies = snapshot.nodes_by_ids(ARTIFACT, sorted({row[0] for row in listed}))
    artifacts = {node.id: node for node in artifacts_of(body for _, body in bodies)}
    late = [
        LateEvent(
            artifacts[artifact_id],
            Event.from_message(metadata_pb2.Event.FromString(body)),
            recorded_at,
        )
        for artifact_id, recorded_at, body in listed
    ]
    audit = records.late_records(late, late_ms, has_more=len(rows) > MAX_LATE)
    return pb.LateRecordsResponse(audit=answer(snapshot, sources, audit))


def learned_later(
    snapshot: Snapshot, request: pb.LearnedLaterRequest, sources: AuditSources
) -> pb.LearnedLaterResponse:
    """Answer which events of the past of an artifact the store learned of afterwards."""
    required(request, "artifact_id", "")
    moment = required(request, "moment_microseconds", "")
    happened = _bounded(
        snapshot, request, sources, lineage_pb2.AsOf(happened_by_milliseconds=moment // US_IN_MS)
    )
    try:
        recorded = _bounded(
            snapshot, request, sources, lineage_pb2.AsOf(recorded_by_microseconds=moment)
        )
    except errors.NotFound:  # it exists, so the store did not know it then
        recorded = Material(graph=LineageGraph())
    rows = queries.events_of(
        snapshot.connection, {event.artifact_id or 0 for event in happened.graph.edges}
    )
    stamps = {(row[0], row[1]): row[2] for row in rows}
    audit = records.learned_later(happened, recorded, stamps, moment)
    return pb.LearnedLaterResponse(audit=answer(snapshot, sources, audit))


def _bounded(
    snapshot: Snapshot,
    request: pb.LearnedLaterRequest,
    sources: AuditSources,
    as_of: lineage_pb2.AsOf,
) -> Material:
    artifact_id = request.artifact_id
    bounded = pb.OriginsRequest(artifact_id=artifact_id, as_of=as_of, budget=request.budget)
    upstream = Direction.UPSTREAM
    return walked(snapshot, bounded, sources.graphs, artifact_id, upstream, fold=False)
