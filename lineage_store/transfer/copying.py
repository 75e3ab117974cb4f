"""Copying a store into an empty database, row by row, from one state of the source.

To resume an interrupted copy, run the same command. The source may have changed meanwhile: rows of
the target that the source does not hold (any more) are deleted first, so the target always ends as
one state of the source, the one of the last run.
"""

from contextlib import closing
from dataclasses import dataclass

from lineage_store.database.bulk import store_contents as contents
from lineage_store.database.bulk.bulk_load import BulkLoad
from lineage_store.database.bulk.store_contents import Contents, content_tables
from lineage_store.transfer import reconciling
from lineage_store.transfer.endpoints import (
    Progress,
    check_different,
    name_of,
    no_progress,
    open_source,
    open_target,
)
from lineage_store.transfer.inserting import insert
from lineage_store.transfer.verifying import check_counts, check_equal


@dataclass(frozen=True, slots=True)
class Copied:
    """The result of a copy.

    Attributes:
        rows: The rows that each table of the target has now.
        is_resumed: Whether it went on with a copy that was cut off.
        is_verified: Whether every row of every table was compared.
    """

    rows: dict[str, int]
    is_resumed: bool
    is_verified: bool


def copy(
    source_url: str, target_url: str, *, verify: bool = False, progress: Progress = no_progress
) -> Copied:
    """Copy a store into an empty database; return the result.

    Args:
        source_url: The database to read; it is not changed and may be in use.
        target_url: The database to fill; empty, or left by the same copy that was cut off.
        verify: Compare all rows before the target is opened to all.
        progress: Called after each page.

    Raises:
        InvalidArgument: Both are the same database.
        FailedPrecondition: The target holds something, or was half-filled from another source.
        DataLoss: A body can't be read, or the comparison found a difference.
        LineageError: One of them can't be used, and which and why.
    """
    with open_source(source_url) as source:
        check_different(source, target_url)
        with closing(open_target(target_url, name_of(source_url))) as target:
            rows = _fill(source, target, progress)
            check_counts(target, rows)
            if verify:
                check_equal(source, target, progress)
            target.finish(contents.counters(source.connection))
            return Copied(rows, target.is_resumed, verify)


def _fill(source: Contents, target: BulkLoad, progress: Progress) -> dict[str, int]:
    """Copy all tables; return the rows of each."""
    tables = content_tables()
    rows = {table.name: contents.count(source.connection, table) for table in tables}
    if target.is_resumed:
        for table in tables:
            reconciling.take_back_what_differs(source, target, table, progress)
    total, count = sum(rows.values()), 0
    for table in tables:
        start, has_holes = reconciling.where_to_go_on(source, target, table)
        count += rows[table.name] - contents.count(source.connection, table, start)
        for page in contents.pages(source.connection, table, start):
            insert(target, table, page, has_some=has_holes)
            count += len(page)
            progress(f"copying {table.name}", count, total)
    return rows
