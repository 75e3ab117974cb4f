"""The base of runs and steps: a beginning, heartbeats and one end, each recorded with its time."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from lineage_store.entities import ExecutionState
from lineage_store.entities.values import PropertyValue
from lineage_store.recording.diagnostics import never_raises, warn_once
from lineage_store.recording.gaps import Gaps
from lineage_store.recording.outcomes import (
    ErrorLike,
    end_properties,
    error_properties,
    start_time,
)


class Timed(ABC):
    """Something that begins and ends: by `with`, or by `begin` and `end`.

    Attributes:
        gaps: The parts of it that could not be recorded; its record says that they are missing.

    Args:
        label: Its name in the log: "step train of run nightly".
    """

    def __init__(self, label: str) -> None:
        self.gaps = Gaps(label, warn_once)
        self._started_at = 0
        self._ticks = 0.0
        self._deactivate: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        self.begin()
        self._deactivate = self._activate()
        return self

    @abstractmethod
    def begin(self, *, at: int | None = None) -> None:
        """Record the beginning, now or at a time in ms since the epoch."""

    @abstractmethod
    def _activate(self) -> Callable[[], None]:
        """Make this the run or step of the code that follows; return a function to undo it."""

    @abstractmethod
    def heartbeat(self) -> None:
        """Record that it still runs; the recorder calls this now and then."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._deactivate is not None:
            with suppress(ValueError):  # a generator that is closed in another context
                self._deactivate()
            self._deactivate = None
        self.end(error)
        self.gaps.leave()

    @never_raises(None)
    def end(
        self,
        error: ErrorLike | None = None,
        *,
        state: ExecutionState | None = None,
        at: int | None = None,
    ) -> None:
        """Record the end.

        A run waits a little until everything is sent or spooled; a step records its outputs.

        Args:
            error: The error that it failed with.
            state: Its last state; None: COMPLETE, or by the error FAILED or CANCELED.
            at: The time of the end, in ms since the epoch; None: now.
        """
        self._finish(error, state, at)

    @abstractmethod
    def _finish(
        self, error: ErrorLike | None, state: ExecutionState | None, at: int | None
    ) -> None:
        """Record the end; see `end`."""

    def _start_clock(self, at: int | None) -> None:
        self._started_at, self._ticks = start_time(at)

    def _end_properties(self, error: ErrorLike | None, at: int | None) -> dict[str, PropertyValue]:
        """Return the times and the error of the end as properties."""
        return end_properties(self._started_at, self._ticks, at) | error_properties(error)
