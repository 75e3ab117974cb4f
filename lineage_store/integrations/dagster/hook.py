"""The hook of Dagster, which is loaded right after it: see `startup`.

Dagster reports events to sensors and loggers, but never values that went through an IO manager. So
this wraps the few functions that each step runs through, whatever the executor; their arguments and
results stay the same.
"""

import functools
from collections.abc import Callable, Iterator

from dagster._core.events import DagsterEvent
from dagster._core.execution.plan import execute_plan, execute_step, inputs
from dagster._core.executor.base import Executor
from dagster._core.executor.multiprocess import MultiprocessExecutorChildProcessCommand
from dagster._core.instance import DagsterInstance

from lineage_store.integrations.dagster.protocols import LogEntry
from lineage_store.integrations.switch import Switch

_record = Switch("dagster")

_Function = Callable[..., object]
_Generator = Callable[..., Iterator[object]]

_OF_RUNS = {
    *("PIPELINE_START", "PIPELINE_SUCCESS", "PIPELINE_FAILURE", "PIPELINE_CANCELED"),
    "STEP_SKIPPED",
}
"""The events that no step has part in, whoever reports them."""


def _tell_reported(original: _Function) -> _Function:
    """Hand on the events of runs as they are reported, by the run itself or for it."""

    def handle_new_event(self: object, event: LogEntry, **options: object) -> object:
        handled = original(self, event, **options)
        dagster_event = event.dagster_event
        if dagster_event is not None and dagster_event.event_type_value in _OF_RUNS:
            _record("run_event", self, event)
        return handled

    return handle_new_event


def _tell_steps(original: _Generator) -> _Generator:
    """Hand on the events of each attempt at a step as they come."""

    def sequence(step_context: object, *args: object, **kwargs: object) -> Iterator[object]:
        for event in original(step_context, *args, **kwargs):
            _record("step_event", step_context, event)
            yield event

    return sequence


def _tell_loaded(original: _Generator) -> _Generator:
    """Hand on each input that comes from an IO manager."""

    def load(manager: object, context: object) -> Iterator[object]:
        for loaded in original(manager, context):
            if not isinstance(loaded, DagsterEvent):
                _record("input_loaded", manager, context, loaded)
            yield loaded

    return load


def _tell_begun(original: _Generator) -> _Generator:
    """Report that all inputs are there, right before the code of the step runs."""

    def compute(step_context: object, values: object, *args: object) -> Iterator[object]:
        _record("step_begins", step_context, values)
        yield from original(step_context, values, *args)

    return compute


def _tell_stored(original: _Generator) -> _Generator:
    """Hand on each output when it is stored, with the events of storing it."""

    def store(step_context: object, handle: object, output: object) -> Iterator[object]:
        events = []
        _record("output_storing", step_context)
        for event in original(step_context, handle, output):
            events.append(event)
            yield event
        _record("output_stored", step_context, handle, output, events)

    return store


def _tell_crashed(original: _Function) -> _Function:
    """Report that the process of a step is gone, since it can't do so itself."""

    def log_failure_or_retry(
        self: object, step_context: object, error: object, state: object
    ) -> object:
        event = original(self, step_context, error, state)
        _record("step_crashed", step_context, error, state)
        return event

    return log_failure_or_retry


def _tell_worker(original: _Generator) -> _Generator:
    """Report that this process runs one step for a process that waits for it."""

    def execute(self: object) -> Iterator[object]:
        _record("worker_begins")
        yield from original(self)

    return execute


_WRAPPERS = (
    (DagsterInstance, ("handle_new_event",), _tell_reported),
    (execute_plan, ("dagster_event_sequence_for_step",), _tell_steps),
    (inputs, ("_load_input_with_input_manager",), _tell_loaded),
    (execute_step, ("execute_core_compute",), _tell_begun),
    (execute_step, ("_store_output",), _tell_stored),
    (
        Executor,
        (
            "log_failure_or_retry_event_after_error",
            "get_failure_or_retry_event_after_error",  # up to 1.12
        ),
        _tell_crashed,
    ),
    (MultiprocessExecutorChildProcessCommand, ("execute",), _tell_worker),
)
"""The functions to wrap: their owner, the names to try in order, and the wrapper."""


def _wrap_all() -> None:
    """Wrap all functions, or none of them.

    Raises:
        AttributeError: This version of Dagster lacks one.
    """
    originals = []
    for place, names, wrap in _WRAPPERS:
        name = next((name for name in names if hasattr(place, name)), names[0])
        originals.append((place, name, getattr(place, name), wrap))
    for place, name, original, wrap in originals:
        setattr(place, name, functools.wraps(original)(wrap(original)))


if _record.fits():
    _wrap_all()
