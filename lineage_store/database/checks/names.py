"""Names and external ids that several rows have, and counters that would give ids out again."""

from sqlalchemy import Column, Table, bindparam, func, select

from lineage_store.database import tables
from lineage_store.database.bulk import store_contents as contents
from lineage_store.database.checks.findings import Findings
from lineage_store.database.connection import Connection
from lineage_store.database.schema.revisions import initial_rows
from lineage_store.database.statements import Statement

_UNIQUE: list[tuple[Table, tuple[str, ...]]] = [
    (tables.types, ("kind", "name", "version")),
    *((table, ("type_id", "name")) for table in tables.nodes.values()),
    *((table, ("external_id",)) for table in (tables.types, *tables.nodes.values())),
]
"""Columns that no two rows may share; MySQL has no key for the names of types, for their length."""

_MOST = 10_000
"""Names that are looked up of each sort."""


def check_unique(connection: Connection, findings: Findings) -> None:
    """Find rows of types and nodes that have the same name or external id."""
    for table, names in _UNIQUE:
        columns = [table.c[name] for name in names]
        for *values, first, last in connection.rows(_duplicates(table, columns), count=_MOST):
            shared = ", ".join(f"{n} {v!r}" for n, v in zip(names, values, strict=True))
            message = f"id {first} has the same {shared}"
            findings.add("name", table.name, {"id": int(last)}, message)


def _duplicates(table: Table, columns: list[Column[object]]) -> Statement:
    first, last = func.min(table.c.id), func.max(table.c.id)
    core = select(*columns, first, last).where(columns[-1].is_not(None)).group_by(*columns)
    return Statement(core.having(func.count() > 1).order_by(first).limit(bindparam("count")))


def check_counters(connection: Connection, findings: Findings) -> dict[str, int]:
    """Find counters that are not beyond the greatest id; return the least values they must have."""
    stored_counters = contents.counters(connection)
    least_values: dict[str, int] = {}
    for row in initial_rows()[tables.counters]:
        name = row["name"]
        [(greatest,)] = connection.rows(Statement(select(func.max(_ids(name)))))
        needed = max(row["next_id"], (greatest or 0) + 1)
        if name not in stored_counters:
            findings.add("counter", "counters", {"name": name}, "the counter is missing")
        elif stored_counters[name] < needed:
            message = f"next is {stored_counters[name]}, the greatest id is {greatest}"
            findings.add("counter", "counters", {"name": name}, message)
        else:
            continue
        least_values[name] = needed
    return least_values


def _ids(counter: str) -> Column[int]:
    return tables.metadata.tables[counter].c.id
