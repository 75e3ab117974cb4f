"""The hook of Snakemake, loaded right after the module of its workflows: see `startup`.

A logger plugin has to be chosen on the command line, and learns neither the parameters of a job nor
the names of its files; so this wraps the functions that begin and end jobs. Only the process that
the user started records them. It starts others, for jobs with a `run:` and on other machines: these
leave notes of errors.
"""

import functools
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from snakemake.executors.local import Executor
from snakemake.jobs import Job
from snakemake.logging import logger
from snakemake.workflow import Workflow
from snakemake_interface_executor_plugins.settings import ExecMode

from lineage_store.integrations.snakemake.notes import leave_note
from lineage_store.integrations.snakemake.protocols import Executor as ExecutorLike
from lineage_store.integrations.snakemake.protocols import ExecutorPlugin
from lineage_store.integrations.snakemake.protocols import Job as JobLike
from lineage_store.integrations.snakemake.protocols import Workflow as WorkflowLike
from lineage_store.integrations.switch import Switch, log_once

_record = Switch("snakemake")


class _Listener(logging.Handler):
    """Begins a run when Snakemake tells that a workflow has started, and by which id."""

    def __init__(self, workflow: object) -> None:
        super().__init__()
        self._workflow = workflow

    def emit(self, record: logging.LogRecord) -> None:
        workflow_id = getattr(record, "workflow_id", None)
        if workflow_id is not None:
            _record("run_started", self._workflow, str(workflow_id))


@contextmanager
def _listening(workflow: object) -> Iterator[None]:
    listener = _Listener(workflow)
    logger.addHandler(listener)
    try:
        yield
    finally:
        logger.removeHandler(listener)


def _wrap(kind: type, method: str, around: Callable[..., object]) -> None:
    """Have `around` called with a method of a class, its object and its arguments."""
    original = getattr(kind, method)

    @functools.wraps(original)
    def wrapped(self: object, *args: object, **kwargs: object) -> object:
        return around(functools.partial(original, self), self, *args, **kwargs)

    setattr(kind, method, wrapped)


def _is_recorded(workflow: WorkflowLike, plugin: ExecutorPlugin | None = None) -> bool:
    """Return whether jobs are run, and followed to their end, in this process.

    Args:
        workflow: Whose jobs.
        plugin: That executes them; None: the one that the workflow has already.
    """
    try:
        settings = (plugin or workflow.executor_plugin).common_settings
        is_real = not settings.dryrun_exec and not settings.touch_exec
        is_followed = not workflow.remote_execution_settings.immediate_submit
        is_main = workflow.exec_mode == ExecMode.DEFAULT
    except AttributeError as error:
        log_once(f"nothing is recorded of this Snakemake: {error}")
        return False
    return is_real and is_followed and is_main


def _execute(
    execute: Callable[..., object], workflow: WorkflowLike, *args: Any, **kwargs: Any
) -> object:
    """Begin and end a run."""
    plugin = args[0] if args else kwargs.get("executor_plugin")
    if not _is_recorded(workflow, plugin):
        return execute(*args, **kwargs)
    try:
        with _listening(workflow):
            result = execute(*args, **kwargs)
    except BaseException as error:
        _record("run_ended", workflow, error)
        raise
    _record("run_ended", workflow, None)
    return result


def _cached_or_run(
    original: Callable[..., object],
    executor: ExecutorLike,
    job: JobLike,
    run: Callable[..., object],
    *args: object,
) -> object:
    """Begin the step of a job in the thread that runs it, and record its end."""
    if not _is_recorded(executor.workflow):
        return _with_note(original, job, run, *args)
    ran: list[bool] = []

    def noted(*arguments: object) -> object:
        ran.append(True)
        return run(*arguments)

    _record("job_started", job)
    try:
        result = original(job, noted, *args)
    except BaseException as error:
        _record("job_erred", job, error)
        raise
    _record("job_ran", job, is_cached=not ran)
    return result


def _with_note(original: Callable[..., object], job: JobLike, *args: object) -> object:
    began_at = _now_ms()
    try:
        return original(job, *args)
    except BaseException as error:
        leave_note(job, error, began_at, _now_ms())
        raise


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _register(
    register: Callable[..., object], job: JobLike, external_jobid: object = None
) -> object:
    """Begin the step of a job that is submitted elsewhere."""
    result = register(external_jobid)
    is_remote = not job.dag.workflow.local_exec and not job.is_local
    if is_remote and _is_recorded(job.dag.workflow):
        _record("job_started", job, external_jobid)
    return result


def _postprocess(
    postprocess: Callable[..., Awaitable[object]], job: JobLike, *args: object, **kwargs: object
) -> Awaitable[object]:
    """End the step of a job; the scheduler awaits the result."""
    if not _is_recorded(job.dag.workflow):
        return postprocess(*args, **kwargs)
    return _await_end(postprocess(*args, **kwargs), job, has_failed=bool(kwargs.get("error")))


async def _await_end(
    postprocessing: Awaitable[object], job: JobLike, *, has_failed: bool
) -> object:
    try:
        result = await postprocessing
    except BaseException as error:
        _record("job_erred", job, error)
        raise
    _record("job_ended", job, has_failed=has_failed)
    return result


if _record.fits():
    _wrap(Workflow, "execute", _execute)
    _wrap(Executor, "cached_or_run", _cached_or_run)
    _wrap(Job, "register", _register)
    _wrap(Job, "postprocess", _postprocess)
