"""Repair: columns, indexes and counters are rebuilt from the bodies."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from lineage_store.database import tables
from lineage_store.database.bulk import index_rows as derived
from lineage_store.database.bulk import store_contents as contents
from lineage_store.database.bulk.store_contents import StoredTable
from lineage_store.database.checks.bodies import rebuilt
from lineage_store.database.checks.references import INDEXED
from lineage_store.database.connection import Connection, ConstraintViolated
from lineage_store.database.drivers.urls import driver_for

_COUNTER_COLUMNS = ("name", "next_id")


class Repair:
    """Writes to a store that is being checked, each page in a transaction of its own.

    Attributes:
        rows: The number of rebuilt rows.
    """

    def __init__(self, url: str) -> None:
        self._driver = driver_for(url).without_creating()
        self._raw: Any = self._driver.connect()
        self._connection = Connection(self._raw, self._driver)
        self.rows = 0

    def rebuild(self, table: StoredTable, ids: Sequence[int]) -> None:
        """Rebuild the columns of rows, and their index rows, from their bodies.

        A row whose name, by its body, is that of another row stays as it is.
        """
        if not ids:
            return
        self._connection.begin(write=True)
        try:
            self.rows += self._rebuild(table, ids)
            self._connection.commit()
        except ConstraintViolated:
            self._connection.rollback()
            for one in ids if len(ids) > 1 else ():
                self.rebuild(table, [one])
        except BaseException:
            self._connection.rollback()
            raise

    def _rebuild(self, table: StoredTable, ids: Sequence[int]) -> int:
        keys = [(i,) for i in ids]
        stored_rows = contents.rows_by_keys(self._connection, table, keys)
        rebuilt_rows = {key: rebuilt(table, row) for key, row in stored_rows.items()}
        rows = [row for key, row in rebuilt_rows.items() if contents.key_of(table, row) == key]
        self._connection.insert(table, rows, on_conflict="update")
        derived.delete_index_rows(self._connection, table, [row[0] for row in rows])
        index, columns, index_entries = derived.index_rows(table, rows)
        if index is not None:
            self._connection.insert(index, index_entries, columns)
        return len(rows)

    def remove_orphans(self, index: StoredTable, ids: Sequence[int]) -> None:
        """Remove index rows whose rows do not exist."""
        if not ids:
            return
        _, table = INDEXED[index.name]
        self._connection.begin(write=True)
        try:
            present_rows = contents.rows_by_keys(self._connection, table, [(i,) for i in ids])
            orphan_ids = [i for i in ids if (i,) not in present_rows]
            derived.delete_index_rows(self._connection, table, orphan_ids)
            self._connection.commit()
        except BaseException:
            self._connection.rollback()
            raise
        self.rows += len(orphan_ids)

    def advance(self, counters: Mapping[str, int]) -> None:
        """Advance counters to at least these values."""
        if not counters:
            return
        self._connection.begin(write=True)
        try:
            now = contents.counters(self._connection)
            rows = [(name, max(least, now.get(name, 0))) for name, least in counters.items()]
            self._connection.insert(tables.counters, rows, _COUNTER_COLUMNS, on_conflict="update")
            self._connection.commit()
        except BaseException:
            self._connection.rollback()
            raise
        self.rows += len(rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._driver.close(self._raw)
