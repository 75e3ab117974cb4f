"""The questions on the lineage of an artifact."""

from collections.abc import Iterable

from lineage_store import errors
from lineage_store.audit import downstream, inheritance
from lineage_store.audit import ways as ways_of
from lineage_store.audit.independence import independence as judged
from lineage_store.audit.origins import origins as traced
from lineage_store.audit.rerun import rerun_plan as planned
from lineage_store.audit.vocabulary import Role
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.audit.answers import answer
from lineage_store.engine.audit.gathering import around, artifact, walked
from lineage_store.engine.audit.sources import AuditSources
from lineage_store.engine.lineage.comparing import compare_artifacts
from lineage_store.engine.lineage.paths import find_paths
from lineage_store.engine.requests import non_empty_all, required
from lineage_store.lineage.differences import Comparison
from lineage_store.lineage.graph import Direction
from lineage_store.lineage.identity import key
from lineage_store.lineage.labels import title
from lineage_store.lineage.paths import Paths
from lineage_store.v1 import audit_pb2 as pb
from lineage_store.v1 import lineage_pb2
from lineage_store.v1.metadata_pb2 import LineageSubgraphQueryOptions as Options

UP, DOWN = Direction.UPSTREAM, Direction.DOWNSTREAM


def origins(
    snapshot: Snapshot, request: pb.OriginsRequest, sources: AuditSources
) -> pb.OriginsResponse:
    """Answer which data, code, images and parameters reached an artifact."""
    artifact_id = required(request, "artifact_id", "")
    roles = _roles(request.roles)
    audit = traced(walked(snapshot, request, sources.graphs, artifact_id, UP), roles)
    return pb.OriginsResponse(audit=answer(snapshot, sources, audit))


def _roles(names: Iterable[str]) -> list[Role]:
    try:
        return [Role(name.upper()) for name in names]
    except ValueError:
        choices = ", ".join(Role)
        raise errors.InvalidArgument(f"roles: each must be one of {choices}") from None


def independence(
    snapshot: Snapshot, request: pb.IndependenceRequest, sources: AuditSources
) -> pb.IndependenceResponse:
    """Answer whether training and test data of a model share content."""
    artifact_id = required(request, "artifact_id", "")
    named_tests = [
        artifact(snapshot, test_id) for test_id in sorted(set(request.test_artifact_ids))
    ]
    upstream = walked(snapshot, request, sources.graphs, artifact_id, UP)
    evaluations = around(snapshot, request, sources.graphs, artifact_id)
    audit = judged(upstream, evaluations, named_tests)
    return pb.IndependenceResponse(audit=answer(snapshot, sources, audit))


def recall(
    snapshot: Snapshot, request: pb.RecallRequest, sources: AuditSources
) -> pb.RecallResponse:
    """Answer what was made from an artifact, models first."""
    artifact_id = required(request, "artifact_id", "")
    stages = non_empty_all("stages", request.stages)
    audit = downstream.recall(walked(snapshot, request, sources.graphs, artifact_id, DOWN), stages)
    return pb.RecallResponse(audit=answer(snapshot, sources, audit))


def paths(snapshot: Snapshot, request: pb.PathsRequest, sources: AuditSources) -> pb.PathsResponse:
    """Answer the ways from one artifact to another, with the events on them."""
    ids = [required(request, f"{end}_artifact_id", "") for end in ("source", "target")]
    query = lineage_pb2.FindPathsRequest(
        source=lineage_pb2.LineageNode(kind=lineage_pb2.ARTIFACT, id=ids[0]),
        target=lineage_pb2.LineageNode(kind=lineage_pb2.ARTIFACT, id=ids[1]),
        direction=Options.DOWNSTREAM,
        max_paths=request.max_paths,
        fold_cached=True,
        budget=request.budget,
    )
    if request.HasField("as_of"):
        query.as_of.CopyFrom(request.as_of)
    message = lineage_pb2.FindPathsResponse.FromString(find_paths(snapshot, query, sources.graphs))
    names = [title(artifact(snapshot, artifact_id)) for artifact_id in ids]
    audit = ways_of.paths(Paths.from_message(message, frozenset()), *names)
    return pb.PathsResponse(audit=answer(snapshot, sources, audit))


def differences(
    snapshot: Snapshot, request: pb.DifferencesRequest, sources: AuditSources
) -> pb.DifferencesResponse:
    """Answer the differences between two artifacts and all that they were made from."""
    ids = [required(request, f"{side}_artifact_id", "") for side in ("left", "right")]
    query = lineage_pb2.CompareRequest(
        left_artifact_id=ids[0], right_artifact_id=ids[1], budget=request.budget
    )
    if request.HasField("as_of"):
        query.as_of.CopyFrom(request.as_of)
    message = compare_artifacts(snapshot, query, sources.graphs)
    keys = [key("artifact", artifact_id) for artifact_id in ids]
    comparison = Comparison.from_message(message, keys[0], keys[1], frozenset())
    left, right = (artifact(snapshot, artifact_id) for artifact_id in ids)
    audit = ways_of.differences(comparison, left, right)
    return pb.DifferencesResponse(audit=answer(snapshot, sources, audit))


def rerun_plan(
    snapshot: Snapshot, request: pb.RerunPlanRequest, sources: AuditSources
) -> pb.RerunPlanResponse:
    """Answer the steps that make an artifact again, and what they need."""
    artifact_id = required(request, "artifact_id", "")
    audit = planned(walked(snapshot, request, sources.graphs, artifact_id, UP))
    return pb.RerunPlanResponse(audit=answer(snapshot, sources, audit))


def third_party(
    snapshot: Snapshot, request: pb.ThirdPartyRequest, sources: AuditSources
) -> pb.ThirdPartyResponse:
    """Answer what of others an artifact came from."""
    artifact_id = required(request, "artifact_id", "")
    audit = inheritance.third_party(walked(snapshot, request, sources.graphs, artifact_id, UP))
    return pb.ThirdPartyResponse(audit=answer(snapshot, sources, audit))


def labels(
    snapshot: Snapshot, request: pb.LabelsRequest, sources: AuditSources
) -> pb.LabelsResponse:
    """Answer which labels an artifact inherits."""
    artifact_id = required(request, "artifact_id", "")
    selection = non_empty_all("labels", request.labels)
    audit = inheritance.labels(
        walked(snapshot, request, sources.graphs, artifact_id, UP), selection
    )
    return pb.LabelsResponse(audit=answer(snapshot, sources, audit))


def monitoring(
    snapshot: Snapshot, request: pb.MonitoringRequest, sources: AuditSources
) -> pb.MonitoringResponse:
    """Answer the records of quality of a model, and the data they compare with."""
    artifact_id = required(request, "artifact_id", "")
    audit = downstream.monitoring(around(snapshot, request, sources.graphs, artifact_id))
    return pb.MonitoringResponse(audit=answer(snapshot, sources, audit))
