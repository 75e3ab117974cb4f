"""Bodies that can't be read, and columns that differ from their bodies.

The body is the truth: clients receive it. The columns beside it only serve to find the row.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from lineage_store import errors
from lineage_store.database import tables
from lineage_store.database.bulk.index_rows import KIND_OF, message_of
from lineage_store.database.bulk.store_contents import StoredTable, key_of
from lineage_store.database.bulk.values import has_valid_text
from lineage_store.database.checks.findings import Findings
from lineage_store.database.connection import Row
from lineage_store.database.staging.edges import path_text
from lineage_store.database.staging.node_rows import node_row
from lineage_store.database.tables import columns_of
from lineage_store.kinds import BY_NUMBER
from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_pb2 as pb

_SHOWN = 60


def message_class(table: StoredTable, values: dict[str, Any]) -> Any:  # noqa: ANN401 - one of several
    """Return the class of the message in the body of a row, or None if the row has none."""
    if table.name in KIND_OF:
        return KIND_OF[table.name].message
    if table is tables.events:
        return pb.Event
    if table is tables.cache_entries:
        return cache_pb2.CachePublication
    kind = BY_NUMBER.get(values.get("kind", -1))
    if table in {tables.types, tables.type_versions}:
        return kind and kind.type_message
    if table is tables.node_versions:
        return kind and kind.message
    return None


def columns_from_body(table: StoredTable, values: dict[str, Any], message: Any) -> dict[str, Any]:  # noqa: ANN401 - of that class
    """Return the values of the other columns of a row, as its body has them."""
    if table.name in KIND_OF:
        facts = (values["body"], values["revision"], values["recorded_at"])
        row = node_row(KIND_OF[table.name], message, *facts)
        return dict(zip(columns_of(table), row, strict=True))
    if table is tables.types:
        return {
            "id": message.id,
            "name": message.name,
            "version": message.version,
            "external_id": message.external_id or None,
        }
    if table is tables.events:
        return {
            "artifact_id": message.artifact_id,
            "execution_id": message.execution_id,
            "type": message.type,
            "happened_at": message.milliseconds_since_epoch,
            "path": path_text(message),
        }
    if table is tables.node_versions:
        return {"node_id": message.id}
    return {"type_id": message.id} if table is tables.type_versions else {}


def rebuilt(table: StoredTable, row: Row) -> Row:
    """Return a row with the columns that its body says it must have.

    Raises:
        DataLoss: The body can't be read.
    """
    values = dict(zip(columns_of(table), row, strict=True))
    cls = message_class(table, values)
    if cls is None:
        return row
    label = f"{table.name} {key_of(table, row)}"
    message = message_of(cls, values["body"], label)
    if not has_valid_text(message):
        raise errors.DataLoss(f"the body of {label} has a string that is not UTF-8")
    return tuple((values | columns_from_body(table, values, message)).values())


def check_page(
    table: StoredTable, rows: Sequence[Row], findings: Findings
) -> tuple[list[Row], list[int]]:
    """Find bodies that can't be read and columns that differ from them.

    Returns:
        The rows whose bodies can be read, and the ids of those with columns that differ.
    """
    readable, differing = [], []
    names = columns_of(table)
    for row in rows:
        key = dict(zip((c.name for c in table.primary_key), key_of(table, row), strict=True))
        try:
            expected = rebuilt(table, row)
        except errors.DataLoss:
            findings.add("body", table.name, key, "the body can't be read")
            continue
        if key_of(table, expected) != key_of(table, row):
            findings.add("body", table.name, key, "the body is that of another id")
            continue
        readable.append(row)
        differences = list(_differences(names, row, expected))
        for difference in differences:
            findings.add("column", table.name, key, difference)
        if differences:
            differing.append(next(iter(key.values())))
    return readable, differing


def _differences(names: Sequence[str], row: Row, expected: Row) -> Iterator[str]:
    for name, stored_value, expected_value in zip(names, row, expected, strict=True):
        if stored_value != expected_value:
            yield f"{name} is {_short(stored_value)}, the body says {_short(expected_value)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
