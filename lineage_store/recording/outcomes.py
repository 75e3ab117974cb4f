"""The ends of steps and runs: states, times and errors."""

import asyncio
import time
from dataclasses import dataclass

from lineage_store.entities import ExecutionState
from lineage_store.entities.values import PropertyValue
from lineage_store.recording.values import as_property

MAX_ERROR = 4_000
"""Characters of the text of an error."""


def now_ms() -> int:
    """Return the time in ms since the epoch, by the clock of this machine."""
    return time.time_ns() // 1_000_000


def start_time(at: int | None) -> tuple[int, float]:
    """Return the time of a beginning, in ms since the epoch, and the monotonic clock at that time.

    Args:
        at: The time by the clock of this machine; None: now. A hook that learns of a beginning
            late passes it, so that the time in between counts.
    """
    now, ticks = now_ms(), time.monotonic()
    return (now, ticks) if at is None else (at, ticks - (now - at) / 1000)


def end_properties(started_at: int, ticks: float, ended_at: int | None) -> dict[str, PropertyValue]:
    """Return the end and the duration of something.

    Args:
        started_at: When it began, in ms since the epoch; 0: it did not begin in this process.
        ticks: The monotonic clock at that time, in seconds.
        ended_at: When it ended, in ms since the epoch; None: now.
    """
    if not started_at:
        return {"ended_at": now_ms() if ended_at is None else ended_at}
    if ended_at is None:
        ended_at = started_at + max(0, round((time.monotonic() - ticks) * 1000))
    return {"ended_at": ended_at, "duration_ms": max(0, ended_at - started_at)}


@dataclass(frozen=True, slots=True)
class Failure:
    """An error known only by its texts, as orchestrators pass on the errors of their workers.

    Attributes:
        kind: Its kind, best the name of its class.
        message: Its text.
    """

    kind: str
    message: str


ErrorLike = BaseException | Failure
"""The error that a step or run failed with."""


def outcome_of(error: ErrorLike | None) -> ExecutionState:
    """Return the last state of a step or run: COMPLETE, or by the error FAILED or CANCELED."""
    if error is None:
        return ExecutionState.COMPLETE
    if isinstance(error, Failure):
        return ExecutionState.FAILED
    if isinstance(error, Exception) and not isinstance(error, asyncio.CancelledError):
        return ExecutionState.FAILED
    return ExecutionState.CANCELED  # Ctrl-C, the end of the process, a generator that is closed


def error_properties(error: ErrorLike | None) -> dict[str, PropertyValue]:
    """Return the properties that record an error."""
    if error is None:
        return {}
    if isinstance(error, Failure):
        kind_, message_ = as_property(error.kind), as_property(error.message[:MAX_ERROR])
        return {"error_type": kind_, "error_message": message_}
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ != "builtins":
        name = f"{kind.__module__}.{name}"
    try:
        message = str(error)
    except Exception:
        message = ""
    return {"error_type": name, "error_message": as_property(message[:MAX_ERROR])}
