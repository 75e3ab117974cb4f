"""When the queue of the property index is worked off: when there is time, or a filter needs it."""

import logging
import threading
import time
from collections.abc import Callable, Iterator

from lineage_store import errors
from lineage_store.database.upkeep.property_index import QueueKey

IDLE_SECONDS = 0.05
"""How long nothing must have been written before there is time."""

CHUNK = 500
"""Nodes, or a few more, that one transaction indexes: writers wait for it."""

MAX_BEHIND = 50_000
"""Nodes that this process has left to be indexed, from which on it no longer waits for time."""

logger = logging.getLogger(__name__)

Waiting = Callable[[], list[tuple[QueueKey, int]]]
WorkOff = Callable[[list[QueueKey]], None]


class Indexing:
    """A thread that works the queue off behind the writers of this process.

    Args:
        waiting: Return the keys of the queue, each with how many nodes it stands for.
        work_off: Index the nodes of some keys.
        is_busy: Whether requests that write run or wait.
    """

    def __init__(self, waiting: Waiting, work_off: WorkOff, is_busy: Callable[[], bool]) -> None:
        self._waiting = waiting
        self._work_off = work_off
        self._is_busy = is_busy
        self._behind = 0
        self._last_noted = 0.0
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def note(self, count: int) -> None:
        """Say that so many nodes were put into the queue; called by one writer at a time."""
        self._behind += count
        self._last_noted = time.monotonic()
        self._wake.set()
        if self._thread is None and not self._stopped.is_set():
            self._thread = threading.Thread(target=self._run, name="indexing", daemon=True)
            self._thread.start()

    def complete(self) -> None:
        """Index all that waits now; what is queued meanwhile may stay."""
        for keys in _chunks(self._waiting()):
            self._work_off(keys)

    def stop(self) -> None:
        """End the thread; what waits stays in the queue, for whoever needs it next."""
        self._stopped.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._wake.wait()
            if self._stopped.wait(IDLE_SECONDS):
                return
            if self._has_time():
                self._catch_up()

    def _has_time(self) -> bool:
        if self._behind >= MAX_BEHIND:
            return True
        idle = time.monotonic() - self._last_noted
        return idle >= IDLE_SECONDS and not self._is_busy()

    def _catch_up(self) -> None:
        self._wake.clear()
        try:
            for keys in _chunks(self._waiting()):
                if self._stopped.is_set():
                    return
                if not self._has_time():
                    self._wake.set()
                    return
                self._work_off(keys)
        except errors.LineageError as error:  # the queue keeps what is left
            logger.warning("the index over properties stays behind: %s", error.message)
            return
        self._behind = 0


def _chunks(waiting: list[tuple[QueueKey, int]]) -> Iterator[list[QueueKey]]:
    chunk: list[QueueKey] = []
    size = 0
    for key, count in waiting:
        chunk.append(key)
        size += count
        if size >= CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
