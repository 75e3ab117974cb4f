"""The index over properties made complete for one reader of an SQLite file that can't be written.

While nodes wait to be indexed, a filter has them indexed first, which writes. If the disk is full
or the file is read-only, the rows that the index lacks are put beside it for the time of one
transaction: in memory, under the same name, which SQLite looks up there first.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import MetaData

from lineage_store.database import tables
from lineage_store.database.connection import Connection
from lineage_store.database.staging.node_rows import PROPERTY_COLUMNS, property_rows
from lineage_store.database.upkeep.property_index import unindexed_bodies
from lineage_store.kinds import KINDS, NodeKind

_MISSING = {
    kind: tables.properties[kind].to_metadata(MetaData(), name=f"missing_{kind.name}_properties")
    for kind in KINDS
}


@contextmanager
def complete_index(connection: Connection) -> Iterator[None]:
    """Let filters in this block find the nodes that wait to be indexed.

    Args:
        connection: A connection to an SQLite file, in a transaction.
    """
    overlaid_kinds = []
    try:
        for kind in KINDS:
            bodies = unindexed_bodies(connection, kind)
            if bodies:
                overlaid_kinds.append(kind)
                _overlay(connection, kind, bodies)
        yield
    finally:
        for kind in overlaid_kinds:
            _remove(connection, kind)


def _overlay(connection: Connection, kind: NodeKind, bodies: list[bytes]) -> None:
    index, overlay = tables.properties[kind].name, _MISSING[kind]
    all_rows, more_rows = f"SELECT * FROM main.{index}", f"SELECT * FROM temp.{overlay.name}"  # noqa: S608 - names of our own
    connection.run_text(f"CREATE TEMP TABLE {overlay.name} AS {all_rows} WHERE 0")
    messages = map(kind.message.FromString, bodies)
    rows = [row for message in messages for row in property_rows(message)]
    connection.insert(overlay, rows, PROPERTY_COLUMNS)
    connection.run_text(f"CREATE TEMP VIEW {index} AS {all_rows} UNION ALL {more_rows}")


def _remove(connection: Connection, kind: NodeKind) -> None:
    connection.run_text(f"DROP VIEW IF EXISTS temp.{tables.properties[kind].name}")
    connection.run_text(f"DROP TABLE IF EXISTS temp.{_MISSING[kind].name}")
