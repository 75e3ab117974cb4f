"""The database of a store: opened once, read by many threads, written through one queue."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from lineage_store import errors
from lineage_store.database import schema
from lineage_store.database.connection import Connection, ConstraintViolated
from lineage_store.database.group_commit import Entry, GroupCommit
from lineage_store.database.ids import IdBlocks
from lineage_store.database.snapshot import Snapshot
from lineage_store.database.transaction import Transaction
from lineage_store.database.types import TypeCache
from lineage_store.database.urls import driver_for
from lineage_store.limits import FilterLimits

T = TypeVar("T")
logger = logging.getLogger(__name__)


class Database:
    """An open database.

    Args:
        url: `sqlite:///PATH`, or `sqlite://` for one in memory that dies with this object.
        filter_limits: What a filter may ask for.

    Raises:
        InvalidArgument: The URL is malformed.
        LineageError: The database can't be used, and why.
    """

    def __init__(self, url: str, filter_limits: FilterLimits | None = None) -> None:
        self._filter_limits = filter_limits or FilterLimits()
        self._driver = driver_for(url)
        raw = self._driver.connect()
        try:
            schema.open_or_create(self._driver, raw)
        except BaseException:
            raw.close()
            raise
        self._raw_writer = raw
        self._writer = Connection(raw, self._driver)
        self._idle: list[Any] = []
        # A memory database has one connection, so its readers wait for its writer.
        self._shared = threading.RLock() if self._driver.is_single else None
        self._ids = IdBlocks()
        self._types = TypeCache()
        self._queue = GroupCommit(self._run_group)
        self._closed = False

    def write(self, job: Callable[[Transaction], T]) -> T:
        """Return what `job` returns, once what it staged is durable.

        `job` shares its transaction with other callers' and may run a second time, so it must
        do nothing but read and stage. When it raises, what it staged is undone.
        """
        self._check_open()
        result: T = self._queue.submit(job)
        return result

    def write_alone(self, job: Callable[[Transaction, Snapshot], T]) -> T:
        """Return what `job` returns, as `write` does, with nothing else in its transaction.

        So the snapshot shows all there is until `job` stages something: for what reads too much,
        in too many ways, to look at what others have staged.
        """
        self._check_open()

        def with_snapshot(transaction: Transaction) -> T:
            return job(transaction, Snapshot(self._writer, self._types, self._filter_limits))

        result: T = self._queue.submit(with_snapshot, alone=True)
        return result

    def read(self, job: Callable[[Snapshot], T]) -> T:
        """Return what `job` returns, reading one consistent state."""
        try:
            return self._read(job)
        except errors.Unavailable:
            if not self._driver.is_remote:
                raise
            self._drop_idle()  # the server was restarted since they were opened
        return self._read(job)

    def _read(self, job: Callable[[Snapshot], T]) -> T:
        with self._reader() as connection:
            connection.begin(write=False)
            try:
                return job(Snapshot(connection, self._types, self._filter_limits))
            finally:
                connection.rollback()

    def _drop_idle(self) -> None:
        idle, self._idle = self._idle, []
        for raw in idle:
            raw.close()

    def close(self) -> None:
        """Close all connections; calls after this raise FailedPrecondition."""
        self._closed = True
        for raw in [*self._idle, self._raw_writer]:
            raw.close()
        self._idle.clear()

    @contextmanager
    def _reader(self) -> Iterator[Connection]:
        self._check_open()
        if self._shared is not None:
            with self._shared:
                yield self._writer
            return
        raw = self._idle.pop() if self._idle else self._driver.connect()
        try:
            yield Connection(raw, self._driver)
        finally:
            self._give_back(raw)

    def _give_back(self, raw: Any) -> None:
        if self._closed or not self._driver.is_alive(raw):
            raw.close()
        else:
            self._idle.append(raw)

    def _check_open(self) -> None:
        if self._closed:
            raise errors.FailedPrecondition("the store is closed")

    def _run_group(self, group: list[Entry]) -> None:
        if self._shared is None:
            self._run_isolated(group)
        else:
            with self._shared:
                self._run_isolated(group)

    def _run_isolated(self, group: list[Entry]) -> None:
        """Run a group; when the database refuses it as a whole, run each request alone."""
        try:
            self._run_again_on_conflict(group)
        except (errors.Aborted, errors.Unavailable) as error:
            # The database is busy or away: waiting for it once for each request would help none.
            for entry in group:
                entry.error = type(error)(error.message)
        except Exception as error:
            if len(group) > 1:
                for entry in group:
                    self._run_isolated([entry])
                return
            group[0].error = _as_lineage_error(error)

    def _run_again_on_conflict(self, group: list[Entry]) -> None:
        """Run a group until no other server is in its way; also a COMMIT can say that one is."""
        for attempt in range(self._driver.retries):
            try:
                self._run_together(group)
            except errors.Aborted:
                time.sleep(random.uniform(0, min(1.0, 0.01 * 2**attempt)))  # noqa: S311 - jitter
            else:
                return
        self._run_together(group)

    def _begin(self) -> None:
        """Begin to write, on a new connection if the old one was lost: nothing was sent yet."""
        try:
            self._writer.begin(write=True)
        except errors.Unavailable:
            if not self._driver.is_remote:
                raise
            self._raw_writer.close()
            self._raw_writer = self._driver.connect()
            self._writer = Connection(self._raw_writer, self._driver)
            self._writer.begin(write=True)

    def _run_together(self, group: list[Entry]) -> None:
        self._check_open()
        self._begin()
        self._ids.begin()
        try:
            transaction = Transaction(self._writer, self._ids, self._types)
            for entry in group:
                _run_one(entry, transaction)
            if transaction.is_empty:
                self._writer.rollback()
                self._ids.restore()
                return
            transaction.flush()
            self._writer.commit()
        except BaseException:
            self._ids.forget()
            self._undo()
            raise

    def _undo(self) -> None:
        """Roll back; on a connection that was lost, there is nothing to."""
        try:
            self._writer.rollback()
        except errors.Unavailable:
            if not self._driver.is_remote:
                raise


def _run_one(entry: Entry, transaction: Transaction) -> None:
    mark = transaction.mark()
    entry.error = None
    try:
        entry.result = entry.job(transaction)
    except (errors.LineageError, UnicodeDecodeError) as error:
        transaction.undo(mark)
        entry.error = error
    except Exception as error:
        logger.exception("a request failed with a defect")
        transaction.undo(mark)
        entry.error = _as_lineage_error(error)


def _as_lineage_error(error: Exception) -> errors.LineageError:
    if isinstance(error, errors.LineageError):
        return error
    logger.error("the database refused a transaction: %s", type(error).__name__, exc_info=error)
    if isinstance(error, ConstraintViolated):
        return errors.Aborted("a concurrent writer was faster; try again")
    return errors.Internal("the store failed; its log has the details")
