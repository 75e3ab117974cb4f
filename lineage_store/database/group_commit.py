"""Group commit: callers that write at the same time share one transaction.

The caller at the head of the queue leads: it takes everything that waits, runs it in one
transaction and wakes the others with their answers. A lone caller writes in its own thread with
no hand-over. The design is that of LevelDB's writer queue.
"""

import threading
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any

from lineage_store import callers, errors

MAX_GROUP = 128
"""Requests in one transaction; the first of them waits for the last."""

MAX_GROUP_BYTES = 4 * 1024 * 1024
"""Bytes of the requests in one transaction; a larger one runs alone, so that no small one waits in
the same transaction, or fails with it."""


class WriteRequest:
    """One request in the queue, and its outcome.

    Attributes:
        job: The function to run on the transaction.
        alone: Whether nothing else may be in its transaction.
        size: Bytes of the request.
        result: The result of the job.
        error: The error that it raised instead.
        is_done: Whether one of the two is set.
    """

    __slots__ = ("_is_awaited", "alone", "error", "is_done", "job", "result", "size", "turn")

    def __init__(self, job: Callable[[Any], Any], *, alone: bool = False, size: int = 0) -> None:
        self.job = job
        self.size = size
        self.alone = alone
        self.result: Any = None
        self.error: BaseException | None = None
        self.is_done = False
        self.turn = threading.Lock()  # let go when it is this caller's turn, or done
        self.turn.acquire()
        self._is_awaited = callers.current_caller()

    def drop(self) -> bool:
        """Return whether nobody waits for it any more; then it has an error."""
        if self._is_awaited is None or self._is_awaited():
            return False
        self.error = callers.cancelled()
        return True


class GroupCommit:
    """A queue of requests that one caller at a time runs for all.

    Args:
        run: Run these requests in one transaction, setting `result` or `error` of each.
    """

    def __init__(self, run: Callable[[list[WriteRequest]], None]) -> None:
        self._run = run
        self._mutex = threading.Lock()
        self._queue: deque[WriteRequest] = deque()

    @property
    def is_busy(self) -> bool:
        """True if a request runs or waits."""
        return bool(self._queue)

    def submit(self, job: Callable[[Any], Any], *, alone: bool = False, size: int = 0) -> Any:  # noqa: ANN401 - the result of the job
        """Return the result of `job`, once the transaction that it ran in is durable.

        Args:
            job: The function to run on the transaction.
            alone: Whether nothing else may be in its transaction.
            size: Bytes of the request.
        """
        write_request = WriteRequest(job, alone=alone, size=size)
        with self._mutex:
            self._queue.append(write_request)
            leads = len(self._queue) == 1
        if not leads:
            write_request.turn.acquire()
        if not write_request.is_done:
            self._lead()
        if write_request.error is not None:
            raise write_request.error
        return write_request.result

    def _lead(self) -> None:
        with self._mutex:
            group = self._head()
        awaited_requests = [write_request for write_request in group if not write_request.drop()]
        try:
            if awaited_requests:
                self._run(awaited_requests)
        except BaseException:  # an interrupt of this thread, which is not the others'
            for write_request in group:
                write_request.error = write_request.error or errors.Unknown(
                    "the writer was interrupted; look whether the write took place"
                )
            raise
        finally:
            self._hand_over(group)

    def _head(self) -> list[WriteRequest]:
        """Return the next group: one request that runs alone, or as many others as may share."""
        group = [self._queue[0]]
        size = group[0].size
        for write_request in islice(self._queue, 1, MAX_GROUP):
            size += write_request.size
            if group[0].alone or write_request.alone or size > MAX_GROUP_BYTES:
                break
            group.append(write_request)
        return group

    def _hand_over(self, group: list[WriteRequest]) -> None:
        with self._mutex:
            for _ in group:
                self._queue.popleft()
            next_leader = self._queue[0] if self._queue else None
        for write_request in group:
            write_request.is_done = True
            write_request.turn.release()
        if next_leader is not None:
            next_leader.turn.release()
