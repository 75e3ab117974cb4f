"""Missing, surplus and wrong rows in the indexes over bodies."""

from collections.abc import Collection, Sequence

from sqlalchemy import select

from lineage_store.database import tables
from lineage_store.database.bulk import index_rows as derived
from lineage_store.database.bulk import store_contents as contents
from lineage_store.database.bulk.store_contents import Key, StoredTable, key_of
from lineage_store.database.checks.findings import Findings
from lineage_store.database.connection import Connection, Row
from lineage_store.database.statements import ListStatement, slots
from lineage_store.database.tables import columns_of


def _of_nodes(index: StoredTable) -> ListStatement:
    return ListStatement(lambda n: select(index).where(index.c.node_id.in_(slots(n))))


_OF_NODES = {kind.plural: _of_nodes(index) for kind, index in tables.properties.items()}


def check_properties(
    connection: Connection,
    table: StoredTable,
    rows: Sequence[Row],
    unindexed_ids: Collection[int],
    findings: Findings,
) -> set[int]:
    """Compare the properties in the bodies of nodes with their index; return the ids that differ.

    Args:
        connection: Reads the index.
        table: A table of nodes.
        rows: Some of its rows, whose bodies can be read.
        unindexed_ids: The ids of nodes that are yet to be indexed, and so may have no row.
        findings: Takes the findings.
    """
    index, columns, expected_rows = derived.index_rows(
        table, [row for row in rows if row[0] not in unindexed_ids]
    )
    if index is None:
        return set()
    ids = [row[0] for row in rows if row[0] not in unindexed_ids]
    places = [columns_of(index).index(name) for name in columns]
    stored_rows = {
        key_of(index, row): tuple(row[at] for at in places)
        for row in connection.rows_of(_OF_NODES[table.name], ids)
    }
    expected_by_key = {_key(row): row for row in expected_rows}
    for key in sorted(stored_rows.keys() | expected_by_key.keys(), key=repr):
        mismatch = _mismatch(connection, expected_by_key.get(key), stored_rows.get(key))
        if mismatch:
            shown_key = {"node_id": key[0], "is_custom": bool(key[1]), "name": key[2]}
            findings.add("index", index.name, shown_key, mismatch)
    return {
        key[0]
        for key in stored_rows.keys() | expected_by_key.keys()
        if _mismatch(connection, expected_by_key.get(key), stored_rows.get(key))
    }


def _key(row: Row) -> Key:
    return (row[0], row[1], row[2])


def _mismatch(
    connection: Connection, expected_row: Row | None, stored_row: Row | None
) -> str | None:
    if stored_row is None:
        return "the property is not in the index"
    if expected_row is None:
        return "the index has a property that the body does not have"
    return (
        None
        if derived.equal(connection, expected_row, stored_row)
        else "the index has another value than the body"
    )


def check_components(
    connection: Connection, rows: Sequence[Row], findings: Findings
) -> tuple[set[int], int]:
    """Look the components of cache entries up in their index.

    Returns:
        The ids of entries with components that the index lacks, and how many the index must have.
    """
    index, _, expected_rows = derived.index_rows(tables.cache_entries, rows)
    if index is None or not expected_rows:
        return set(), 0
    stored_rows = contents.rows_by_keys(connection, index, expected_rows)
    missing_rows = [key for key in expected_rows if key not in stored_rows]
    for hashed, entry_id in missing_rows:
        shown_key = {"entry_id": entry_id, "component_hash": hashed}
        findings.add("index", index.name, shown_key, "the component is not in the index")
    return {entry_id for _, entry_id in missing_rows}, len(expected_rows)


def check_surplus_components(connection: Connection, findings: Findings) -> set[int]:
    """Find components in the index that their entries do not have; return the ids of those."""
    entries = tables.cache_entries
    entry_ids: set[int] = set()
    for page in contents.pages(connection, tables.cache_components):
        ids = sorted({(entry_id,) for _, entry_id in page})
        rows = list(contents.rows_by_keys(connection, entries, ids).values())
        present_ids = {(row[0],) for row in rows}
        expected_rows = set(derived.index_rows(entries, rows)[2])
        for hashed, entry_id in page:
            if (entry_id,) in present_ids and (hashed, entry_id) not in expected_rows:
                shown_key = {"entry_id": entry_id, "component_hash": hashed}
                message = "the index has a component that the entry does not have"
                findings.add("index", "cache_components", shown_key, message)
                entry_ids.add(entry_id)
    return entry_ids
