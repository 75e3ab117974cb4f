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


class Entry:
    """One request in the queue, and what came of it.

    Attributes:
        job: What to run, given the transaction.
        alone: Whether nothing else may be in its transaction.
        size: Bytes of the request.
        result: What the job returned.
        error: What it raised instead.
    """

    __slots__ = ("_is_awaited", "alone", "done", "error", "job", "result", "size", "turn")

    def __init__(self, job: Callable[[Any], Any], *, alone: bool = False, size: int = 0) -> None:
        self.job = job
        self.size = size
        self.alone = alone
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = False
        self.turn = threading.Lock()  # let go when it is this caller's turn, or done
        self.turn.acquire()
        self._is_awaited = callers.current_caller()

    def drop(self) -> bool:
        """Return whether nobody waits for it any more; then it has an error."""
        if self._is_awaited is None or self._is_awaited():
            return False
        self.error = callers.gone()
        return True


class GroupCommit:
    """A queue of requests that one caller at a time runs for all.

    Args:
        run: Run these entries in one transaction, setting `result` or `error` of each.
    """

    def __init__(self, run: Callable[[list[Entry]], None]) -> None:
        self._run = run
        self._mutex = threading.Lock()
        self._queue: deque[Entry] = deque()

    @property
    def is_busy(self) -> bool:
        """Whether a request runs or waits."""
        return bool(self._queue)

    def submit(self, job: Callable[[Any], Any], *, alone: bool = False, size: int = 0) -> Any:
        """Return what `job` returns, once the transaction that it ran in is durable.

        Args:
            job: What to run, given the transaction.
            alone: Whether nothing else may be in its transaction.
            size: Bytes of the request.
        """
        entry = Entry(job, alone=alone, size=size)
        with self._mutex:
            self._queue.append(entry)
            leads = len(self._queue) == 1
        if not leads:
            entry.turn.acquire()
        if not entry.done:
            self._lead()
        if entry.error is not None:
            raise entry.error
        return entry.result

    def _lead(self) -> None:
        with self._mutex:
            group = self._head()
        awaited = [entry for entry in group if not entry.drop()]
        try:
            if awaited:
                self._run(awaited)
        except BaseException:  # an interrupt of this thread, which is not the others'
            for entry in group:
                entry.error = entry.error or errors.Unknown(
                    "the writer was interrupted; look whether the write took place"
                )
            raise
        finally:
            self._hand_over(group)

    def _head(self) -> list[Entry]:
        """Return what runs next: one request that runs alone, or as many others as may share."""
        group = [self._queue[0]]
        size = group[0].size
        for entry in islice(self._queue, 1, MAX_GROUP):
            size += entry.size
            if group[0].alone or entry.alone or size > MAX_GROUP_BYTES:
                break
            group.append(entry)
        return group

    def _hand_over(self, group: list[Entry]) -> None:
        with self._mutex:
            for _ in group:
                self._queue.popleft()
            following = self._queue[0] if self._queue else None
        for entry in group:
            entry.done = True
            entry.turn.release()
        if following is not None:
            following.turn.release()
