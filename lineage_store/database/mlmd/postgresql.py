"""Peculiarities of ML Metadata on PostgreSQL.

Its texts are taken as they are: the store's own way of writing NUL does not occur in them.
"""

from collections.abc import Iterable
from typing import Any

from psycopg.adapt import Buffer, Loader
from psycopg.types.string import StrBinaryDumper, StrDumper
from sqlalchemy import Boolean, Column, Integer, MetaData, Table, Text

STEPS = Table(
    "lineage_store_export_steps",
    MetaData(),
    Column("event_id", Integer),
    Column("is_index_step", Boolean),
    Column("step_index", Integer),
    Column("step_key", Text),
)
"""The table in which the steps of paths wait until all have arrived; see `order_steps`."""

_STEPS_DEFINITION = """
CREATE TABLE lineage_store_export_steps (
  number BIGSERIAL PRIMARY KEY,
  event_id INT NOT NULL,
  is_index_step BOOLEAN NOT NULL,
  step_index INT,
  step_key TEXT
)
"""
_IN_ORDER = (
    "DROP TABLE eventpath",
    """
    CREATE TABLE eventpath AS
    SELECT event_id, is_index_step, step_index, step_key
    FROM lineage_store_export_steps ORDER BY number
    """,
    "ALTER TABLE eventpath ALTER event_id SET NOT NULL, ALTER is_index_step SET NOT NULL",
    "CREATE INDEX idx_eventpath_event_id ON eventpath (event_id)",
    "DROP TABLE lineage_store_export_steps",
)


class _BytesLoader(Loader):
    """Gives a text as its bytes."""

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


def read_bytes(connection: Any) -> None:
    """Let a connection give texts as their bytes."""
    for name in ("text", "varchar"):
        connection.adapters.register_loader(name, _BytesLoader)


def write_plain(connection: Any) -> None:
    """Let a connection write texts as they are."""
    connection.adapters.register_dumper(str, StrBinaryDumper)
    connection.adapters.register_dumper(str, StrDumper)


def advance_ids(connection: Any, tables: Iterable[Table]) -> None:
    """Let each table number its rows from behind those that it has."""
    for table in tables:
        greatest = f"SELECT coalesce(max(id), 0) + 1 FROM {table.name}"  # noqa: S608 - our own name
        sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
        connection.execute(f"SELECT setval({sequence}, ({greatest}), false)")


def create_steps(connection: Any) -> None:
    """Make the table of waiting steps, in place of one that is left of an earlier export."""
    connection.execute("DROP TABLE IF EXISTS lineage_store_export_steps")
    connection.execute(_STEPS_DEFINITION)


def order_steps(connection: Any) -> None:
    """Write the steps of all paths in their order.

    ML Metadata numbers no steps: their order is that of the rows in the file. An INSERT puts a row
    wherever there is room for it; only a table that is made from a query is written from its
    beginning to its end.
    """
    for statement in _IN_ORDER:
        connection.execute(statement)
