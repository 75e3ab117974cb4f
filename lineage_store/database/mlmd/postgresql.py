"""Texts of ML Metadata on PostgreSQL: the store's own way of writing NUL is not meant in them."""

from typing import Any

from psycopg.adapt import Buffer, Loader
from psycopg.types.string import StrDumper


class _BytesLoader(Loader):
    """Gives a text as its bytes."""

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


def plain_texts(connection: Any) -> None:
    """Let a connection read texts as bytes, and write them as they are."""
    for name in ("text", "varchar"):
        connection.adapters.register_loader(name, _BytesLoader)
    connection.adapters.register_dumper(str, StrDumper)
