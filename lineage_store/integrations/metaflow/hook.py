"""The hook of Metaflow, loaded right after the module of its commands: see `startup`.

The process that the user starts runs the flow, and each task is a process of its own. Neither
decorators nor sidecars of Metaflow learn which artifacts a step reads, and which of its artifacts
are new; so this wraps the functions that load and keep artifacts.
"""

import functools
from collections.abc import Callable

from metaflow.datastore.task_datastore import TaskDataStore
from metaflow.includefile import FilePathClass
from metaflow.runtime import NativeRuntime, Worker
from metaflow.task import MetaflowTask

from lineage_store.integrations.metaflow.protocols import Task
from lineage_store.integrations.switch import Switch

_record = Switch("metaflow")


def _wrap(kind: type, method: str, around: Callable[..., object]) -> None:
    """Have `around` called with a method of a class, its object and its arguments."""
    original = getattr(kind, method)

    @functools.wraps(original)
    def wrapped(self: object, *args: object, **kwargs: object) -> object:
        return around(functools.partial(original, self, *args, **kwargs), self, *args)

    setattr(kind, method, wrapped)


def _convert(
    convert: Callable[[], object], _: object, value: object = None, *_args: object
) -> object:
    """Note the file that is the value of a parameter."""
    parameter_value = convert()
    if parameter_value is not value and isinstance(value, str):
        _record("file_included", parameter_value, value)
    return parameter_value


def _execute(execute: Callable[[], object], runtime: object, *_: object) -> object:
    """Begin and end a run."""
    _record("run_started", runtime)
    try:
        result = execute()
    except BaseException as error:
        _record("run_ended", error)
        raise
    _record("run_ended", None)
    return result


def _terminate(terminate: Callable[[], object], worker: object, *_: object) -> object:
    """Learn that the process of a task has ended, however it did."""
    code = terminate()
    _record("process_ended", worker, code)
    return code


def _run_step(run_step: Callable[[], object], *_: object) -> object:
    """End the step of a task, when its artifacts are kept."""
    try:
        result = run_step()
    except BaseException as error:
        _record("task_ended", error)
        raise
    _record("task_ended", None)
    return result


def _init_data(init_data: Callable[[], object], task: Task, *_: object) -> object:
    """Note the outputs of the tasks before."""
    inputs = init_data()
    _record("inputs_loaded", task.flow, inputs)
    return inputs


def _exec_step(execute: Callable[[], object], task: object, *_: object) -> object:
    """Begin the step of a task right before its code."""
    _record("task_started", task)
    try:
        return execute()
    finally:
        _record("code_ended")


def _get(get: Callable[[], object], datastore: object, name: str, *_: object) -> object:
    value = get()
    if not name.startswith("_"):
        _record("artifact_read", datastore, name)
    return value


def _persist(persist: Callable[[], object], datastore: object, flow: object, *_: object) -> object:
    """Record the outputs of a task."""
    _record("before_persisted", flow)
    result = persist()
    _record("persisted", datastore)
    return result


if _record.fits():
    _wrap(FilePathClass, "convert", _convert)
    _wrap(NativeRuntime, "execute", _execute)
    _wrap(Worker, "terminate", _terminate)
    _wrap(MetaflowTask, "run_step", _run_step)
    _wrap(MetaflowTask, "_init_data", _init_data)
    _wrap(MetaflowTask, "_exec_step_function", _exec_step)
    _wrap(TaskDataStore, "__getitem__", _get)
    _wrap(TaskDataStore, "persist", _persist)
