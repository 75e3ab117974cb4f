"""Comparing a copy with its source, row by row."""

from collections.abc import Mapping, Sequence

from lineage_store import errors
from lineage_store.database.bulk import index_rows as derived
from lineage_store.database.bulk import store_contents as contents
from lineage_store.database.bulk.bulk_load import BulkLoad
from lineage_store.database.bulk.store_contents import Contents, StoredTable, content_tables
from lineage_store.database.connection import Connection, Row
from lineage_store.database.tables import columns_of
from lineage_store.transfer.endpoints import Progress


def check_counts(target: BulkLoad, rows: Mapping[str, int]) -> None:
    """Raise Aborted unless each table of the target has as many rows as were to be copied."""
    with target.batch() as connection:
        for table in content_tables():
            count = contents.count(connection, table)
            if count != rows[table.name]:
                raise errors.Aborted(
                    f"the target has {count} rows of {table.name} and not {rows[table.name]}: "
                    "does another process fill it? Run the same command again"
                )


def check_equal(source: Contents, target: BulkLoad, progress: Progress) -> None:
    """Compare every row of every table, and the indexes of the target with the bodies.

    Raises:
        DataLoss: A row differs, and which.
    """
    total = sum(contents.count(source.connection, table) for table in content_tables())
    count = 0
    for table in content_tables():
        indexed = 0
        for page in contents.pages(source.connection, table):
            with target.batch() as connection:
                _check_page(connection, table, page)
                indexed += _check_index(connection, table, page)
            count += len(page)
            progress(f"verifying {table.name}", count, total)
        with target.batch() as connection:
            _check_index_count(connection, table, indexed)


def _check_page(connection: Connection, table: StoredTable, page: Sequence[Row]) -> None:
    keys = [contents.key_of(table, row) for row in page]
    target_rows = contents.rows_by_keys(connection, table, keys)
    for key, row in zip(keys, page, strict=True):
        if target_rows.get(key) != row:
            raise errors.DataLoss(
                f"the row {contents.shown_key(table, key)} of {table.name} was not copied"
            )


def _check_index(connection: Connection, table: StoredTable, page: Sequence[Row]) -> int:
    """Compare the index rows over some rows; return how many there must be."""
    index, columns, expected = derived.index_rows(table, page)
    if index is None:
        return 0
    places = [columns_of(index).index(name) for name in columns]
    keys = [key_of_derived(index, columns, row) for row in expected]
    index_rows = contents.rows_by_keys(connection, index, keys)
    for key, row in zip(keys, expected, strict=True):
        index_row = index_rows.get(key)
        if index_row is None or not derived.equal(
            connection, row, tuple(index_row[at] for at in places)
        ):
            raise errors.DataLoss(
                f"the row {contents.shown_key(index, key)} of {index.name} is not as it must"
            )
    return len(expected)


def key_of_derived(index: StoredTable, columns: Sequence[str], row: Row) -> contents.Key:
    """Return the primary key of a row of an index that has these columns."""
    return tuple(row[columns.index(column.name)] for column in index.primary_key)


def _check_index_count(connection: Connection, table: StoredTable, expected: int) -> None:
    index, _, _ = derived.index_rows(table, [])
    if index is not None and contents.count(connection, index) != expected:
        raise errors.DataLoss(f"{index.name} has rows that it must not have")
