"""What was seen last of the payloads of artifacts."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from lineage_store.database import tables
from lineage_store.database.connection import Connection
from lineage_store.database.staging.journal import Journal, Staged
from lineage_store.database.statements import ListStatement, slots

_c = tables.artifact_reports.c
_REPORTS = ListStatement(lambda n: select(*_c).where(_c.artifact_id.in_(slots(n))))


@dataclass(frozen=True, slots=True)
class Report:
    """What was seen of a payload.

    Attributes:
        artifact_id: Of which artifact.
        status: Whether it was there, an ArtifactReport.Status.
        digest: What it hashed to; empty: not known.
        by: Who saw it.
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
        self._new: Staged[int, Report] = Staged(journal)

    def of(self, artifact_ids: Iterable[int]) -> dict[int, Report]:
        """Return the newest report on each of some artifacts that has any."""
        ids = list(dict.fromkeys(artifact_ids))
        found = {row[0]: Report(*row) for row in self._connection.rows_of(_REPORTS, ids)}
        return found | {i: self._new.items[i] for i in ids if i in self._new.items}

    def put(self, report: Report) -> None:
        """Stage a report."""
        self._new.put(report.artifact_id, report)

    def flush(self) -> None:
        """Write what is staged."""
        rows = [
            (r.artifact_id, r.status, r.digest, r.by, r.recorded_at)
            for r in self._new.items.values()
        ]
        self._connection.insert(tables.artifact_reports, rows, on_conflict="update")
