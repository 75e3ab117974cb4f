"""Putting rows into a store that is being filled, and naming the row that it can't hold."""

from collections.abc import Sequence

from lineage_store import errors
from lineage_store.database.bulk import index_rows as derived
from lineage_store.database.bulk import store_contents as contents
from lineage_store.database.bulk.bulk_load import BulkLoad
from lineage_store.database.bulk.store_contents import StoredTable
from lineage_store.database.connection import Row


def insert(
    target: BulkLoad,
    table: StoredTable,
    rows: Sequence[Row],
    *,
    has_some: bool = False,
) -> None:
    """Insert rows in one transaction; one by one if the target refuses them together.

    So a row that is too large for one message of a server still gets there.

    Args:
        target: Where.
        table: Of which table.
        rows: Some of its rows.
        has_some: Whether the target may have some of them already, just as they are.

    Raises:
        InvalidArgument: The target can't hold a row, and which.
    """
    try:
        _insert_together(target, table, rows, has_some=has_some)
    except errors.InvalidArgument as error:
        if len(rows) == 1:
            key = contents.shown_key(table, contents.key_of(table, rows[0]))
            message = f"the target can't hold the row {key} of {table.name}: {error.message}"
            raise errors.InvalidArgument(message) from error
        for row in rows:
            insert(target, table, [row], has_some=has_some)


def _insert_together(
    target: BulkLoad, table: StoredTable, rows: Sequence[Row], *, has_some: bool
) -> None:
    with target.batch() as connection:
        if has_some:
            keys = [contents.key_of(table, row) for row in rows]
            there = contents.rows_by_keys(connection, table, keys)
            rows = [row for row, key in zip(rows, keys, strict=True) if key not in there]
        derived.insert(connection, table, rows)
