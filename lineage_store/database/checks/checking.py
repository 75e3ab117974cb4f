"""Checking a whole store, table by table in pages, and repairing what can be rebuilt."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from lineage_store import errors
from lineage_store.database import tables
from lineage_store.database.bulk import store_contents as contents
from lineage_store.database.bulk.store_contents import Contents, StoredTable, content_tables
from lineage_store.database.checks import bodies, indexes, names, references
from lineage_store.database.checks.commits import CommitCheck, version_gaps
from lineage_store.database.checks.findings import Findings
from lineage_store.database.checks.repair import Repair
from lineage_store.database.connection import Row
from lineage_store.database.schema import administration
from lineage_store.database.schema import revisions as schema
from lineage_store.database.upkeep.property_index import queued_ids
from lineage_store.kinds import KINDS

_VERSIONS = (tables.node_versions, tables.type_versions)

Progress = Callable[[str, int, int], None]
"""Called with the present task, the number of rows done, and the number of all rows."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The report of a check.

    Attributes:
        revision: The revision of the store.
        rows: The number of checked rows, by table.
        findings: The findings.
        repaired: The number of rebuilt rows.
    """

    revision: str
    rows: dict[str, int]
    findings: Findings
    repaired: int


def check(url: str, *, repair: bool = False, progress: Progress | None = None) -> CheckReport:
    """Check everything that a store holds; return the report.

    Args:
        url: The database.
        repair: Rebuild columns, indexes and counters where they differ from the bodies.
        progress: Called after each page.

    Raises:
        SchemaMismatch: The store has another revision.
        FailedPrecondition: The database is empty.
        LineageError: It can't be read, or not be written, and why.
    """
    findings = Findings()
    with Contents(url) as store, Repair(url) if repair else nullcontext() as writer:
        for damage in administration.integrity_problems(url):
            findings.add("damage", "the file", {}, damage)
        store_check = _Check(store, findings, writer, progress or (lambda *_: None))
        try:
            store_check.run()
        except errors.DataLoss as error:
            findings.add("damage", "the file", {}, f"not all could be checked: {error.message}")
        repaired = writer.rows if writer is not None else 0
        return CheckReport(schema.HEAD, store_check.rows, findings, repaired)


class _Check:
    def __init__(
        self, store: Contents, findings: Findings, writer: Repair | None, progress: Progress
    ) -> None:
        self._connection = store.connection
        self._findings = findings
        self._writer = writer
        self._progress = progress
        self._components = 0
        self._checked_rows = 0
        self._gaps: dict[str, set[int]] = {}
        self._unindexed_ids: dict[str, set[int]] = {}
        self.rows: dict[str, int] = {}

    def run(self) -> None:
        self.rows = {t.name: contents.count(self._connection, t) for t in content_tables()}
        self._gaps = {
            kind.plural: version_gaps(self._connection, kind, self._findings) for kind in KINDS
        }
        self._unindexed_ids = {kind.plural: queued_ids(self._connection, kind) for kind in KINDS}
        for table in content_tables():
            for page in contents.pages(self._connection, table):
                self._check_page(table, page)
        self._check_indexes()
        CommitCheck(self._connection, self._findings).run()
        names.check_unique(self._connection, self._findings)
        behind = names.check_counters(self._connection, self._findings)
        if self._writer is not None:
            self._writer.advance(behind)

    def _check_page(self, table: StoredTable, page: Sequence[Row]) -> None:
        references.check_page(self._connection, table, page, self._findings)
        readable_rows, differing_ids = bodies.check_page(table, page, self._findings)
        ids = set(differing_ids)
        if table is tables.cache_entries:
            missing_ids, needed_count = indexes.check_components(
                self._connection, readable_rows, self._findings
            )
            ids |= missing_ids
            self._components += needed_count
        else:
            unindexed_ids = self._unindexed_ids.get(table.name, set())
            ids |= indexes.check_properties(
                self._connection, table, readable_rows, unindexed_ids, self._findings
            )
        if table not in _VERSIONS:  # whose key is in its body, or the body is another's
            self._rebuild(table, ids - self._gaps.get(table.name, set()))
        self._checked_rows += len(page)
        self._progress(f"checking {table.name}", self._checked_rows, sum(self.rows.values()))

    def _check_indexes(self) -> None:
        for name in references.INDEXED:
            index = tables.metadata.tables[name]
            for ids in references.orphans_of_index(self._connection, index):
                self._report_orphans(index, ids)
        if contents.count(self._connection, tables.cache_components) != self._components:
            surplus = indexes.check_surplus_components(self._connection, self._findings)
            self._rebuild(tables.cache_entries, surplus)

    def _report_orphans(self, index: StoredTable, ids: Sequence[int]) -> None:
        column, target = references.INDEXED[index.name]
        for missing_id in ids:
            message = f"{column} {missing_id} is not in {target.name}"
            self._findings.add("index", index.name, {column: missing_id}, message)
        if self._writer is not None:
            self._writer.remove_orphans(index, ids)

    def _rebuild(self, table: StoredTable, ids: set[int]) -> None:
        if self._writer is not None:
            self._writer.rebuild(table, sorted(ids))
