"""What is known of a step before it runs, and of how it ended."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lineage_store.model import ExecutionState
from lineage_store.model.values import PropertyValue
from lineage_store.recording.artifacts import Given, Inputs, listed
from lineage_store.recording.options import Caching
from lineage_store.recording.values import as_property

MAX_ERROR = 4_000
"""Characters of the text of an error."""


def now_ms() -> int:
    """Return the time in ms since the epoch, by the clock of this machine."""
    return time.time_ns() // 1_000_000


def times(started: int, ticks: float, ended: int | None) -> dict[str, PropertyValue]:
    """Return the end and the duration of something.

    Args:
        started: When it began, in ms since the epoch; 0: it did not begin in this process.
        ticks: The monotonic clock at that time, in seconds.
        ended: When it ended, in ms since the epoch; None: now.
    """
    if not started:
        return {"ended_at": now_ms() if ended is None else ended}
    elapsed = round((time.monotonic() - ticks) * 1000) if ended is None else ended - started
    return {"ended_at": started + elapsed, "duration_ms": max(0, elapsed)}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDescription:
    """What is known of a step before it runs.

    Attributes:
        name: Of the step within its pipeline.
        type: Of its execution.
        key: Of this attempt.
        index: How many steps of this name the run had before.
        attempt: From 1.
        inputs: What it reads.
        parameters: What else it is given.
        version: Of the step.
        code: The digest of its code.
        image: What it runs in.
        command: What is run in the image.
        environment: What of the environment decides about its outputs.
        properties: What else is recorded.
        caching: How it uses the cache; None: not at all.
    """

    name: str
    type: str
    key: str
    index: int
    attempt: int
    inputs: Inputs | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    version: str | None = None
    code: str | None = None
    image: str | None = None
    command: Sequence[str] | None = None
    environment: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    caching: Caching | None = None

    def each_input(self) -> Iterator[tuple[str, int, Given]]:
        """Yield name, index and value of each input."""
        for name, several in (self.inputs or {}).items():
            for at, given in enumerate(listed(several)):
                yield name, at, given
