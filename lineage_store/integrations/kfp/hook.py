"""The hook of Kubeflow Pipelines' local runs, loaded when one is about to begin; see `startup`.

`kfp.local` reports no events. So this wraps the functions that run a DAG, a task, and one try of a
task, and reads the reason of a failure from the lines that the task printed.
"""

import builtins
import functools
from types import ModuleType
from typing import Any

from kfp.local import subprocess_task_handler, task_dispatcher
from kfp.local.orchestrator import dag_orchestrator, enhanced_dag_orchestrator, task_executor

from lineage_store.integrations.switch import Switch

_record = Switch("kfp")


def _wrap(module: ModuleType, function: str, event: str) -> None:
    """Make a function of kfp report its calls and their results.

    kfp names all arguments when it calls these.
    """
    original = getattr(module, function)

    @functools.wraps(original)
    def wrapped(*args: object, **kwargs: object) -> object:
        activity = _record(f"{event}_started", kwargs)
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            _record(f"{event}_ended", activity, None, error)
            raise
        _record(f"{event}_ended", activity, result, None)
        return result

    setattr(module, function, wrapped)


def _print(*values: object, **kwargs: Any) -> None:
    """Print the lines of a task, as kfp does, and read them."""
    _record("printed", *values)
    builtins.print(*values, **kwargs)


def _listen() -> None:
    _wrap(dag_orchestrator, "run_dag", "dag")
    _wrap(enhanced_dag_orchestrator, "run_enhanced_dag", "dag")
    _wrap(task_executor, "execute_single_task", "task")
    _wrap(task_dispatcher, "run_single_task_implementation", "attempt")
    # Names of a module go before builtins.
    for module in (subprocess_task_handler, getattr(task_dispatcher, "docker_task_handler", None)):
        if module is not None:
            module.print = _print


if _record.fits():
    _listen()
