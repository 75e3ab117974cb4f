"""Luigi's events of tasks, as runs and steps.

| Luigi | recorded |
| --- | --- |
| module and family of the first task | pipeline |
| the work of one `Worker` | a run; Luigi has no id for it, so it is ours |
| a task | a step; its name is the family, its key has the id of the task |
| public and significant parameters | parameters |
| targets of the tasks that a task requires | inputs |
| its own targets | outputs |
| a task that was complete before | a CACHED step with its outputs |
| an external task | no step: its targets are inputs of others |

A worker with several processes forks each task. The children know the run by an environment
variable, and count attempts in a directory that they share.
"""

import inspect
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import luigi
from luigi.execution_summary import LuigiRunResult, LuigiStatusCode

from lineage_store.entities import ExecutionState
from lineage_store.fingerprints.code import count_settings, see_through
from lineage_store.fingerprints.values import fingerprint
from lineage_store.integrations.hook import Hook
from lineage_store.integrations.luigi.freshness import Freshness
from lineage_store.integrations.luigi.protocols import Task
from lineage_store.integrations.luigi.targets import inputs_of, outputs_of, shape_of
from lineage_store.integrations.tools import Tool
from lineage_store.recording.naming import CACHE_DECISION
from lineage_store.recording.outcomes import ErrorLike, Failure
from lineage_store.recording.runs import Run, new_run_id
from lineage_store.recording.secrets import secret_digest
from lineage_store.recording.steps import Step

_RUN = "LINEAGE_STORE_LUIGI_RUN"
"""The environment variable that tells the processes of a worker which run it is."""

_COMPLETE = "COMPLETE: its outputs were there before the run"
_DYNAMIC = "the tasks that it requires while it runs are not known before"
_UNDECIDED = "NO_DECISION: the store did not answer, and its outputs were there before the run"

_GOOD = {LuigiStatusCode.SUCCESS, LuigiStatusCode.SUCCESS_WITH_RETRY}


class LuigiEvents(Hook):
    """Records Luigi's tasks."""

    def __init__(self, tool: Tool, url: str) -> None:
        super().__init__(tool, url)
        self._run: Run | None = None
        self._steps: dict[str, Step] = {}
        self._attempts: Path | None = None
        self._freshness: Freshness | None = None
        self._is_running = False

    def task_added(self, worker: object, task: Task) -> None:
        """Begin a run with the first task of a worker."""
        del worker
        if self._run is None:
            self._begin(task)

    def _begin(self, task: Task) -> None:
        pipeline = _pipeline(task)
        attempts = tempfile.mkdtemp(prefix="lineage-store-luigi-")
        run_options = {"pipeline": pipeline, "run_id": new_run_id(pipeline), "attempts": attempts}
        os.environ[_RUN] = json.dumps(run_options)
        run = self._join(run_options)
        run.begin()
        if self.wants_cache:
            self._freshness = Freshness(self, run, self._step)

    def _join(self, run_options: dict[str, str]) -> Run:
        self._attempts = Path(run_options["attempts"])
        self._run = self.run(
            run_options["pipeline"], pipeline=run_options["pipeline"], run_id=run_options["run_id"]
        )
        return self._run

    def _current(self) -> Run:
        """Return the run; in a process that was spawned, that of the one which spawned it."""
        return self._run or self._join(json.loads(os.environ[_RUN]))

    def all_added(self, worker: object) -> None:
        """Do nothing: more may be added."""

    def worker_started(self, worker: object) -> None:
        """Stop asking whether tasks are complete: from now on Luigi knows better."""
        del worker
        self._freshness, self._is_running = None, True

    def worker_ended(self, worker: object, error: BaseException | None) -> None:
        """End the run."""
        run, self._run, self._is_running = self._current(), None, False
        run_error: ErrorLike | None = error
        if error is None:
            result = LuigiRunResult(worker)
            if result.status not in _GOOD:
                run_error = Failure(f"luigi.{result.status.name}", result.status.value[1])
        self._steps.clear()
        if self._attempts is not None:
            shutil.rmtree(self._attempts, ignore_errors=True)
        self.end_run(run, run_error)

    def task_started(self, task: Task) -> None:
        """Begin a step, unless it goes on after tasks that it required while it ran."""
        if _is_external(task) or task.task_id in self._steps:
            return
        if not inspect.isgeneratorfunction(task.run):  # it may go on in another process
            self.begin_in_fork()
        step = self._steps[task.task_id] = self._step(task)
        step.begin()
        if step.hit is not None:
            step.reject_hit("Luigi runs it already")

    def task_succeeded(self, task: Task) -> None:
        """End a step, with its outputs."""
        step = self._steps.pop(task.task_id, None)
        if step is None:
            return
        self._record_outputs(step, task)
        step.end()

    def task_failed(self, task: Task, error: object) -> None:
        """End a step with the error, or with the text, that Luigi tells."""
        step = self._steps.pop(task.task_id, None) or self._step(task)
        if not isinstance(error, BaseException):
            error = Failure("luigi.ProcessFailure", str(error))
        step.end(error)
        with self._failures(task).open("ab") as file:
            file.write(b".")

    def task_was_complete(self, task: Task) -> None:
        """Record a step that need not run; one that is added later may have run just now."""
        if _is_external(task) or self._is_running:
            return
        if self._freshness is not None and self._freshness.record_hit(task):
            return
        is_undecided = self._freshness is not None and task.task_id in self._freshness.undecided
        why = {CACHE_DECISION: _UNDECIDED if is_undecided else _COMPLETE}
        step = self._current().step(
            task.task_family, id=task.task_id, index=0, params=_parameters(task), properties=why
        )
        step.begin()
        self._record_outputs(step, task)
        step.end(state=ExecutionState.CACHED)

    def is_stale(self, task: Task) -> bool:
        """Return whether a task that has its outputs is to run again, and say why."""
        if self._freshness is None or _is_external(task):
            return False
        return self._freshness.is_stale(task)

    def _step(self, task: Task) -> Step:
        run = self._current()
        is_dynamic = inspect.isgeneratorfunction(task.run)
        why = "Luigi does not report the tasks that a task requires while it runs"
        code = self.code(type(task))
        if is_dynamic:
            code["uncached"] = _DYNAMIC
        return run.step(
            task.task_family,
            id=task.task_id,
            index=0,
            attempt=self._attempt(task),
            inputs=inputs_of(task, run.id),
            params=_parameters(task),
            secret=_private(task),
            **code,
            environment=self._binding(task),
            cache=self.caching(str(task.task_module)),
            properties={"inputs_incomplete": why} if is_dynamic else {},
        )

    def _binding(self, task: Task) -> dict[str, str] | None:
        """Return the other parts of the key: how inputs are bound, and parameters not recorded."""
        if not self.wants_cache:
            return None
        environment = {"requires": fingerprint(shape_of(task.requires()))}
        unseen = _unrecorded_parameters(task)
        if unseen:
            environment["unseen"] = secret_digest(fingerprint(unseen))
        return environment

    def _record_outputs(self, step: Step, task: Task) -> None:
        for name, artifact in outputs_of(task, self._current().id):
            step.output(name, artifact)

    def _attempt(self, task: Task) -> int:
        failures = self._failures(task)
        return 1 + (failures.stat().st_size if failures.exists() else 0)

    def _failures(self, task: Task) -> Path:
        """Return the file that has a byte for each failure of a task."""
        name = sha256(task.task_id.encode()).hexdigest()
        return (self._attempts or Path(tempfile.gettempdir())) / name


def _pipeline(task: Task) -> str:
    """Return the pipeline that the run of a task is a run of."""
    module = str(task.task_module)
    if module == "__main__":
        module = Path(inspect.getfile(type(task))).stem
    return f"{module}.{task.task_family}"


def _is_external(task: Task) -> bool:
    return task.run is None or task.run is NotImplemented or not callable(task.run)


def _parameters(task: Task) -> dict[str, object]:
    """Return the parameters that tell tasks apart, as Luigi writes them."""
    texts = task.to_str_params(only_significant=True)
    plain = {k: v for k, v in task.param_kwargs.items() if isinstance(v, bool | int | float)}
    return {name: plain.get(name, text) for name, text in texts.items()}


def _private(task: Task) -> set[str]:
    """Return the parameters that Luigi shows to nobody."""
    shown = task.to_str_params(only_significant=True, only_public=True)
    return set(_parameters(task)) - set(shown)


def _unrecorded_parameters(task: Task) -> dict[str, str]:
    """Return the parameters that distinguish tasks and that Luigi itself writes nowhere."""
    parameters, recorded_names = dict(task.get_params()), _parameters(task)
    return {
        name: parameters[name].serialize(value)
        for name, value in task.param_kwargs.items()
        if parameters[name].significant and name not in recorded_names
    }


see_through(luigi.Parameter, lambda parameter: (type(parameter), _configuration(parameter)))


def _configuration(parameter: object) -> dict[str, object]:
    """Return the state of a class's parameter, but not the count of those made before it."""
    return {name: value for name, value in vars(parameter).items() if name != "_counter"}


@dataclass(frozen=True)
class _Settings:
    """The values of a class of settings in the configuration."""

    kind: Any  # luigi.Config, or a subclass

    def values(self) -> dict[str, object]:
        """Return the values by the names of the parameters, as far as there are any."""
        family = self.kind.get_task_family()
        return {
            name: parameter.task_value(family, name)
            for name, parameter in self.kind.get_params()
            if parameter.has_task_value(family, name)
        }


see_through(_Settings, _Settings.values)
count_settings(luigi.Config, _Settings)
