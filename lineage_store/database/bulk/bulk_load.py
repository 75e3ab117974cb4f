"""Bulk loads: a store is filled with the rows of another, which keep their ids.

Until the load is complete, the revision of the store names the source. So nothing uses half a
store, and the same command resumes an interrupted load. Each batch is one transaction.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Table, bindparam, delete, func, select, update
from sqlalchemy.engine import Connection as CoreConnection

from lineage_store import errors
from lineage_store.database import tables
from lineage_store.database.bulk.backfill import complete_commits
from lineage_store.database.bulk.store_pages import existing_ids
from lineage_store.database.connection import Connection, ConstraintViolated
from lineage_store.database.drivers.urls import driver_for
from lineage_store.database.ids import MAX_ID
from lineage_store.database.schema import revisions as schema
from lineage_store.database.sizes import LostInLargeStatement
from lineage_store.database.statements import Statement
from lineage_store.kinds import NodeKind

_SET_COUNTER = Statement(
    update(tables.counters)
    .where(tables.counters.c.name == bindparam("counter"))
    .values(next_id=bindparam("first_free"))
)
_SET_REVISION = Statement(
    update(schema.revision_table).values(version_num=bindparam("new_revision"))
)


class BulkLoad:
    """A bulk load into a store, which is closed to all others until `finish`.

    Args:
        url: The database: empty, or a store without nodes, or one left half-filled from `source`.
        source: A text that identifies the source, such as its URL without password.

    Attributes:
        is_resumed: Whether this resumes an earlier load from the same source.

    Raises:
        FailedPrecondition: The store holds something, or was half-filled from another source.
        LineageError: The database can't be used, and why.
    """

    def __init__(self, url: str, source: str) -> None:
        self._driver = driver_for(url)
        self._raw = self._driver.connect()
        self._mark = _mark(source)
        try:
            with schema.translated(self._driver):
                self.is_resumed = self._open()
        except BaseException:
            self._driver.close(self._raw)
            raise
        self._connection = Connection(self._raw, self._driver)

    def _open(self) -> bool:
        with self._driver.core_engine(self._raw).connect() as connection:
            revision = schema.current_revision(connection)
        if revision == self._mark:
            return True
        if (revision or "").startswith(schema.FILLING):
            raise errors.FailedPrecondition(
                "the target is half-filled from another source; finish that with the same "
                "command, or drop the target and start again"
            )
        schema.open_or_create(self._driver, self._raw)
        with schema.writing(self._driver, self._raw) as connection:
            _check_empty(connection)
            connection.execute(delete(tables.types))
            connection.execute(delete(tables.commits))
            connection.execute(update(schema.revision_table).values(version_num=self._mark))
        return False

    @property
    def max_row_bytes(self) -> int:
        """Bytes that the values of one row may have."""
        return self._driver.max_row_bytes

    @contextmanager
    def batch(self) -> Iterator[Connection]:
        """Give a connection within one transaction, which is committed at the end of the block.

        Raises:
            Aborted: Another process fills the same store.
            FailedPrecondition: The connection was lost during a large statement.
        """
        self._connection.begin(write=True)
        try:
            yield self._connection
            self._connection.commit()
        except ConstraintViolated as error:
            self._connection.rollback()
            raise errors.Aborted(
                "a row is in the target already: does another process fill it?"
            ) from error
        except BaseException as error:
            with suppress(errors.Unavailable):  # a connection that was lost is rolled back already
                self._connection.rollback()
            if isinstance(error, LostInLargeStatement):
                raise errors.FailedPrecondition(error.message) from error
            raise

    def last(self, table: Table) -> tuple[Any, ...] | None:
        """Return the greatest primary key that a table holds, or None if it is empty."""
        key = list(table.primary_key)
        query = select(*key).order_by(*(column.desc() for column in key)).limit(1)
        with self._reading() as connection:
            rows = connection.rows(Statement(query))
        return rows[0] if rows else None

    def existing(self, kind: NodeKind, ids: Iterable[int]) -> set[int]:
        """Return which of some ids are those of nodes that are in the store."""
        with self._reading() as connection:
            return existing_ids(connection, kind, ids)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self._connection.begin(write=False)
        try:
            yield self._connection
        finally:
            self._connection.rollback()

    def finish(self, counters: Mapping[str, int]) -> None:
        """Open the store to all.

        Args:
            counters: The first free id of each sequence.

        Raises:
            OutOfRange: An id is larger than a store can give out.
        """
        for name, first_free in counters.items():
            if first_free > MAX_ID:
                raise errors.OutOfRange(f"the ids of {name} are beyond 2^53: {first_free - 1}")
        with self.batch() as connection:
            for name, first_free in counters.items():
                connection.execute(_SET_COUNTER, counter=name, first_free=first_free)
            complete_commits(connection)
            connection.execute(_SET_REVISION, new_revision=schema.HEAD)

    def close(self) -> None:
        """Close the connection; an unfinished load can be resumed."""
        self._driver.close(self._raw)


def _mark(source: str) -> str:
    return schema.FILLING + hashlib.sha256(source.encode()).hexdigest()[:16]


def _check_empty(connection: CoreConnection) -> None:
    for table in (*tables.nodes.values(), tables.events):
        if connection.execute(select(table.c.id).limit(1)).first() is not None:
            raise errors.FailedPrecondition(
                f"the target holds {table.name} already; ids are kept, so it must be empty"
            )
    last_type = connection.execute(select(func.max(tables.types.c.id))).scalar_one()
    if last_type is not None and last_type >= schema.FIRST_USER_TYPE:
        raise errors.FailedPrecondition(
            "the target has types of its own already; ids are kept, so it must be empty"
        )
