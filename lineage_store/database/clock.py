"""The time of the store, which never goes backwards and never stands still.

The clock of a machine may be set back. Earlier records would then seem later than the following
ones, and a lease would last longer by as much. So a process reads the clock of the machine once
and goes on by its own monotonic clock while the other is behind.
"""

import logging
import os
import threading
import time
from collections.abc import Callable

US = 1_000
"""Nanoseconds in a microsecond."""

MS = 1_000_000
"""Nanoseconds in a millisecond."""

FURTHEST_AHEAD_S = 2 * 3600
"""Seconds by which the stamps of a store may be ahead of the machine for the time to go on from
them; a stamp further ahead is taken for an error that must not spread."""

logger = logging.getLogger(__name__)


class Clock:
    """A clock that never goes backwards. Safe for threads.

    Args:
        wall: Returns the time of the machine in ns since the epoch.
        monotonic: Returns nanoseconds since any moment; never less than before.
    """

    def __init__(
        self,
        wall: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._base = wall() - monotonic()
        self.after_fork()

    def after_fork(self) -> None:
        """In a child: whoever held the lock is not here."""
        self._lock = threading.Lock()

    def now_us(self) -> int:
        """Return the time in microseconds since the epoch."""
        return self.now_ns() // US

    def now_ms(self) -> int:
        """Return the time in milliseconds since the epoch."""
        return self.now_ns() // MS

    def now_ns(self) -> int:
        """Return the time in nanoseconds since the epoch."""
        passed = self._monotonic()
        base = self._wall() - passed
        if base <= self._base:
            return self._base + passed
        with self._lock:
            self._base = max(self._base, base)
            return self._base + passed

    def not_before(self, moment_us: int) -> None:
        """Go on from a stamp of the store if the clock is behind it.

        Args:
            moment_us: The last stamp that was given out, in µs since the epoch.
        """
        behind = moment_us * US - self.now_ns()
        if behind <= 0:
            return
        if behind > FURTHEST_AHEAD_S * 10**9:
            logger.warning(
                "the store was last written %d s ahead of the clock of this machine: "
                "new records will seem older",
                behind // 10**9,
            )
            return
        with self._lock:
            self._base += behind + US


CLOCK = Clock()
"""The clock of this process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=CLOCK.after_fork)


now_us = CLOCK.now_us
now_ms = CLOCK.now_ms
