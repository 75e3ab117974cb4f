"""Rows of the indexes over the bodies: properties of nodes, components of cache entries.

They differ from database to database in numbers that some can't hold. So a transfer rebuilds them,
as a writer of the target would have written them.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeVar

from google.protobuf.message import DecodeError, Message
from sqlalchemy import ClauseElement, Column, Table, and_, delete, or_

from lineage_store import errors
from lineage_store.database import tables
from lineage_store.database.bulk.store_contents import Key
from lineage_store.database.connection import Connection, Row
from lineage_store.database.drivers.mysql_numbers import as_held
from lineage_store.database.drivers.postgresql_texts import indexed
from lineage_store.database.staging.cache_entries import component_hash
from lineage_store.database.staging.node_rows import PROPERTY_COLUMNS, property_rows
from lineage_store.database.statements import ListStatement, slots
from lineage_store.database.tables import STRING_VALUE, columns_of
from lineage_store.v1 import cache_pb2

KIND_OF = {table.name: kind for kind, table in tables.nodes.items()}
"""The kind of node that a table holds."""

COMPONENT_COLUMNS = ("component_hash", "entry_id")

_TERMS = 256
"""Keys in one condition; SQLite bounds the depth of expressions."""

_SHORT = PROPERTY_COLUMNS.index(STRING_VALUE)


M = TypeVar("M", bound=Message)


def message_of(message_class: type[M], body: bytes, label: str) -> M:
    """Return the message that a body encodes.

    Args:
        message_class: Its class.
        body: The body.
        label: The owner of the body, for the error, such as "artifact 7".

    Raises:
        DataLoss: It encodes none.
    """
    try:
        return message_class.FromString(body)
    except DecodeError:
        raise errors.DataLoss(f"the body of {label} can't be read") from None


def component_rows(entry_id: int, body: bytes) -> Iterator[Row]:
    """Return the index rows of a cache entry."""
    publication = message_of(cache_pb2.CachePublication, body, f"cache entry {entry_id}")
    hashes = {component_hash(part.name, part.value) for part in publication.components}
    return ((hashed, entry_id) for hashed in sorted(hashes))


def insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows of a table, and what the indexes over them need."""
    connection.insert(table, rows)
    index, columns, derived_rows = index_rows(table, rows)
    if index is not None:
        connection.insert(index, derived_rows, columns)


def index_rows(
    table: Table, rows: Sequence[Row]
) -> tuple[Table | None, tuple[str, ...], list[Row]]:
    """Return the index over a table, its columns, and the rows that it needs for some rows."""
    names = columns_of(table)
    if table.name in KIND_OF:
        kind, body = KIND_OF[table.name], names.index("body")
        messages = [
            message_of(kind.message, row[body], f"{kind.name} {row[names.index('id')]}")
            for row in rows
        ]
        derived_rows = [index_row for message in messages for index_row in property_rows(message)]
        return tables.properties[kind], PROPERTY_COLUMNS, derived_rows
    if table is tables.cache_entries:
        entry, body = names.index("id"), names.index("body")
        pairs = ((row[entry], row[body]) for row in rows)
        derived_rows = [index_row for pair in pairs for index_row in component_rows(*pair)]
        return tables.cache_components, COMPONENT_COLUMNS, derived_rows
    return None, (), []


def equal(connection: Connection, expected_row: Row, stored: Row) -> bool:
    """Return whether a stored index row is the expected one, as the database holds its values."""
    if not connection.has_infinity:
        expected_row = tuple(as_held(v) if isinstance(v, float) else v for v in expected_row)
    is_property = len(expected_row) == len(PROPERTY_COLUMNS)
    if connection.has_no_nul and is_property and expected_row[_SHORT] is not None:
        string = indexed(expected_row[_SHORT])
        expected_row = (*expected_row[:_SHORT], string, *expected_row[_SHORT + 1 :])
    return expected_row == stored


def _delete_by(column: Column[object]) -> ListStatement:
    return ListStatement(lambda n: delete(column.table).where(column.in_(slots(n))))


_DELETE_PROPERTIES = {
    kind.plural: _delete_by(table.c.node_id) for kind, table in tables.properties.items()
}
_DELETE_COMPONENTS = _delete_by(tables.cache_components.c.entry_id)


def delete_rows(connection: Connection, table: Table, keys: Sequence[Key]) -> None:
    """Delete rows of a table, and what the indexes hold on them."""
    if len(table.primary_key) == 1:
        ids = [key[0] for key in keys]
        connection.execute_on(_delete(table), ids)
        delete_index_rows(connection, table, ids)
        return
    for at in range(0, len(keys), _TERMS):
        connection.execute_on(_delete(table), keys[at : at + _TERMS])


def delete_index_rows(connection: Connection, table: Table, ids: Sequence[int]) -> None:
    """Delete what the indexes hold on the rows of a table that have these ids."""
    if table.name in _DELETE_PROPERTIES:
        connection.execute_on(_DELETE_PROPERTIES[table.name], ids)
    elif table is tables.cache_entries:
        connection.execute_on(_DELETE_COMPONENTS, ids)


@lru_cache(maxsize=64)
def _delete(table: Table) -> ListStatement:
    key = list(table.primary_key)
    if len(key) == 1:
        return _delete_by(key[0])

    def build(count: int) -> ClauseElement:
        names = slots(count * len(key))
        rows = [names[at : at + len(key)] for at in range(0, len(names), len(key))]
        equal = (and_(*(c == v for c, v in zip(key, row, strict=True))) for row in rows)
        return delete(table).where(or_(*equal))

    return ListStatement(build, width=len(key))
