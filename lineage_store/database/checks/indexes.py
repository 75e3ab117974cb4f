"""Rows that the indexes over bodies lack, have too many of, or have otherwise."""

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
    waiting: Collection[int],
    findings: Findings,
) -> set[int]:
    """Compare the properties in the bodies of nodes with their index; return the ids that differ.

    Args:
        connection: Reads the index.
        table: A table of nodes.
        rows: Some of its rows, whose bodies can be read.
        waiting: The ids of nodes that are yet to be indexed, and so may have no row.
        findings: Where to add what is found.
    """
    index, columns, needed = derived.index_rows(
        table, [row for row in rows if row[0] not in waiting]
    )
    if index is None:
        return set()
    ids = [row[0] for row in rows if row[0] not in waiting]
    places = [columns_of(index).index(name) for name in columns]
    held = {
        key_of(index, row): tuple(row[at] for at in places)
        for row in connection.rows_of(_OF_NODES[table.name], ids)
    }
    expected = {_key(row): row for row in needed}
    for key in sorted(held.keys() | expected.keys(), key=repr):
        fault = _fault(connection, expected.get(key), held.get(key))
        if fault:
            shown = {"node_id": key[0], "is_custom": bool(key[1]), "name": key[2]}
            findings.add("index", index.name, shown, fault)
    return {
        key[0]
        for key in held.keys() | expected.keys()
        if _fault(connection, expected.get(key), held.get(key))
    }


def _key(row: Row) -> Key:
    return (row[0], row[1], row[2])


def _fault(connection: Connection, expected: Row | None, held: Row | None) -> str | None:
    if held is None:
        return "the property is not in the index"
    if expected is None:
        return "the index has a property that the body does not have"
    return (
        None
        if derived.equal(connection, expected, held)
        else "the index has another value than the body"
    )


def check_components(
    connection: Connection, rows: Sequence[Row], findings: Findings
) -> tuple[set[int], int]:
    """Look the components of cache entries up in their index.

    Returns:
        The ids of entries with components that the index lacks, and how many the index must have.
    """
    index, _, needed = derived.index_rows(tables.cache_entries, rows)
    if index is None or not needed:
        return set(), 0
    held = contents.rows_by_keys(connection, index, needed)
    missing = [key for key in needed if key not in held]
    for hashed, entry_id in missing:
        shown = {"entry_id": entry_id, "component_hash": hashed}
        findings.add("index", index.name, shown, "the component is not in the index")
    return {entry_id for _, entry_id in missing}, len(needed)


def check_surplus_components(connection: Connection, findings: Findings) -> set[int]:
    """Find components in the index that their entries do not have; return the ids of those."""
    entries = tables.cache_entries
    found: set[int] = set()
    for page in contents.pages(connection, tables.cache_components):
        ids = sorted({(entry_id,) for _, entry_id in page})
        rows = list(contents.rows_by_keys(connection, entries, ids).values())
        there = {(row[0],) for row in rows}
        needed = set(derived.index_rows(entries, rows)[2])
        for hashed, entry_id in page:
            if (entry_id,) in there and (hashed, entry_id) not in needed:
                shown = {"entry_id": entry_id, "component_hash": hashed}
                message = "the index has a component that the entry does not have"
                findings.add("index", "cache_components", shown, message)
                found.add(entry_id)
    return found
