"""Turns for large filters: parsing one keeps the interpreter busy, so few are parsed at a time."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lineage_store import errors
from lineage_store.callers import check_caller

LOOK_SECONDS = 0.5
"""Seconds for which a filter that waits may outlive its caller."""


class Turns:
    """Lets a few work at a time, and a few more wait.

    Args:
        at_once: How many work at most.
        max_waiting: How many wait at most.
    """

    def __init__(self, at_once: int, max_waiting: int) -> None:
        self._at_once = at_once
        self._max_waiting = max_waiting
        self._admitted = threading.BoundedSemaphore(at_once + max_waiting)
        self._working = threading.BoundedSemaphore(at_once)

    @contextmanager
    def one(self, seconds: float | None) -> Iterator[None]:
        """Give the block its turn.

        Args:
            seconds: How long it may wait; None: as long as it takes.

        Raises:
            ResourceExhausted: Too many wait already.
            DeadlineExceeded: Its turn did not come in time.
            Cancelled: The caller has gone.
        """
        if not self._admitted.acquire(blocking=False):
            raise errors.ResourceExhausted(
                f"the store reads {self._at_once} large filters at a time and {self._max_waiting} "
                "wait already; try again, or send a shorter one"
            )
        try:
            self._await(seconds)
            try:
                yield
            finally:
                self._working.release()
        finally:
            self._admitted.release()

    def _await(self, seconds: float | None) -> None:
        until = None if seconds is None else time.monotonic() + seconds
        while not self._working.acquire(timeout=LOOK_SECONDS):
            check_caller()
            if until is not None and time.monotonic() > until:
                raise errors.DeadlineExceeded(
                    "other large filters were read for as long as this one may take; try again"
                )
