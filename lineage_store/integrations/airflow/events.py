"""Airflow's events of runs and tasks, as runs and steps.

| Airflow | recorded |
| --- | --- |
| `[api] instance_name`, if it is set | project; before the name of each DAG |
| a DAG | pipeline |
| `DAG@RUN` | the id of the run; a run that is cleared goes on as the same run |
| a task instance | a step; `log.index` is its map index, `attempt_id` its try number |
| deferred, or rescheduled | the step goes on, with the same attempt |
| skipped by a `LineageCacheOperator` | CACHED, see `skipping` |
| skipped, or not run since a task before it failed | CANCELED, with `skip_reason` |
| a state that is set by hand | the state of a step that has not ended; `state_set_by_hand` of any |

A run begins in the scheduler, its tasks run in processes of their own, and states are set by hand
in the API server: each has part in the same records.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lineage_store.client.cache_answers import Hit
from lineage_store.entities import Artifact, ExecutionState
from lineage_store.integrations.airflow.protocols import DagRun, Task, TaskInstance
from lineage_store.integrations.airflow.runs import (
    instance_name,
    milliseconds,
    run_properties,
)
from lineage_store.integrations.airflow.skipping import (
    DECISIONS,
    HIT,
    cached_in,
    decision_of,
    gate_of,
    plain_arguments,
    planned,
    take_over,
    why_no_plain_task,
    why_not,
)
from lineage_store.integrations.airflow.values import (
    RETURNED,
    AssetUse,
    CollectedAssets,
    XcomInput,
    maker_of,
    masked,
    split_arguments,
    xcom_artifact,
)
from lineage_store.integrations.artifacts import each_of, unhashed_reason
from lineage_store.integrations.hook import Hook, wants_refresh
from lineage_store.integrations.options import CacheOptions, CodeOptions, StepOptions
from lineage_store.integrations.tools import Tool
from lineage_store.recording.diagnostics import never_raises
from lineage_store.recording.naming import CACHE_DECISION, REFRESH
from lineage_store.recording.outcomes import ErrorLike, Failure
from lineage_store.recording.runs import Run
from lineage_store.recording.steps import Step
from lineage_store.recording.values import numbers_in

_NOT_RUN = ("skipped", "upstream_failed")
"""The states of tasks that end without a process of their own."""

_START_SECONDS = 3.0


class _ActiveStep:
    """A task that runs in this process.

    Args:
        ti: The task instance.
        run: The run that it is a step of.
        step: Its step.
        assets: Makes artifacts of the assets that it uses.
    """

    def __init__(self, ti: TaskInstance, run: Run, step: Step, assets: AssetUse) -> None:
        self.ti = ti
        self.run = run
        self.step = step
        self.assets = assets
        self.assets_before = CollectedAssets()
        self.recorded_artifacts: set[tuple[bool, str | None]] = set()
        self.undeclared_input: str | None = None

    def put(self, name: str, artifact: Artifact, *, is_output: bool) -> None:
        """Record an input or output, unless it is recorded already."""
        if (is_output, artifact.external_id) in self.recorded_artifacts:
            return
        self.recorded_artifacts.add((is_output, artifact.external_id))
        if not is_output:
            self.undeclared_input = name
        (self.step.output if is_output else self.step.input)(name, artifact)


class AirflowEvents(Hook):
    """Records Airflow's runs and tasks."""

    ends_with_process = False

    def __init__(self, tool: Tool, url: str) -> None:
        super().__init__(tool, url)
        self._active_steps: dict[str, _ActiveStep] = {}
        self._starting_runs: dict[str, tuple[Run, threading.Thread]] = {}

    def run_started(self, dag_run: DagRun) -> None:
        """Begin a run, in the scheduler."""
        self._begin(self._run(dag_run, run_properties(dag_run)), dag_run)

    def _run(
        self, place: DagRun | TaskInstance, properties: Mapping[str, object] | None = None
    ) -> Run:
        project = instance_name()
        dag = f"{project}.{place.dag_id}" if project else place.dag_id
        run_id = f"{dag}@{place.run_id}"
        return self.run(
            place.run_id, pipeline=dag, run_id=run_id, project=project, properties=properties
        )

    def _begin(self, run: Run, dag_run: DagRun) -> None:
        """Record that a run has begun, once in each process; in a thread, as it takes time."""
        if run.id in self._starting_runs:
            return
        at = milliseconds(dag_run.start_date)
        thread = threading.Thread(target=run.begin, kwargs={"at": at}, daemon=True)
        self._starting_runs[run.id] = run, thread
        thread.start()

    def run_ended(self, dag_run: DagRun, why: str | None) -> None:
        """End a run, and the tasks that no process reported; wait for nothing."""
        run, at = self._run(dag_run), milliseconds(dag_run.end_date)
        self._end_others(dag_run)
        error = None if why is None else Failure("DagRunFailed", why)
        run, start_thread = self._starting_runs.pop(run.id, (run, None))
        threading.Thread(target=self._end_run, args=(run, start_thread, error, at)).start()

    @never_raises(None)
    def _end_run(
        self,
        run: Run,
        start_thread: threading.Thread | None,
        error: ErrorLike | None,
        at: int | None,
    ) -> None:
        if start_thread is not None:
            start_thread.join(_START_SECONDS)
        self.end_run(run, error, at=at)

    @never_raises(None)
    def _end_others(self, dag_run: DagRun) -> None:
        """Record the tasks that never ran."""
        from airflow import settings  # noqa: PLC0415 - when Airflow is set up

        # in the transaction that goes on: states that it sets now are seen nowhere else
        session = dag_run._sa_instance_state.session or settings.Session()  # noqa: SLF001
        others = dag_run.get_task_instances(state=_NOT_RUN, session=session)
        cached = cached_in(dag_run, session) if others and self.wants_cache else ()
        for ti in (ti for ti in others if ti.task_id not in cached):
            self._end_step(ti, None, ExecutionState.CANCELED, skipped=str(ti.state))

    def task_started(self, ti: TaskInstance) -> None:
        """Begin a step, with its inputs and parameters."""
        run = self._run(ti)
        dag_run = ti.get_template_context()["dag_run"]
        self._begin(self._run(dag_run, run_properties(dag_run)), dag_run)
        assets = AssetUse(run.id, _maker(ti))
        options = _step_options(run, ti, assets, self._code(ti.task))
        gate = gate_of(ti.task) if self.wants_cache else None
        caching = CacheOptions() if gate is None else self._cache_options(run, ti, options)
        step, inputs = self._step(run, ti, **{**options, **caching}), options["inputs"]
        step.begin(at=milliseconds(ti.start_date))
        if step.hit is not None:
            step.reject_hit(decision_of(gate, ti))
        active_step = self._active_steps[str(ti.id)] = _ActiveStep(ti, run, step, assets)
        active_step.recorded_artifacts = {
            (False, artifact.external_id) for several in inputs.values() for artifact in several
        }
        _listen(active_step)

    def _code(self, task: Task) -> CodeOptions:
        function = getattr(task, "python_callable", None)
        if function is None:
            return {"code": None, "uncached": "it has no function", "files": ()}
        return self.code(function)

    @never_raises(CacheOptions())
    def _cache_options(self, run: Run, ti: TaskInstance, options: StepOptions) -> CacheOptions:
        """Return the caching arguments of a task behind a `LineageCacheOperator`."""
        return self.cache_options(
            ti.task_id,
            why_not(ti, options["code"], options["inputs"]),
            scope=run.pipeline,
            arguments=plain_arguments(ti.task),
            attempt=max(1, ti.try_number or 1),
            code=options,
        )

    def cached_downstream(self, ti: TaskInstance) -> list[str]:
        """Return the tasks right behind a `LineageCacheOperator` that need not run.

        They are recorded as CACHED, and the run has their XComs.
        """
        if not self.wants_cache or ti.map_index not in {None, -1}:
            return []
        run = self._run(ti)
        decisions = {task.task_id: self._decide(run, ti, task) for task in ti.task.downstream_list}
        type(ti).xcom_push(ti, DECISIONS, decisions)
        return [name for name, decision in decisions.items() if decision.startswith(HIT)]

    @never_raises("NOT_CACHED: it could not be looked at")
    def _decide(self, run: Run, ti: TaskInstance, task: Task) -> str:
        """Return the decision on a task, and record its step if it is a hit."""
        why = why_no_plain_task(task)
        if why is not None:
            return f"NOT_CACHED: {why}"
        other = planned(ti, task)
        options = _step_options(run, other, AssetUse(run.id, _maker(other)), self._code(other.task))
        caching = self._cache_options(run, other, options)
        # the task may run after all, if the operator is cleared: this is another execution
        step_id = f"{task.task_id}@{ti.task_id}/{ti.try_number}"
        step = self._step(run, other, id=step_id, **{**options, **caching})
        if "cache" not in caching:
            return caching["properties"][CACHE_DECISION]
        answer = step.peek()
        if not isinstance(answer, Hit):
            no_answer = REFRESH if wants_refresh() else "NO_DECISION"
            return f"{answer.reason}: {answer.detail}" if answer else no_answer
        why = take_over(answer, run, ti, task)
        if why is not None:
            return f"REJECTED: {why}"
        step.begin()
        decision = step.decision
        if step.hit is None:
            step.skip("the hit was gone when it was to be used")
        step.end()
        return decision

    def _step(self, run: Run, ti: TaskInstance, **options: Any) -> Step:
        index, attempt = max(0, ti.map_index or 0), max(1, ti.try_number or 1)
        return run.step(ti.task_id, index=index, attempt=attempt, **options)

    def task_succeeded(self, before: object, ti: TaskInstance) -> None:
        """End a step that went well, with its outputs."""
        active_step = self._active_steps.get(str(ti.id))
        if active_step is not None:
            _put_out(active_step)
        self._end_step(ti, None, ExecutionState.COMPLETE, by_hand=before is None)

    def task_failed(self, before: object, ti: TaskInstance, error: object) -> None:
        """End an attempt that failed, or that somebody wanted to have failed."""
        failure: ErrorLike | None = None
        if isinstance(error, BaseException):
            failure = error if before is not None else None
        elif before is not None:
            failure = Failure("TaskFailed", str(error or "Airflow does not say why"))
        self._end_step(ti, failure, ExecutionState.FAILED, by_hand=before is None)

    def task_skipped(self, before: object, ti: TaskInstance) -> None:
        """End a step that had nothing to do."""
        self._end_step(ti, None, ExecutionState.CANCELED, skipped="skipped", by_hand=before is None)

    def _end_step(
        self,
        ti: TaskInstance,
        error: ErrorLike | None,
        state: ExecutionState,
        *,
        skipped: str | None = None,
        by_hand: bool = False,
    ) -> None:
        active_step = self._active_steps.pop(str(ti.id), None)
        if active_step is not None:
            _put_collected(active_step)
            _keep_unpublished(active_step)
            step = active_step.step
        else:
            properties = {"state_set_by_hand": str(state)} if by_hand else {}
            step = self._step(self._run(ti), ti, properties=properties)
        if skipped is not None:
            step.skip(skipped)
        step.end(error, state=state, at=milliseconds(ti.end_date))

    def stopping(self) -> None:
        """Send or spool all records: this process may end at once."""
        for _, start_thread in list(self._starting_runs.values()):
            start_thread.join(_START_SECONDS)
        if not self.recorder.flush():
            self.recorder.close()


def _maker(ti: TaskInstance) -> str:
    return maker_of(ti.dag_id, ti.run_id, ti.task_id, ti.map_index)


def _step_options(run: Run, ti: TaskInstance, assets: AssetUse, code: CodeOptions) -> StepOptions:
    """Return inputs, parameters and code of a task, for `Run.step`."""
    params, xcoms = _arguments(ti)
    inputs: dict[str, list[Artifact]] = {}
    for name, task, key, value in xcoms:
        artifact = xcom_artifact(run.pipeline, task, key, value, run.id)
        inputs.setdefault(name, []).append(artifact)
    for name, artifact in _inlets(assets, ti):
        inputs.setdefault(name, []).append(artifact)
    return {"inputs": inputs, "params": params, **code}


@never_raises(None)
def _keep_unpublished(active_step: _ActiveStep) -> None:
    """Leave a step out of the cache if its key does not cover all of its inputs and outputs."""
    step = active_step.step
    if step.cache_key is None:
        return
    why = unhashed_reason("its output", each_of(step.outputs))
    if active_step.undeclared_input is not None:
        why = f"it read {active_step.undeclared_input}, which is neither an argument nor an inlet"
    elif not step.outputs:
        why = "it put out nothing"
    if why is not None:
        step.dont_publish(why)


@never_raises(({}, []))
def _arguments(ti: TaskInstance) -> tuple[dict[str, object], list[XcomInput]]:
    params, xcoms = split_arguments(ti)
    return masked(params), xcoms


@never_raises(())
def _inlets(assets: AssetUse, ti: TaskInstance) -> Iterable[tuple[str, Artifact]]:
    return list(assets.inlets(ti))


@never_raises(None)
def _listen(active_step: _ActiveStep) -> None:
    """Record the XComs that the code of a task pulls and pushes on its own."""
    ti, pull, push = active_step.ti, active_step.ti.xcom_pull, active_step.ti.xcom_push

    def pulled(
        task_ids: str | Sequence[str] | None = None,
        dag_id: str | None = None,
        key: str = RETURNED,
        **more: object,
    ) -> object:
        value = pull(task_ids, dag_id, key, **more)
        if isinstance(task_ids, str) and value is not None:
            _put_xcom(active_step, task_ids, key, value, dag=dag_id, is_output=False)
        return value

    def pushed(key: str, value: object) -> None:
        push(key, value)
        _put_xcom(active_step, ti.task_id, key, value, is_output=True)

    object.__setattr__(ti, "xcom_pull", pulled)
    object.__setattr__(ti, "xcom_push", pushed)


@never_raises(None)
def _put_xcom(
    active_step: _ActiveStep,
    task: str,
    key: str,
    value: object,
    *,
    dag: str | None = None,
    is_output: bool,
) -> None:
    pipeline = active_step.run.pipeline
    if dag is not None:
        pipeline = f"{active_step.run.project}.{dag}" if active_step.run.project else dag
    artifact = xcom_artifact(pipeline, task, key, value, active_step.run.id)
    active_step.put(key if is_output else task, artifact, is_output=is_output)


@never_raises(None)
def _put_out(active_step: _ActiveStep) -> None:
    """Record the return value of a task, and its assets."""
    ti = active_step.ti
    for name, artifact in active_step.assets.outlets(ti):
        active_step.put(name, artifact, is_output=True)
    if not ti.task.do_xcom_push:
        return
    value = type(ti).xcom_pull(ti, task_ids=ti.task_id, key=RETURNED, map_indexes=ti.map_index)
    if value is None:
        return
    _put_xcom(active_step, ti.task_id, RETURNED, value, is_output=True)
    for key, number in numbers_in(value).items():
        active_step.step.metric(f"{RETURNED}.{key}" if key else RETURNED, number)


@never_raises(None)
def _put_collected(active_step: _ActiveStep) -> None:
    """Record the assets that hooks of Airflow read and wrote meanwhile."""
    assets = active_step.assets.collected(active_step.assets_before, CollectedAssets())
    for is_output, name, artifact in assets:
        active_step.put(name, artifact, is_output=is_output)
