"""The one writer of a process: waiting requests are gathered and written in one transaction.

A request is a function that can run again. So a transaction that met a conflict is run again, one
whose connection was lost is run again on a new one, and one that was lost while it committed is
run again only after the database has said that it did not take place.
"""

import logging
from collections.abc import Callable

from tenacity import Retrying

from lineage_store import errors
from lineage_store.database.commit_outcomes import CommitOutcomes
from lineage_store.database.commits import Commit, CommitPoint, following
from lineage_store.database.connection import Connection, ConstraintViolated, Driver
from lineage_store.database.group_commit import WriteRequest
from lineage_store.database.ids import IdBlocks
from lineage_store.database.sizes import LostInLargeStatement
from lineage_store.database.staging.types import TypeCache
from lineage_store.database.transaction import Transaction
from lineage_store.database.upkeep.property_index import IndexIsBehind
from lineage_store.limits import NodeBound

logger = logging.getLogger(__name__)

LOST = (errors.Aborted, errors.Unavailable)
"""Errors of a transaction that the database gave up; no request raises them of its own."""

_UNKNOWN_OUTCOME = errors.Unavailable(
    "the database went away while it committed; look whether the write took place"
)


class Writer:
    """Runs groups of requests, one after the other.

    Args:
        driver: The driver of the database.
        raw: A connection of the driver, from here on the writer's own.
        types: Committed types.
        retrying: Makes the loop that runs a lost transaction again, for a limited time.
        queued: Called with the number of nodes that a transaction has queued for the index.
        node_bound: The most bytes of one node.

    Attributes:
        connection: The connection that it writes on.
    """

    def __init__(
        self,
        driver: Driver,
        raw: object,
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
        self._outcomes = CommitOutcomes()
        self._closed = False
        self._has_warned = False
        self.connection = Connection(raw, driver)

    def run(self, group: list[WriteRequest]) -> None:
        """Run a group; when the database refuses it as a whole, run each request alone.

        Sets `result` or `error` of each request.
        """
        try:
            self._run_until_settled(group)
        except LostInLargeStatement as error:
            self._run_each(group, errors.InvalidArgument(error.message))
        except LOST as error:
            # The database is busy or away: waiting for it once for each request would help none.
            error = _UNKNOWN_OUTCOME if self._outcomes.has_unknown else error
            for write_request in group:
                write_request.error = type(error)(error.message)
        except Exception as error:
            self._run_each(group, error)
        finally:
            self._outcomes.clear()

    def _run_each(self, group: list[WriteRequest], error: Exception) -> None:
        """Run each request of a group alone, so that only the one to blame fails with `error`."""
        if len(group) == 1:
            group[0].error = _as_lineage_error(error)
            return
        for at, write_request in enumerate(group):
            self.run([write_request])
            if isinstance(
                write_request.error, errors.Unavailable
            ):  # waiting once for each would help none
                for other_request in group[at + 1 :]:
                    other_request.error = type(write_request.error)(write_request.error.message)
                return

    def close(self) -> None:
        """Close the connection; what runs after this fails with FailedPrecondition."""
        self._closed = True
        self._driver.close(self._raw)

    def _run_until_settled(self, group: list[WriteRequest]) -> None:
        """Run a group until no other server is in its way, and until the database is there."""
        try:
            self._run_together(group)
        except LOST as error:
            if not self._driver.is_remote or _is_large_among_others(error, group):
                raise
            self._retrying()(self._run_together, group)

    def _run_together(self, group: list[WriteRequest]) -> None:
        if self._closed:
            raise errors.FailedPrecondition("the store is closed")
        turn, last = self._begin()
        self._ids.begin()
        try:
            if self._outcomes.has_unknown and self._outcomes.was_committed(self.connection):
                self.connection.rollback()
                return
            transaction = self._transaction(following(last, self._outcomes.writer))
            for write_request in group:
                _run_one(write_request, transaction)
            if transaction.is_empty:
                self.connection.rollback()
                self._ids.restore()
                return
            with self.connection.pipelined():
                transaction.flush()
                self._sign(transaction.committed, last, turn)
            self._commit()
            if transaction.queued:
                self._queued(transaction.queued)
        except BaseException:
            self._ids.forget()
            self._undo()
            raise

    def _transaction(self, commit: Commit) -> Transaction:
        if commit.is_late and not self._has_warned:
            self._has_warned = True
            logger.warning(
                "the last commit of the store is %.0f s ahead of the clock of this machine: "
                "compare the clocks of all that write",
                (commit.point.recorded_at - commit.clock) / 1e6,
            )
        return Transaction(self.connection, self._ids, self._types, self._node_bound, commit)

    def _sign(self, committed: CommitPoint | None, last: CommitPoint, turn: int) -> None:
        """Write the marks of this transaction for others; see `CommitOutcomes`."""
        if self._driver.is_remote:
            self._outcomes.stamp(self.connection, committed or last, turn + 1)
        elif committed is not None and not self._outcomes.is_introduced:
            self._outcomes.introduce(self.connection, committed)

    def _commit(self) -> None:
        try:
            self.connection.commit()
        except errors.Unavailable:
            if self._driver.is_remote:
                self._outcomes.mark_unknown()
            raise

    def _begin(self) -> tuple[int, CommitPoint]:
        """Begin to write, on a new connection if the old one was lost: nothing was sent yet.

        Returns:
            The number of the last turn, and the last commit.
        """
        try:
            turn, *last = self.connection.begin(write=True)
        except errors.Unavailable:
            if not self._driver.is_remote:
                raise
            lost_connection, self._raw = self._raw, self._driver.connect()
            self._driver.close(lost_connection)
            self.connection = Connection(self._raw, self._driver)
            turn, *last = self.connection.begin(write=True)
        except errors.LineageError:
            self._undo()  # it began, and then met a lock
            raise
        return turn, CommitPoint(*last)

    def _undo(self) -> None:
        """Roll back; on a connection that was lost, there is nothing to."""
        try:
            self.connection.rollback()
        except errors.Unavailable:
            if not self._driver.is_remote:
                raise


def _run_one(write_request: WriteRequest, transaction: Transaction) -> None:
    mark = transaction.begin_request()
    write_request.error = None
    if write_request.drop():  # while it waited for a lock
        return
    try:
        write_request.result = write_request.job(transaction)
    except LOST:
        raise
    except (errors.LineageError, UnicodeDecodeError, IndexIsBehind) as error:
        transaction.undo(mark)
        write_request.error = error
    except Exception as error:
        logger.exception("a request failed with a defect")
        transaction.undo(mark)
        write_request.error = _as_lineage_error(error)


def _is_large_among_others(error: Exception, group: list[WriteRequest]) -> bool:
    return isinstance(error, LostInLargeStatement) and len(group) > 1


def _as_lineage_error(error: Exception) -> errors.LineageError:
    if isinstance(error, errors.LineageError):
        return error
    logger.error("the database refused a transaction: %s", type(error).__name__, exc_info=error)
    if isinstance(error, ConstraintViolated):
        return errors.Aborted("a concurrent writer was faster; try again")
    return errors.Internal("the store failed; its log has the details")
