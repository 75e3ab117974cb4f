"""What is particular to ML Metadata on PostgreSQL.

Its texts are what they are: the store's own way of writing NUL is not meant in them.
"""

from collections.abc import Iterable
from typing import Any

from psycopg.adapt import Buffer, Loader
from psycopg.types.string import StrDumper
from sqlalchemy import Table


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
    connection.adapters.register_dumper(str, StrDumper)


def advance_ids(connection: Any, tables: Iterable[Table]) -> None:
    """Let each table number its rows from behind those that it has."""
    for table in tables:
        greatest = f"SELECT coalesce(max(id), 0) + 1 FROM {table.name}"  # noqa: S608 - our own name
        sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
        connection.execute(f"SELECT setval({sequence}, ({greatest}), false)")
