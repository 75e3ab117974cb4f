"""The first step of a resumed copy: it removes outdated rows from the target."""

from lineage_store.database.bulk import index_rows as derived
from lineage_store.database.bulk import store_contents as contents
from lineage_store.database.bulk.bulk_load import BulkLoad
from lineage_store.database.bulk.store_contents import Contents, Key, StoredTable
from lineage_store.transfer.endpoints import Progress


def take_back_what_differs(
    source: Contents, target: BulkLoad, table: StoredTable, progress: Progress
) -> None:
    """Delete the rows of the target that the source does not hold as they are."""
    with target.batch() as connection:
        total = contents.count(connection, table)
    after: Key | None = None
    count = 0
    while True:
        with target.batch() as connection:
            page = next(contents.pages(connection, table, after, contents.MAX_ROWS), None)
            if page is None:
                return
            keys = [contents.key_of(table, row) for row in page]
            source_rows = contents.rows_by_keys(source.connection, table, keys)
            stale = [
                key for key, row in zip(keys, page, strict=True) if source_rows.get(key) != row
            ]
            derived.delete_rows(connection, table, stale)
        after = keys[-1]
        count += len(page)
        progress(f"comparing {table.name}", count, total)


def where_to_go_on(
    source: Contents, target: BulkLoad, table: StoredTable
) -> tuple[Key | None, bool]:
    """Return the key after which the target lacks rows, and whether it has some of them.

    The target holds nothing that the source does not hold.
    """
    last = target.last(table) if target.is_resumed else None
    if last is None:
        return None, False
    with target.batch() as connection:
        there = contents.count(connection, table)
    everything = contents.count(source.connection, table)
    if contents.has_numbers_as_key(table):
        following = contents.count(source.connection, table, last)
        return (last, False) if there == everything - following else (None, True)
    return None, True
