"""How steps and runs end: states, times and errors."""

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


def begun(at: int | None) -> tuple[int, float]:
    """Return when something began, in ms since the epoch, and the monotonic clock at that time.

    Args:
        at: When, by the clock of this machine; None: now. Whoever is told of it later than it
            happened says so, and what lies between counts.
    """
    now, ticks = now_ms(), time.monotonic()
    return (now, ticks) if at is None else (at, ticks - (now - at) / 1000)


def times(started: int, ticks: float, ended: int | None) -> dict[str, PropertyValue]:
    """Return the end and the duration of something.

    Args:
        started: When it began, in ms since the epoch; 0: it did not begin in this process.
        ticks: The monotonic clock at that time, in seconds.
        ended: When it ended, in ms since the epoch; None: now.
    """
    if not started:
        return {"ended_at": now_ms() if ended is None else ended}
    if ended is None:
        ended = started + max(0, round((time.monotonic() - ticks) * 1000))
    return {"ended_at": ended, "duration_ms": max(0, ended - started)}


@dataclass(frozen=True, slots=True)
class Failure:
    """An error that only its texts are known of, as orchestrators tell those of their workers.

    Attributes:
        kind: What sort of error it is, best the name of its class.
        message: What it says.
    """

    kind: str
    message: str


Fault = BaseException | Failure
"""What something failed with."""


def outcome_of(error: Fault | None) -> ExecutionState:
    """Return the state that something ends in: by itself, by a failure, or cancelled."""
    if error is None:
        return ExecutionState.COMPLETE
    if isinstance(error, Failure):
        return ExecutionState.FAILED
    if isinstance(error, Exception) and not isinstance(error, asyncio.CancelledError):
        return ExecutionState.FAILED
    return ExecutionState.CANCELED  # Ctrl-C, the end of the process, a generator that is closed


def error_properties(error: Fault | None) -> dict[str, PropertyValue]:
    """Return what is recorded of an error."""
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
