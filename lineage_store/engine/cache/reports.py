"""ReportArtifacts: someone's observations of payloads, shared with all lookups."""

from lineage_store import errors
from lineage_store.database.staging.artifact_reports import StoredReport
from lineage_store.database.transaction import Transaction
from lineage_store.engine.requests import required, text
from lineage_store.engine.sizes import check_size
from lineage_store.kinds import ARTIFACT
from lineage_store.v1 import cache_pb2 as pb


def report_artifacts(
    tx: Transaction, request: pb.ReportArtifactsRequest
) -> pb.ReportArtifactsResponse:
    """Keep the reports; of several on one artifact the last one counts."""
    tx.nodes[ARTIFACT].check(report.artifact_id for report in request.reports)
    for at, report in enumerate(request.reports):
        where = f"reports[{at}]."
        artifact_id = required(report, "artifact_id", where)
        if not tx.nodes[ARTIFACT].exists(artifact_id):
            raise errors.InvalidArgument(f"{where}artifact_id: there is no artifact {artifact_id}")
        if report.status == pb.ArtifactReport.STATUS_UNSPECIFIED:
            raise errors.InvalidArgument(f"{where}status must be VERIFIED or MISSING")
        digest, by = text(f"{where}digest", report.digest), text(f"{where}by", report.by)
        check_size(tx, len(digest.encode()) + len(by.encode()), f"reports[{at}]", report)
        tx.reports.put(StoredReport(artifact_id, report.status, digest, by, tx.stamp))
    return pb.ReportArtifactsResponse()
