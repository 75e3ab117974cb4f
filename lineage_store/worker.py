"""A thread that works in the background: when it is woken, and when something is due.

For example, the sender of records runs a cycle when a record comes, when a heartbeat is due, and
when a store that was away is to be tried again.

Other threads are no workers. Some do one thing and end: a cache decision with a time limit, the
opening of a store, the beginning of a run in Airflow. Those of `lineage_server.threads` answer
calls, and there are many of them.
"""

import logging
import threading
from collections.abc import Callable

RETRY_SECONDS = 10.0
"""Seconds until the next cycle after one that met a defect."""

logger = logging.getLogger(__name__)

Cycle = Callable[[], float | None]
"""Does all there is to do; returns the seconds until the next cycle, or None: until it is woken."""


def log_defect(error: Exception) -> float:
    """Log the error of a cycle; return the seconds until the next one."""
    name = threading.current_thread().name
    logger.error("the thread %s goes on after a defect", name, exc_info=error)
    return RETRY_SECONDS


class Worker:
    """A daemon thread that runs one cycle after the other; it starts with the first.

    A forked process has no thread: whoever goes on there makes a new worker.

    Args:
        name: Of the thread.
        cycle: Called for each cycle.
        on_defect: Called with what a cycle raised; returns as `cycle` does.
        at_end: Called by the thread before it ends because it was stopped.
        idle_seconds: How long the thread waits to be woken until it ends, to start again with the
            next cycle; None: without end.
    """

    def __init__(
        self,
        name: str,
        cycle: Cycle,
        *,
        on_defect: Callable[[Exception], float | None] = log_defect,
        at_end: Callable[[], None] | None = None,
        idle_seconds: float | None = None,
    ) -> None:
        self._name = name
        self._cycle = cycle
        self._on_defect = on_defect
        self._at_end = at_end
        self._idle_seconds = idle_seconds
        self._changed = threading.Condition(threading.Lock())
        self._is_woken = False
        self._is_working = False
        self._is_stopped = False
        self._thread: threading.Thread | None = None

    @property
    def is_stopped(self) -> bool:
        """True if the thread is to end, or has ended: a long cycle looks at it now and then."""
        return self._is_stopped

    def wake(self) -> None:
        """Have a cycle begin after this call; after `stop`, do nothing."""
        if not self._is_woken:  # else the thread has yet to begin that cycle: no lock is needed
            with self._changed:
                self._begin_cycle()

    def wake_idle(self) -> None:
        """Have a cycle begin, unless one is under way."""
        with self._changed:
            if not self._is_working and not self._is_woken:
                self._begin_cycle()

    def _begin_cycle(self) -> None:
        if self._is_stopped:
            return
        if self._thread is None:
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            thread.start()
            self._thread = thread
        self._is_woken = True
        self._changed.notify_all()

    def wait(self) -> None:
        """Wait until no cycle is under way or about to begin."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_working and not self._is_woken)

    def pause(self, seconds: float) -> bool:
        """Let time pass within a cycle; return at once, and True, if the thread is to end."""
        with self._changed:
            return self._changed.wait_for(lambda: self._is_stopped, seconds)

    def stop(self, seconds: float | None = None) -> None:
        """End the thread after the cycle that is under way; wait for it.

        Args:
            seconds: The longest to wait; None: without end.
        """
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        seconds: float | None = None
        while self._await_cycle(seconds):
            try:
                seconds = self._cycle()
            except Exception as error:  # a thread that ended would leave its work undone for good
                seconds = self._on_defect(error)
        if self._is_stopped and self._at_end is not None:
            self._at_end()

    def _await_cycle(self, seconds: float | None) -> bool:
        """Wait for the next cycle; return whether there is one."""
        most_seconds = self._idle_seconds if seconds is None else seconds
        with self._changed:
            self._is_working = False
            self._changed.notify_all()
            is_called = self._changed.wait_for(self._has_call, most_seconds)
            is_due = is_called or seconds is not None
            if not is_due:
                self._thread = None  # the next cycle starts another
            self._is_working = is_due and not self._is_stopped
            self._is_woken = False
            return self._is_working

    def _has_call(self) -> bool:
        return self._is_woken or self._is_stopped
