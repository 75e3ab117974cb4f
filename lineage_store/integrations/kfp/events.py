"""Runs and tasks of `kfp.local`, as runs and steps.

| kfp | recorded |
| --- | --- |
| the name of the pipeline, or of a component that is run alone | pipeline |
| the name that kfp gives a run, which has the time, and its id | the id of the run |
| a task | a step of its name; in a loop, one of each iteration |
| one try of a task | an attempt |
| an artifact | an artifact, by uri and content; `metadata.NAME` are properties of it |
| an output parameter | an artifact in memory, also for the tasks that are given it |
| an input parameter | a parameter |
| the metadata of `Metrics` | results as well |
| a hit of kfp's own cache | a step that is CACHED |
| an importer | nothing but the artifact that it imported, as an input of others |
"""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from lineage_store.entities import Artifact, ExecutionState
from lineage_store.fingerprints.values import fingerprint
from lineage_store.integrations.artifacts import value_artifact
from lineage_store.integrations.hook import Hook
from lineage_store.integrations.kfp.protocols import Component, Container, Executor, Result
from lineage_store.integrations.kfp.values import (
    artifacts_of,
    channel,
    channels_of,
    is_artifact,
    iteration,
    parameters_of,
    pipeline_name,
    reason_of,
)
from lineage_store.integrations.tools import Tool
from lineage_store.recording.diagnostics import never_raises
from lineage_store.recording.naming import CACHE_DECISION
from lineage_store.recording.outcomes import ErrorLike, Failure
from lineage_store.recording.runs import Run
from lineage_store.recording.steps import Step
from lineage_store.recording.values import numbers_in

Call = Mapping[str, Any]
"""The arguments of a function of kfp, by name."""

TAIL = 40
"""Lines that a task printed last, among which the reason of its failure is looked for."""

_METRICS = "system.Metrics"


@dataclass(eq=False)
class _ActiveRun:
    """A run.

    Attributes:
        run: The run.
        pipeline: The name of its pipeline.
        values: Output parameters and their artifacts, by their names in DAGs.
        scopes: For each id of a step the DAGs that have one, each by its IO store in kfp.
    """

    run: Run
    pipeline: str
    values: dict[str, tuple[object, Artifact]] = field(default_factory=dict)
    scopes: dict[str, list[object]] = field(default_factory=dict)


@dataclass(eq=False)
class _Task:
    """A task, whose attempts come one after the other in one thread.

    Attributes:
        active_run: The run that it is a task of.
        call: The arguments with which kfp runs it.
        name: Its name in the pipeline.
        id: An id that no other task of the run has.
        index: The iteration of the loop that it is in.
        channels: By parameter, the output of another task that it may be.
        attempts: How many there were.
    """

    active_run: _ActiveRun
    call: Call
    name: str
    id: str
    index: int
    channels: dict[str, str] = field(default_factory=dict)
    attempts: int = 0


@dataclass(eq=False)
class _Attempt:
    task: _Task
    step: Step
    alone: bool


class KfpEvents(Hook):
    """Records the runs and tasks of kfp.

    The events of a task come in one thread, those of the tasks of a loop in several.
    """

    def __init__(self, tool: Tool, url: str) -> None:
        super().__init__(tool, url)
        self._runs: dict[str, _ActiveRun] = {}
        self._local = threading.local()
        self._lock = threading.Lock()

    # -- runs ---------------------------------------------------------------------------------

    def dag_started(self, call: Call) -> str | None:
        """Begin a run with its outermost DAG; return its id, or None for a DAG within another."""
        run_id = str(call["unique_pipeline_id"])
        if run_id in self._runs:
            return None
        name = pipeline_name(call["pipeline_resource_name"])
        self._begin(run_id, name, call, call["dag_component_spec"], call["dag_arguments"])
        return run_id

    def _begin(
        self, run_id: str, name: str, call: Call, component: Component, arguments: Call
    ) -> _ActiveRun:
        parameters = parameters_of(component, arguments)
        argument_properties = {f"parameters.{name}": value for name, value in parameters.items()}
        run_properties = {
            "runner": type(call["runner"]).__name__,
            "pipeline_root": call["pipeline_root"],
        }
        run = self.run(
            name,
            pipeline=name,
            run_id=f"{call['pipeline_resource_name']}-{run_id}",
            properties=run_properties | argument_properties,
        )
        active_run = self._runs[run_id] = _ActiveRun(run, name)
        run.begin()
        return active_run

    def dag_ended(self, run_id: str | None, result: Result | None, error: ErrorLike | None) -> None:
        """End a run with its outermost DAG."""
        if run_id is not None:
            self._end(self._runs.pop(run_id), result, error)

    def _end(self, active_run: _ActiveRun, result: Result | None, error: ErrorLike | None) -> None:
        if error is None and not _is_good(result):
            error = Failure("kfp.PipelineFailed", "a task failed")
        self.end_run(active_run.run, error)

    # -- tasks --------------------------------------------------------------------------------

    def task_started(self, call: Call) -> _Task:
        """Note the task of the attempts that follow in this thread."""
        active_run = self._runs[str(call["unique_pipeline_id"])]
        resource, name = call["pipeline_resource_name"], call["task_name"]
        task = self._local.task = _Task(
            active_run=active_run,
            call=call,
            name=name,
            id=self._id(active_run, resource, name, call["io_store"]),
            index=iteration(resource),
            channels=channels_of(call["task_spec"]),
        )
        return task

    def _id(self, active_run: _ActiveRun, resource: str, name: str, scope: object) -> str:
        """Return an id that no other task of the run has; DAGs may have tasks of the same name."""
        task_id = "/".join([*resource.split("/")[1:], name])
        with self._lock:
            scopes = active_run.scopes.setdefault(task_id, [])
            if not any(scope is other for other in scopes):
                scopes.append(scope)
            number = next(i for i, other in enumerate(scopes, 1) if other is scope)
        return task_id if number == 1 else f"{task_id}#{number}"

    def task_ended(
        self, task: _Task | None, result: Result | None, error: ErrorLike | None
    ) -> None:
        """Record a task that did not have to run."""
        self._local.task = None
        if task is None or task.attempts or error is not None or not _is_good(result):
            return
        component, executor = _specs(task.call)
        if executor.WhichOneof("spec") != "container":
            return
        from kfp.local.orchestrator.orchestrator_utils import (  # noqa: PLC0415
            OrchestratorUtils,
        )

        arguments = OrchestratorUtils.make_task_arguments(
            task_inputs_spec=task.call["task_spec"].inputs, io_store=task.call["io_store"]
        )
        why = {CACHE_DECISION: "HIT: in the cache of kfp.local"}
        step = self._step(task, component, executor, arguments, why)
        step.begin()
        self._record_outputs(task, step, result[0])
        step.end(state=ExecutionState.CACHED)

    # -- attempts -----------------------------------------------------------------------------

    def attempt_started(self, call: Call) -> _Attempt:
        """Begin a step, and a run if the component is run alone."""
        task = getattr(self._local, "task", None)
        alone = task is None
        if task is None:
            name = call["component_name"].removeprefix("comp-")
            run_id = str(call["unique_pipeline_id"])
            active_run = self._begin(run_id, name, call, call["component_spec"], call["arguments"])
            task = _Task(active_run, call, name, name, 0)
        task.attempts += 1
        step = self._step(task, call["component_spec"], call["executor_spec"], call["arguments"])
        step.begin()
        self._local.printed = deque(maxlen=TAIL)
        return _Attempt(task, step, alone)

    def printed(self, *values: object) -> None:
        """Keep the last lines that a task prints."""
        last_lines = getattr(self._local, "printed", None)
        if last_lines is not None:
            last_lines.append(" ".join(map(str, values)))

    def attempt_ended(
        self, attempt: _Attempt | None, result: Result | None, error: ErrorLike | None
    ) -> None:
        """End a step, and the run of a component that is run alone."""
        if attempt is None:
            return
        is_user_error = isinstance(error, BaseException) and not _is_of_kfp(error)
        if error is None and _is_good(result):
            self._record_outputs(attempt.task, attempt.step, result[0])
            attempt.step.end()
        else:
            attempt.step.end(error if is_user_error else reason_of(self._local.printed))
        self._local.printed = None
        if attempt.alone:
            run_id = str(attempt.task.call["unique_pipeline_id"])
            self._end(self._runs.pop(run_id), result, error)

    def _step(
        self,
        task: _Task,
        component: Component,
        executor: Executor,
        arguments: Call,
        properties: Mapping[str, object] | None = None,
    ) -> Step:
        run, container = task.active_run.run, executor.container
        inputs = {
            name: artifacts_of(arguments[name], run.id)
            for name in component.input_definitions.artifacts
            if is_artifact(arguments.get(name))
        }
        return run.step(
            task.name,
            id=task.id,
            index=task.index,
            attempt=max(1, task.attempts),
            inputs={**inputs, **_argument_artifacts(task, arguments)},
            params=parameters_of(component, arguments),
            code=_code(container),
            properties={"image": container.image, **(properties or {})},
        )

    def _record_outputs(self, task: _Task, step: Step, outputs: Call) -> None:
        active_run = task.active_run
        for name, value in outputs.items():
            if is_artifact(value):
                for artifact in artifacts_of(value, active_run.run.id):
                    step.output(name, artifact)
                if not isinstance(value, list) and value.schema_title == _METRICS:
                    self._record_numbers(step, name, value.metadata)
            else:
                output_name = f"{task.name}.{name}"
                artifact = value_artifact(
                    active_run.pipeline, output_name, value, active_run.run.id
                )
                step.output(name, artifact)
                active_run.values[channel(task.name, name)] = value, artifact
                self._record_numbers(step, name, value)

    @staticmethod
    def _record_numbers(step: Step, name: str, value: object) -> None:
        for key, number in numbers_in(value).items():
            step.metric(f"{name}.{key}" if key else name, number)


def _argument_artifacts(task: _Task, arguments: Call) -> dict[str, Artifact]:
    """Return the output parameters of other tasks among the arguments of a task."""
    artifacts = {}
    for name, output_channel in task.channels.items():
        value, artifact = task.active_run.values.get(output_channel, (None, None))
        # In loops kfp may give another value than the one that the pipeline names.
        if artifact is not None and arguments.get(name) == value:
            artifacts[name] = artifact
    return artifacts


def _specs(call: Call) -> tuple[Component, Executor]:
    component = call["components"][call["task_spec"].component_ref.name]
    return component, call["executors"][component.executor_label]


def _is_good(result: Result | None) -> TypeGuard[Result]:
    """Return whether the outputs and the status that a function of kfp returned are good."""
    return result is not None and result[1].name == "SUCCESS"


def _is_of_kfp(error: BaseException) -> bool:
    """Return whether kfp raised this error because a task failed: it does not say why."""
    return isinstance(error, RuntimeError) and "finished with status" in str(error)


@never_raises(None)
def _code(container: Container) -> str | None:
    """Return the digest of a container's command: of a Python component, with its source."""
    return fingerprint([container.image, list(container.command), list(container.args)])
