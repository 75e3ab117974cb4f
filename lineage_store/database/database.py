"""The database of a store: opened once, read by many threads, written through one queue."""

import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from sqlalchemy import delete
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from lineage_store import errors
from lineage_store.database import tables
from lineage_store.database.clock import CLOCK
from lineage_store.database.commits import last_stamp
from lineage_store.database.connection import Connection, SecondStatement
from lineage_store.database.drivers.urls import driver_for
from lineage_store.database.group_commit import GroupCommit, WriteRequest
from lineage_store.database.past import PastRows, past_rows
from lineage_store.database.queries.index_overlay import complete_index
from lineage_store.database.queries.snapshot import ReadSettings, Snapshot
from lineage_store.database.schema import revisions as schema
from lineage_store.database.sizes import LostInLargeStatement
from lineage_store.database.staging.types import TypeCache
from lineage_store.database.statements import Statement
from lineage_store.database.transaction import Transaction
from lineage_store.database.upkeep.property_index import (
    IndexIsBehind,
    QueueKey,
    parts_by_bytes,
    queued_keys,
)
from lineage_store.database.upkeep.property_indexer import PropertyIndexer
from lineage_store.database.writer import LOST, Writer
from lineage_store.limits import Limits

T = TypeVar("T")

_UNWRITABLE = (errors.ResourceExhausted, errors.FailedPrecondition, errors.PermissionDenied)
"""The errors of a write to a full disk or a read-only file."""

LONGEST_PAUSE_SECONDS = 0.1


class Database:
    """An open database.

    Args:
        url: `sqlite:///PATH`, or `sqlite://` for one in memory that dies with this object.
        limits: The most that requests may ask for.

    Raises:
        InvalidArgument: The URL is malformed.
        LineageError: The database can't be used, and why.
    """

    def __init__(self, url: str, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._driver = driver_for(url)
        raw = self._open()
        self._types = TypeCache()
        self._read_settings = ReadSettings(self._limits.filters, self._limits.max_answer_bytes)
        self._queue = GroupCommit(self._run_group)
        self._property_indexer = PropertyIndexer(
            self._queued_keys, self._index, lambda: self._queue.is_busy
        )
        self._writer = Writer(
            self._driver,
            raw,
            self._types,
            self._retrying,
            self._property_indexer.queued,
            self._limits.nodes.within(self._driver.max_row_bytes),
        )
        self._idle: list[Any] = []
        # A memory database has one connection, so its readers wait for its writer.
        self._shared = threading.RLock() if self._driver.is_single else None
        self._closed = False

    def _open(self) -> Any:  # noqa: ANN401 - the driver's own
        """Return a connection of the driver to the store, which is created in an empty database."""
        raw = self._driver.connect()
        try:
            schema.open_or_create(self._driver, raw)
            if self._driver.may_create:  # a store that is only read sets nobody's clock
                self._set_clock(Connection(raw, self._driver))
            # On a server a transaction that met a lock is run again, within patience.
            patience = self._limits.patience_seconds
            self._driver.bound_waits(raw, patience / 2 if self._driver.is_remote else patience)
        except BaseException:
            self._driver.close(raw)
            raise
        return raw

    @staticmethod
    def _set_clock(connection: Connection) -> None:
        """Go on from the last stamp of the store: the clock may have been set back since."""
        try:
            last = last_stamp(connection)
        except errors.DataLoss:  # whoever reads the damaged rows gets the error
            return
        CLOCK.not_before(last)

    def write(self, job: Callable[[Transaction], T], size: int = 0) -> T:
        """Return the result of `job`, once its staged changes are durable.

        `job` shares its transaction with other callers' and may run a second time, so it must
        do nothing but read and stage. When it raises, its staged changes are undone.

        Args:
            job: Reads and stages.
            size: Bytes of the request; large ones share with few others, or with none.
        """
        self._check_open()
        result: T = self._queue.submit(job, size=size)
        return result

    def write_alone(self, job: Callable[[Transaction, Snapshot], T]) -> T:
        """Return the result of `job`, as `write` does, with nothing else in its transaction.

        So the snapshot shows all there is until `job` stages something. It is for jobs that read
        too much, in too many ways, to take the staged changes of others into account.
        """
        self._check_open()
        return self._with_index(
            lambda *, complete: self._write_alone(job, index_is_complete=complete)
        )

    def _write_alone(
        self, job: Callable[[Transaction, Snapshot], T], *, index_is_complete: bool
    ) -> T:
        def with_snapshot(transaction: Transaction) -> T:
            return job(
                transaction,
                Snapshot(
                    self._writer.connection,
                    self._read_settings,
                    index_is_complete=index_is_complete,
                ),
            )

        result: T = self._queue.submit(with_snapshot, alone=True)
        return result

    def rows_at(self, stamp: int, max_rows: int) -> list[PastRows]:
        """Return the rows of the store as of a commit, for `fill`.

        Raises:
            FailedPrecondition: There are too many.
        """
        return self.read(past_rows, stamp, max_rows)

    def fill(self, parts: Iterable[PastRows]) -> None:
        """Make the rows of another store those of this one, which is new and in memory."""
        connection = self._writer.connection
        connection.begin(write=True)
        for table in (tables.types, tables.commits):
            connection.execute(Statement(delete(table)))
        for table, rows, columns in parts:
            connection.insert(table, rows, columns)
        connection.commit()

    def read(self, job: Callable[..., T], *arguments: object, once: bool = False) -> T:
        """Return the result of `job`, which reads one consistent state and may run again.

        Args:
            job: Reads; takes a snapshot.
            arguments: Passed on to `job`, after the snapshot.
            once: It takes one query as a rule; that needs no transaction, which on a server saves
                two of three round trips.
        """
        if once and self._driver.reads_at_once:
            try:
                result: T = self._with_reader(self._read_at_once, job, arguments, once=True)
            except (SecondStatement, IndexIsBehind):
                pass  # it takes more than that, so it is read as all else is
            except LOST:
                if not self._driver.is_remote:
                    raise
            else:
                return result
        answer: T = self._with_index(
            lambda *, complete: self._read_until_there(job, *arguments, index_is_complete=complete),
            lambda: self._with_reader(self._read_beside_index, job, arguments),
        )
        return answer

    def _read_at_once(
        self, connection: Connection, job: Callable[..., T], arguments: tuple[object, ...]
    ) -> T:
        return job(Snapshot(connection, self._read_settings), *arguments)

    def _read_beside_index(
        self, connection: Connection, job: Callable[..., T], arguments: tuple[object, ...]
    ) -> T:
        """Read the rows that the index lacks from the nodes themselves: nothing can be written."""
        connection.begin(write=False)
        try:
            with complete_index(connection):
                snapshot = Snapshot(connection, self._read_settings, index_is_complete=True)
                return job(snapshot, *arguments)
        finally:
            connection.rollback()

    def _read_until_there(
        self, job: Callable[..., T], *arguments: object, index_is_complete: bool
    ) -> T:
        """Read in a transaction, on a server until it is there."""
        try:
            result: T = self._with_reader(
                self._read_in_transaction, job, arguments, index_is_complete
            )
        except LOST:
            if not self._driver.is_remote:
                raise
        else:
            return result
        self._drop_idle()  # the server was restarted since they were opened
        answer: T = self._retrying()(
            self._with_reader, self._read_in_transaction, job, arguments, index_is_complete
        )
        return answer

    def _read_in_transaction(
        self,
        connection: Connection,
        job: Callable[..., T],
        arguments: tuple[object, ...],
        index_is_complete: bool,
    ) -> T:
        connection.begin(write=False)
        try:
            snapshot = Snapshot(
                connection, self._read_settings, index_is_complete=index_is_complete
            )
            return job(snapshot, *arguments)
        finally:
            connection.rollback()

    def _with_index(self, run: Callable[..., T], instead: Callable[[], T] | None = None) -> T:
        """Return the result of `run`, once everything acknowledged before is indexed.

        Args:
            run: Needs the index.
            instead: Runs in its place on a file that can't be written.
        """
        try:
            return run(complete=False)
        except IndexIsBehind:
            pass
        try:
            self._property_indexer.complete()
        except _UNWRITABLE:
            if instead is None or self._driver.is_remote:
                raise
            return instead()
        return run(complete=True)

    def _queued_keys(self) -> list[tuple[QueueKey, int]]:
        return self._read_until_there(
            lambda snapshot: queued_keys(snapshot.connection), index_is_complete=True
        )

    def _index(self, keys: list[QueueKey]) -> None:
        parts = self._read_until_there(
            lambda snapshot: parts_by_bytes(snapshot.connection, keys), index_is_complete=True
        )
        for part in parts:
            self._index_part(part)

    def _index_part(self, keys: list[QueueKey]) -> None:
        self._write_alone(lambda tx, _: tx.index(keys), index_is_complete=True)

    def _retrying(self) -> Retrying:
        return Retrying(
            retry=retry_if_exception(_is_worth_repeating),
            stop=stop_after_delay(self._limits.patience_seconds),
            wait=wait_random_exponential(multiplier=0.01, max=LONGEST_PAUSE_SECONDS),
            reraise=True,
        )

    def _drop_idle(self) -> None:
        idle, self._idle = self._idle, []
        for raw in idle:
            self._driver.close(raw)

    def close(self) -> None:
        """Close all connections; calls after this raise FailedPrecondition."""
        self._property_indexer.stop()
        self._closed = True
        self._drop_idle()
        self._writer.close()

    def _with_reader(self, use: Callable[..., T], *arguments: object, once: bool = False) -> T:
        """Return the result of `use`, called with a connection that nobody else has meanwhile.

        Args:
            use: Takes the connection.
            arguments: Passed on to `use`, after the connection.
            once: Whether the connection takes one query only.
        """
        self._check_open()
        if self._shared is not None:
            with self._shared:
                return use(self._writer.connection.another(once=once), *arguments)
        try:
            raw = self._idle.pop()
        except IndexError:
            raw = self._driver.connect()
        keep = False
        try:
            result = use(Connection(raw, self._driver, once=once), *arguments)
            keep = True
        except (errors.LineageError, SecondStatement, IndexIsBehind) as error:
            keep = not isinstance(error, LOST)
            raise
        finally:
            self._give_back(raw, keep=keep)
        return result

    def _give_back(self, raw: object, *, keep: bool) -> None:
        if keep and not self._closed and self._driver.is_alive(raw):
            self._idle.append(raw)
        else:
            self._driver.close(raw)

    def _check_open(self) -> None:
        if self._closed:
            raise errors.FailedPrecondition("the store is closed")

    def _run_group(self, group: list[WriteRequest]) -> None:
        if self._shared is None:
            self._writer.run(group)
        else:
            with self._shared:
                self._writer.run(group)


def _is_worth_repeating(error: BaseException) -> bool:
    """Return whether a transaction that the database gave up may succeed when it is repeated.

    A connection that was lost twice during the same large statement is lost again.
    """
    return isinstance(error, LOST) and not isinstance(error, LostInLargeStatement)
