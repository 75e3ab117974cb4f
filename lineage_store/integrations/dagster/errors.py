"""Errors of Dagster's steps and runs, unwrapped."""

import re
import sys

from lineage_store.integrations.dagster.protocols import Error, Event, StepContext
from lineage_store.recording.outcomes import ErrorLike, Failure

_RETRIES = "RetryRequested"


def error_of_step(context: StepContext, event: Event) -> ErrorLike | None:
    """Return the error that ended an attempt at a step; None: it went well."""
    if event.event_type_value == "STEP_UP_FOR_RETRY":
        return _failure_of(event.step_retry_data.error)
    if event.event_type_value != "STEP_FAILURE":
        return None
    error = context.step_exception
    if error is None:
        return _failure_of(event.step_failure_data.error)
    if any(kind.__name__ == _RETRIES for kind in type(error).__mro__):
        return error.__cause__ or error
    return error


def _failure_of(error: Error | None) -> Failure:
    """Return an error as Dagster sends it from one process to another."""
    while error is not None and error.cause is not None and _is_wrapping(error):
        error = error.cause
    if error is None:
        return Failure("Failure", "Dagster does not say why")
    kind = error.cls_name or "Failure"
    message = re.sub(rf"^[\w.]*\b{re.escape(kind)}: ", "", str(error.message).strip())
    return Failure(kind, message.partition("\n\nStack Trace:")[0])


def _is_wrapping(error: Error) -> bool:
    return str(error.cls_name).startswith((_RETRIES, "DagsterExecution"))


def error_of_run(event: Event) -> Failure | None:
    """Return the error that ended a run; None: it did not fail."""
    if event.event_type_value != "PIPELINE_FAILURE":
        return None
    data = event.event_specific_data
    error = getattr(data, "error", None)
    if error is not None and not is_interrupted(event):
        return _failure_of(error)
    reason = getattr(data, "failure_reason", None)
    kind = "Failure" if reason is None else str(reason.value)
    return Failure(kind, str(event.message or "Dagster does not say why"))


def is_interrupted(event: Event) -> bool:
    """Return whether a run ended because Ctrl-C, or the machine, stopped its process."""
    reason = getattr(event.event_specific_data, "failure_reason", None)
    return getattr(reason, "value", None) == "UNEXPECTED_TERMINATION"


def crash_of(error: Error | None) -> Failure:
    """Return the error of a process that ended without reporting one."""
    code = getattr(sys.exc_info()[1], "exit_code", None)
    if code is None:
        return _failure_of(error)
    return Failure("ChildProcessCrashException", f"its process ended with exit code {code}")
