"""What a copy that goes on does first: it makes sure that nothing there is out of date."""

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
    done = 0
    while True:
        with target.batch() as connection:
            page = next(contents.pages(connection, table, after, contents.MAX_ROWS), None)
            if page is None:
                return
            keys = [contents.key_of(table, row) for row in page]
            held = contents.rows_by_keys(source.connection, table, keys)
            stale = [key for key, row in zip(keys, page, strict=True) if held.get(key) != row]
            derived.delete_rows(connection, table, stale)
        after = keys[-1]
        done += len(page)
        progress(f"comparing {table.name}", done, total)


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
