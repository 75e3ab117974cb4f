"""Stores of a database server that are emptied after one test and used by the next.

To make 21 tables takes a server many times as long as to delete the few rows of a test.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Protocol

from lineage_store.client.embedded import EmbeddedTransport

Rows = dict[str, list[tuple[object, ...]]]


class Connection(Protocol):
    """The part of a DB-API connection that emptying a store takes."""

    def cursor(self) -> Any: ...
    def commit(self) -> None: ...
    def close(self) -> None: ...


class StorePool:
    """The stores of one server that no test uses now.

    Args:
        create: Returns the URL of a new, empty database.
        connect: Opens a DB-API connection to the database of such a URL; it commits nothing itself.
        rows: Returns every row of every table of a store.
    """

    def __init__(
        self,
        create: Callable[[], str],
        connect: Callable[[str], Connection],
        rows: Callable[[str], Rows],
    ) -> None:
        self._create = create
        self._connect = connect
        self._rows = rows
        self._first_rows: Rows = {}
        self._free: list[str] = []

    @contextmanager
    def store(self) -> Iterator[str]:
        """Give the URL of a store without nodes; one whose test breaks off is not used again."""
        url = self._free.pop() if self._free else self._new_store()
        yield url
        self._empty(url)
        self._free.append(url)

    def _new_store(self) -> str:
        url = self._create()
        EmbeddedTransport(url).close()
        self._first_rows = self._first_rows or self._rows(url)
        return url

    def _empty(self, url: str) -> None:
        with closing(self._connect(url)) as connection, closing(connection.cursor()) as cursor:
            for table, rows in self._first_rows.items():
                cursor.execute(f"DELETE FROM {table}")
                if rows:
                    places = ", ".join(["%s"] * len(rows[0]))
                    cursor.executemany(f"INSERT INTO {table} VALUES ({places})", rows)
            connection.commit()
