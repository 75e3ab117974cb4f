"""Reports on the payloads of artifacts: the last observation of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from lineage_store.database import tables
from lineage_store.database.connection import Connection
from lineage_store.database.facts import FactKey, FactKind
from lineage_store.database.staging.journal import Journal, Staged
from lineage_store.database.statements import ListStatement, slots

_c = tables.artifact_reports.c
_REPORTS = ListStatement(
    lambda n: select(_c.artifact_id, _c.status, _c.digest, _c.reported_by, _c.recorded_at).where(
        _c.artifact_id.in_(slots(n))
    )
)
_REPLACED = ListStatement(
    lambda n: select(
        _c.artifact_id, _c.revision, _c.status, _c.digest, _c.reported_by, _c.recorded_at
    ).where(_c.artifact_id.in_(slots(n)))
)


@dataclass(frozen=True, slots=True)
class StoredReport:
    """An observation of a payload.

    Attributes:
        artifact_id: The artifact.
        status: Whether the payload was there, an ArtifactReport.Status.
        digest: The digest of the payload; empty: unknown.
        by: The observer.
        recorded_at: When the store learned it, in µs.
    """

    artifact_id: int
    status: int
    digest: str
    by: str
    recorded_at: int


class Reports:
    """The newest report on each artifact within a transaction, staged ones included."""

    def __init__(self, connection: Connection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal
        self._revisions: dict[int, int] = {}
        self._new: Staged[int, StoredReport] = Staged(journal)

    def of(self, artifact_ids: Iterable[int]) -> dict[int, StoredReport]:
        """Return the newest report on each of some artifacts that has any."""
        ids = list(dict.fromkeys(artifact_ids))
        stored_reports = {
            row[0]: StoredReport(*row) for row in self._connection.rows_of(_REPORTS, ids)
        }
        return stored_reports | {i: self._new.items[i] for i in ids if i in self._new.items}

    def put(self, report: StoredReport) -> None:
        """Stage a report."""
        self._new.put(report.artifact_id, report)

    def flush(self) -> None:
        """Write all staged reports, and keep those that they replace."""
        stamp, reports = self._journal.stamp, self._new.items
        replaced_rows = self._connection.rows_of(_REPLACED, list(reports))
        versions = [(*row, stamp) for row in replaced_rows]
        self._connection.insert(tables.artifact_report_versions, versions)
        replaced_revisions = {row[0]: row[1] for row in replaced_rows}
        self._revisions = {i: replaced_revisions.get(i, 0) + 1 for i in reports}
        rows = [
            (r.artifact_id, r.status, r.digest, r.by, stamp, self._revisions[r.artifact_id])
            for r in reports.values()
        ]
        self._connection.insert(tables.artifact_reports, rows, on_conflict="update")

    def facts(self) -> dict[int, Sequence[FactKey]]:
        """Return the new reports, once they are flushed."""
        return {FactKind.REPORT: list(self._revisions.items())} if self._revisions else {}
