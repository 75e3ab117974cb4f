"""The hook of Luigi, loaded when Luigi is imported; see `startup`.

Luigi tells each event of a task to those who ask for it. When a run begins and ends it tells
nobody: that is seen at `Worker`.
"""

import functools
from collections.abc import Callable

import luigi
from luigi.worker import Worker

from lineage_store.integrations.switch import Switch

_record = Switch("luigi")

_EVENTS = {
    luigi.Event.START: "task_started",
    luigi.Event.SUCCESS: "task_succeeded",
    luigi.Event.FAILURE: "task_failed",
    luigi.Event.BROKEN_TASK: "task_failed",
    luigi.Event.PROCESS_FAILURE: "task_failed",
    luigi.Event.TIMEOUT: "task_failed",
    luigi.Event.DEPENDENCY_PRESENT: "task_was_complete",
}


def _listen() -> None:
    """Ask for the events of all tasks."""
    for event, method in _EVENTS.items():
        luigi.Task.event_handler(event)(functools.partial(_record, method))


def _wrap(method: str, around: Callable[..., object]) -> None:
    """Have `around` called with a method of `Worker`, its worker and its arguments."""
    original = getattr(Worker, method)

    @functools.wraps(original)
    def wrapped(worker: object, *args: object, **kwargs: object) -> object:
        return around(functools.partial(original, worker, *args, **kwargs), worker, *args)

    setattr(Worker, method, wrapped)


def _add(add: Callable[[], object], worker: object, task: object = None, *_: object) -> object:
    """Begin a run with the first task that is added to a worker."""
    _record("task_added", worker, task)
    try:
        return add()
    finally:
        _record("all_added", worker)


def _run(run: Callable[[], object], worker: object, *_: object) -> object:
    """End the run when the worker is done."""
    _record("worker_started", worker)
    try:
        result = run()
    except BaseException as error:
        _record("worker_ended", worker, error)
        raise
    _record("worker_ended", worker, None)
    return result


def _ask_if_complete() -> None:
    """Have the store asked as well whether a task that has its outputs is complete."""
    original = luigi.Task.complete

    @functools.wraps(original)
    def complete(task: object) -> object:
        is_complete = original(task)
        return is_complete and _record("is_stale", task) is not True

    luigi.Task.complete = complete


if _record.fits():
    _listen()
    _wrap("add", _add)
    _wrap("run", _run)
    _ask_if_complete()
