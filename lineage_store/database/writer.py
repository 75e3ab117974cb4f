"""The one writer of a process: what waits is gathered and written in one transaction.

A request is a function that can run again. So a transaction that met a conflict is run again, one
whose connection was lost is run again on a new one, and one that was lost while it committed is
run again only after the database has said that it did not take place.
"""

import logging
from collections.abc import Callable
from typing import Any

from tenacity import Retrying

from lineage_store import errors
from lineage_store.database.commit_outcomes import Turns
from lineage_store.database.connection import Connection, ConstraintViolated, Driver
from lineage_store.database.group_commit import Entry
from lineage_store.database.ids import IdBlocks
from lineage_store.database.sizes import LostInLargeStatement
from lineage_store.database.staging.types import TypeCache
from lineage_store.database.transaction import Transaction
from lineage_store.database.upkeep.property_index import IndexIsBehind
from lineage_store.limits import NodeBound

logger = logging.getLogger(__name__)

LOST = (errors.Aborted, errors.Unavailable)
"""What the database raises when it gave a transaction up; requests raise neither by themselves."""

_UNKNOWN_OUTCOME = errors.Unavailable(
    "the database went away while it committed; look whether the write took place"
)


class Writer:
    """Runs groups of requests, one after the other.

    Args:
        driver: The driver of the database.
        raw: A connection of the driver, from here on the writer's own.
        types: What is known of types.
        retrying: Makes the loop that runs a lost transaction again, until patience is at an end.
        queued: Told how many nodes a transaction has left for the property index.
        node_bound: What one node may take.

    Attributes:
        connection: What it writes on.
    """

    def __init__(
        self,
        driver: Driver,
        raw: Any,
        types: TypeCache,
        retrying: Callable[[], Retrying],
        queued: Callable[[int], None],
        node_bound: NodeBound,
    ) -> None:
        self._driver = driver
        self._raw = raw
        self._types = types
        self._retrying = retrying
        self._queued = queued
        self._node_bound = node_bound
        self._ids = IdBlocks()
        self._turns = Turns()
        self._closed = False
        self.connection = Connection(raw, driver)

    def run(self, group: list[Entry]) -> None:
        """Run a group; when the database refuses it as a whole, run each request alone.

        Sets `result` or `error` of each entry.
        """
        try:
            self._run_until_settled(group)
        except LostInLargeStatement as error:
            self._run_each(group, errors.InvalidArgument(error.message))
        except LOST as error:
            # The database is busy or away: waiting for it once for each request would help none.
            error = _UNKNOWN_OUTCOME if self._turns.is_in_doubt else error
            for entry in group:
                entry.error = type(error)(error.message)
        except Exception as error:
            self._run_each(group, error)
        finally:
            self._turns.settle()

    def _run_each(self, group: list[Entry], error: Exception) -> None:
        """Run each request of a group alone, so that only the one to blame fails with `error`."""
        if len(group) == 1:
            group[0].error = _as_lineage_error(error)
            return
        for at, entry in enumerate(group):
            self.run([entry])
            if isinstance(entry.error, errors.Unavailable):  # waiting once for each would help none
                for other in group[at + 1 :]:
                    other.error = type(entry.error)(entry.error.message)
                return

    def close(self) -> None:
        """Close the connection; what runs after this fails with FailedPrecondition."""
        self._closed = True
        self._driver.close(self._raw)

    def _run_until_settled(self, group: list[Entry]) -> None:
        """Run a group until no other server is in its way, and until the database is there."""
        try:
            self._run_together(group)
        except LOST as error:
            if not self._driver.is_remote or _is_large_among_others(error, group):
                raise
            self._retrying()(self._run_together, group)

    def _run_together(self, group: list[Entry]) -> None:
        if self._closed:
            raise errors.FailedPrecondition("the store is closed")
        self._begin()
        self._ids.begin()
        try:
            if self._turns.is_in_doubt and self._turns.was_committed(self.connection):
                self.connection.rollback()
                return
            transaction = Transaction(self.connection, self._ids, self._types, self._node_bound)
            for entry in group:
                _run_one(entry, transaction)
            if transaction.is_empty:
                self.connection.rollback()
                self._ids.restore()
                return
            with self.connection.pipelined():
                transaction.flush()
                if self._driver.is_remote:
                    self._turns.sign(self.connection)
            self._commit()
            if transaction.queued:
                self._queued(transaction.queued)
        except BaseException:
            self._ids.forget()
            self._undo()
            raise

    def _commit(self) -> None:
        try:
            self.connection.commit()
        except errors.Unavailable:
            if self._driver.is_remote:
                self._turns.doubt()
            raise

    def _begin(self) -> None:
        """Begin to write, on a new connection if the old one was lost: nothing was sent yet."""
        try:
            self.connection.begin(write=True)
        except errors.Unavailable:
            if not self._driver.is_remote:
                raise
            lost, self._raw = self._raw, self._driver.connect()
            self._driver.close(lost)
            self.connection = Connection(self._raw, self._driver)
            self.connection.begin(write=True)
        except errors.LineageError:
            self._undo()  # it began, and then met a lock
            raise

    def _undo(self) -> None:
        """Roll back; on a connection that was lost, there is nothing to."""
        try:
            self.connection.rollback()
        except errors.Unavailable:
            if not self._driver.is_remote:
                raise


def _run_one(entry: Entry, transaction: Transaction) -> None:
    mark = transaction.begin_request()
    entry.error = None
    if entry.drop():  # while it waited for a lock
        return
    try:
        entry.result = entry.job(transaction)
    except LOST:
        raise
    except (errors.LineageError, UnicodeDecodeError, IndexIsBehind) as error:
        transaction.undo(mark)
        entry.error = error
    except Exception as error:
        logger.exception("a request failed with a defect")
        transaction.undo(mark)
        entry.error = _as_lineage_error(error)


def _is_large_among_others(error: Exception, group: list[Entry]) -> bool:
    return isinstance(error, LostInLargeStatement) and len(group) > 1


def _as_lineage_error(error: Exception) -> errors.LineageError:
    if isinstance(error, errors.LineageError):
        return error
    logger.error("the database refused a transaction: %s", type(error).__name__, exc_info=error)
    if isinstance(error, ConstraintViolated):
        return errors.Aborted("a concurrent writer was faster; try again")
    return errors.Internal("the store failed; its log has the details")
