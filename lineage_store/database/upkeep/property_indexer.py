"""Draining of the queue of the property index: when there is time, or a filter needs it."""

import logging
import time
from collections.abc import Callable, Iterator

from lineage_store import errors
from lineage_store.database.upkeep.property_index import QueueKey
from lineage_store.worker import Worker

IDLE_SECONDS = 0.05
"""Seconds without a write after which there is time."""

CHUNK = 500
"""Nodes, or a few more, that one transaction indexes: writers wait for it."""

MAX_BEHIND = 50_000
"""Nodes that this process has left to be indexed, from which on it no longer waits for time."""

logger = logging.getLogger(__name__)

ReadQueue = Callable[[], list[tuple[QueueKey, int]]]
Drain = Callable[[list[QueueKey]], None]


class PropertyIndexer:
    """A worker that drains the queue behind the writers of this process.

    Args:
        read_queue: Return the keys of the queue, each with its number of nodes.
        drain: Index the nodes of some keys.
        is_busy: Whether requests that write run or wait.
    """

    def __init__(self, read_queue: ReadQueue, drain: Drain, is_busy: Callable[[], bool]) -> None:
        self._read_queue = read_queue
        self._drain = drain
        self._is_busy = is_busy
        self._behind = 0
        self._last_queued_at = 0.0
        self._worker = Worker("indexing", self._cycle)

    def queued(self, count: int) -> None:
        """Note that so many nodes were put into the queue; called by one writer at a time."""
        self._behind += count
        self._last_queued_at = time.monotonic()
        self._worker.wake()

    def complete(self) -> None:
        """Index all nodes in the queue; those that are queued meanwhile may stay."""
        for keys in _chunks(self._read_queue()):
            self._drain(keys)

    def stop(self) -> None:
        """End the thread; the rest stays in the queue, for the next filter or process."""
        self._worker.stop()

    def _cycle(self) -> float | None:
        if self._worker.pause(IDLE_SECONDS):
            return None
        return self._catch_up() if self._has_time() else 0.0

    def _has_time(self) -> bool:
        if self._behind >= MAX_BEHIND:
            return True
        idle = time.monotonic() - self._last_queued_at
        return idle >= IDLE_SECONDS and not self._is_busy()

    def _catch_up(self) -> float | None:
        try:
            for keys in _chunks(self._read_queue()):
                if self._worker.is_stopped or not self._has_time():
                    return 0.0
                self._drain(keys)
        except errors.LineageError as error:  # the queue keeps the rest
            logger.warning("the index over properties stays behind: %s", error.message)
            return None
        self._behind = 0
        return None


def _chunks(queue_keys: list[tuple[QueueKey, int]]) -> Iterator[list[QueueKey]]:
    chunk: list[QueueKey] = []
    size = 0
    for key, count in queue_keys:
        chunk.append(key)
        size += count
        if size >= CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
