"""Keeps the graph in memory up with the database."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from lineage_store import errors
from lineage_store.database.queries.event_log import (
    count_events,
    count_events_up_to,
    events_from,
    last_event,
)
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.lineage.adjacency.columns import (
    BEGINNING,
    BYTES_PER_EVENT,
    ColumnsBuilder,
    EventEntry,
    Mark,
)
from lineage_store.lineage.adjacency.graph import Graph, View
from lineage_store.worker import Worker

INLINE = 2_000
"""Events that a query itself adds to the graph; if more are missing, the database answers it."""

CHUNK = 500
"""Events that are read at once in the background: a few milliseconds, and so few objects at a time
that the collector of cycles has nothing to look for."""

MIN_TAIL, MAX_TAIL = 4_000, 32_000
"""Recent events that are put into arrays at the earliest, and at the latest."""

QUERIES_BEFORE_LOADING = 3
"""A process that asks less often would wait longer for the graph than for its answers."""

RETRY_SECONDS = 10.0

CLOSE_SECONDS = 2.0
"""Seconds that `close` waits for the work in the background; if the database is away for longer,
the thread ends later."""

AUDIT_SECONDS = 60.0
"""Seconds between two counts of the events while the graph is used: a writer of another version may
have given an event an id that is not the greatest."""

logger = logging.getLogger(__name__)

Read = Callable[[Callable[[Snapshot], Any]], Any]
"""Runs a function on a new snapshot."""


class _TooLarge(Exception):
    """The graph does not fit into the memory that it may take."""


class Adjacency:
    """The graph in memory, loaded and put in order in the background; safe for many threads.

    Args:
        read: Reads the database.
        max_bytes: Memory that the graph may take; 0: keep none.
    """

    def __init__(self, read: Read, max_bytes: int) -> None:
        self._read = read
        self._max_bytes = max_bytes
        self._graph: Graph | None = None
        self._lock = threading.Lock()
        self._worker = Worker("lineage", self._work, on_defect=self._give_up, idle_seconds=0.0)
        self._queries = 0
        self._is_due = False
        self._audit_at = float("inf")
        self._not_before = float("inf") if max_bytes == 0 else 0.0

    def view(self, snapshot: Snapshot) -> View | None:
        """Return the graph just as a snapshot has it; None: only the database can tell."""
        graph = self._graph
        if graph is None:
            return None
        last_mark = graph.last
        entries: list[Any] = events_from(snapshot, last_mark[0], INLINE + 2)
        if last_mark != BEGINNING and not (entries and _mark(entries[0]) == last_mark):
            if entries:  # later events without that one
                self._drop(graph)
                return None
            return self._earlier(graph, last_event(snapshot, last_mark[0]) or BEGINNING)
        if len(entries) > INLINE + 1:
            self.load()
            return None
        graph.extend(entries)
        if time.monotonic() > self._audit_at:
            self._begin()
        if len(graph.tail.entries) > min(max(MIN_TAIL, len(graph.columns.types) // 8), MAX_TAIL):
            self.load()
        return graph.view(_mark(entries[-1]) if entries else BEGINNING)

    def count_query(self) -> None:
        """Count a query; load the graph if there are enough of them to be worth it."""
        self._queries += 1
        if self._graph is None and self._queries >= QUERIES_BEFORE_LOADING:
            self.load()

    def load(self) -> None:
        """Begin to read the missing events, and to put the recent ones into the arrays."""
        self._is_due = True
        self._begin()

    def _begin(self) -> None:
        if time.monotonic() >= self._not_before:
            self._worker.wake_idle()

    def wait(self) -> None:
        """Wait until the work that `load` began has ended."""
        self._worker.wait()

    def close(self) -> None:
        """Stop working and free the graph."""
        self._worker.stop(CLOSE_SECONDS)
        self._graph = None

    def _earlier(self, graph: Graph, last: Mark) -> View | None:
        """Return the view of a snapshot without the last event that is known."""
        view = graph.view(last)
        if view is None and last[0] >= graph.columns.last[0]:
            self._drop(graph)
        return view

    def _drop(self, graph: Graph) -> None:
        """Read everything again: the database is not the one that it was."""
        logger.warning("the events are not those read before; reading them again")
        with self._lock:
            if self._graph is graph:
                self._graph = None
        self.load()

    def _work(self) -> None:
        try:
            self._renew()
        except _TooLarge:
            self._graph = None
            self._not_before = float("inf")
            logger.warning(
                "the graph takes more than %d MiB of memory; lineage is answered from the database",
                self._max_bytes >> 20,
            )
        except errors.LineageError as error:
            self._not_before = time.monotonic() + RETRY_SECONDS
            logger.warning("the graph could not be read: %s", error.message)

    def _give_up(self, error: Exception) -> None:
        """Keep no graph any more, after a defect."""
        self._graph = None
        self._not_before = float("inf")
        logger.error("the graph could not be kept in memory", exc_info=error)

    def _renew(self) -> None:
        """Replace the graph by one that has all events in its arrays."""
        started_at = time.monotonic()
        old_graph = self._graph
        if old_graph is not None and not self._is_complete(old_graph):
            self._graph = old_graph = None
            self._is_due = True
        if not self._is_due:
            return
        self._is_due = False
        if old_graph is None:
            self._check_count()
        builder = old_graph.builder() if old_graph else ColumnsBuilder()
        while not self._worker.is_stopped:
            if self._read_part(builder) < CHUNK:
                break
        else:
            return
        graph = Graph(builder.build())
        with self._lock:
            if self._graph is old_graph:
                self._graph = graph
        if old_graph is None:
            self._audit_at = time.monotonic() + AUDIT_SECONDS
            _log_loaded(graph, time.monotonic() - started_at)

    def _is_complete(self, graph: Graph) -> bool:
        """Return whether the graph has all events up to its last."""
        self._audit_at = time.monotonic() + AUDIT_SECONDS
        last = graph.last
        view = graph.view(last)
        count = self._read(lambda snapshot: count_events_up_to(snapshot, last[0]))
        if view is not None and view.count == count:
            return True
        logger.warning("an event came out of order; reading all of them again")
        return False

    def _check_count(self) -> None:
        most = self._max_bytes // BYTES_PER_EVENT + 1
        if self._read(lambda snapshot: count_events(snapshot, most)) == most:
            raise _TooLarge

    def _read_part(self, builder: ColumnsBuilder) -> int:
        """Read some events, then leave the interpreter to the others for as long as that took."""
        started_at = time.monotonic()
        first = builder.last[0] + 1
        entries: list[EventEntry] = self._read(lambda snapshot: events_from(snapshot, first, CHUNK))
        builder.add(entries)
        if builder.nbytes > self._max_bytes:
            raise _TooLarge
        if len(entries) == CHUNK:
            self._worker.pause(time.monotonic() - started_at)
        return len(entries)


def _mark(entry: Any) -> Mark:  # noqa: ANN401 - a row
    return (entry[0], entry[5])


def _log_loaded(graph: Graph, seconds: float) -> None:
    logger.info(
        "the graph is in memory: %d events, %.1f MiB, read in %.1f s",
        len(graph.columns.types),
        graph.nbytes / 2**20,
        seconds,
    )
