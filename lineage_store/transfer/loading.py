"""Reading an archive into an empty database.

An archive may be anything, so it is read to its end before the target is touched, every value is
checked, and the target is opened only when all that its rows point at is there. A load that was cut
off is gone on with by the same command and the same archive.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lineage_store import errors
from lineage_store.database import tables
from lineage_store.database.bulk import store_contents as contents
from lineage_store.database.bulk.bulk_load import BulkLoad
from lineage_store.database.bulk.store_contents import Key, StoredTable, content_tables
from lineage_store.database.checks import names, references
from lineage_store.database.checks.findings import Findings
from lineage_store.database.connection import Row
from lineage_store.database.schema import revisions as schema
from lineage_store.kinds import BY_NUMBER
from lineage_store.transfer import records
from lineage_store.transfer.archive import Reader
from lineage_store.transfer.endpoints import Progress, no_progress, open_target
from lineage_store.transfer.formats import open_archive
from lineage_store.transfer.inserting import insert
from lineage_store.transfer.verifying import check_counts

BATCH_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """The result of a load.

    Attributes:
        rows: The rows that each table of the target has now.
        is_resumed: Whether it went on with a load that was cut off.
    """

    rows: dict[str, int]
    is_resumed: bool


def load(path: Path, target_url: str, *, progress: Progress = no_progress) -> Loaded:
    """Read an archive into an empty database; return the result.

    Args:
        path: The archive.
        target_url: The database to fill; empty, or left by the same load that was cut off.
        progress: Called after each batch.

    Raises:
        InvalidArgument: It is no archive, or of a newer version, or a record is malformed.
        DataLoss: The archive was cut off or altered, and where.
        FailedPrecondition: The target holds something, or was half-filled from another source.
        LineageError: The target can't be filled, and why.
    """
    archive = open_archive(path)
    identity = archive.check(progress)
    with closing(open_target(target_url, f"archive {identity}")) as target:
        try:
            rows = _fill(archive, target, progress)
            check_counts(target, rows)
            _check_whole(archive, target, progress)
        except errors.InvalidArgument as error:
            raise errors.InvalidArgument(
                f"{error.message}; the target is not opened: drop it"
            ) from error
        target.finish(archive.header.counters)
        return Loaded(rows, target.is_resumed)


def _fill(archive: Reader, target: BulkLoad, progress: Progress) -> dict[str, int]:
    header = archive.header
    rows = {table.name: header.tables.get(table.name, 0) for table in content_tables()}
    lacking = _Rows(archive, target)
    for table, batch in _batches(lacking.rows()):
        insert(target, table, batch, has_some=not contents.has_numbers_as_key(table))
        progress(f"loading {table.name}", lacking.record_count, header.total)
    return rows


class _Rows:
    """The rows of an archive that the target lacks, checked.

    Attributes:
        record_count: The number of records that were read.
    """

    def __init__(self, archive: Reader, target: BulkLoad) -> None:
        self._archive = archive
        self._last = {table.name: target.last(table) for table in content_tables()}
        self._before: Key | None = None
        self._table: StoredTable | None = None
        self._order = list(archive.header.tables)
        self.record_count = 0

    def rows(self) -> Iterator[tuple[StoredTable, Row]]:
        for where, table, fields in self._archive.records():
            self.record_count += 1
            with _at(where):
                row = records.to_row(table, fields, self._archive.header.version)
                key = contents.key_of(table, row)
                self._check_order(table, key)
                if table is tables.types:
                    _check_type(row)
            last = self._last[table.name]
            if last is None or not contents.has_numbers_as_key(table) or key > last:
                yield table, row

    def _check_order(self, table: StoredTable, key: Key) -> None:
        """Check that tables and keys come in order, so that a load can be resumed."""
        if table is not self._table:
            place = self._order.index(table.name)
            if self._table is not None and place <= self._order.index(self._table.name):
                raise errors.InvalidArgument(f"the records of {table.name} are not in one place")
            self._table, self._before = table, None
        in_order = self._before is None or self._before < key
        if contents.has_numbers_as_key(table) and not in_order:
            raise errors.InvalidArgument(f"the key {key} of {table.name} is not in order")
        self._before = key


def _check_type(row: Row) -> None:
    """Check that a type is none of the system types unless it is exactly that one."""
    number, kind, name = row[0], BY_NUMBER[row[1]], row[2]
    system = {t.id: (of.number, t.name) for of, t in schema.system_types()}
    if number < schema.FIRST_USER_TYPE and system.get(number) != (kind.number, name):
        raise errors.InvalidArgument(f"type {number} is not the type that every store has")


def _batches(
    rows: Iterator[tuple[StoredTable, Row]],
) -> Iterator[tuple[StoredTable, list[Row]]]:
    """Yield rows of one table together, as many as fit into one transaction."""
    table: StoredTable | None = None
    batch: list[Row] = []
    size = 0
    for of, row in rows:
        if batch and (of is not table or len(batch) >= BATCH_ROWS or size > contents.PAGE_BYTES):
            assert table is not None  # noqa: S101 - that of the batch
            yield table, batch
            batch, size = [], 0
        table = of
        batch.append(row)
        size += contents.size_of([row])
    if batch and table is not None:
        yield table, batch


@contextmanager
def _at(where: str) -> Iterator[None]:
    try:
        yield
    except errors.LineageError as error:
        raise type(error)(f"{where}: {error.message}") from error


def _check_whole(archive: Reader, target: BulkLoad, progress: Progress) -> None:
    """Check references, names and counters, which no single record shows.

    Raises:
        InvalidArgument: Something is missing, or is there twice, and what.
    """
    findings = Findings()
    count, total = 0, archive.header.total
    for table in content_tables():
        with target.batch() as connection:
            for page in contents.pages(connection, table):
                references.check_page(connection, table, page, findings)
                count += len(page)
                progress(f"checking {table.name}", count, total)
    with target.batch() as connection:
        names.check_unique(connection, findings)
        system = [(number,) for number in range(1, schema.FIRST_USER_TYPE)]
        system_rows = contents.rows_by_keys(connection, tables.types, system)
    if findings.kept_findings:
        first = findings.kept_findings[0]
        key = ", ".join(f"{name}={value!r}" for name, value in first.key.items())
        raise errors.InvalidArgument(
            f"the archive is not whole: {first.table} {key}: {first.message} "
            f"({findings.total} in all)"
        )
    _check_counters(archive, target)
    if len(system_rows) < len(system):
        raise errors.InvalidArgument(f"the archive lacks some of the {len(system)} system types")


def _check_counters(archive: Reader, target: BulkLoad) -> None:
    for name in schema.COUNTERS:
        last = target.last(tables.metadata.tables[name])
        least = 1 if last is None else last[0] + 1
        if archive.header.counters.get(name, 0) < least:
            raise errors.InvalidArgument(
                f"the archive would give ids of {name} out twice: its counter is not beyond "
                f"{least - 1}"
            )
