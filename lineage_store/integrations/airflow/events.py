"""What Airflow tells of its runs and tasks, as runs and steps.

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
from collections.abc import Mapping
from typing import Any

from lineage_store.client.cache_answers import Hit
from lineage_store.entities import Artifact, ExecutionState
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
    Touched,
    maker_of,
    masked,
    split_arguments,
    xcom_artifact,
)
from lineage_store.integrations.artifacts import each_of, why_untold
from lineage_store.integrations.hook import Hook, wants_refresh
from lineage_store.recording.diagnostics import never_raises
from lineage_store.recording.naming import CACHE_DECISION, REFRESH
from lineage_store.recording.outcomes import ErrorLike, Failure
from lineage_store.recording.runs import Run
from lineage_store.recording.steps import Step
from lineage_store.recording.values import numbers_in

_NOT_RUN = ("skipped", "upstream_failed")
"""The states of tasks that end without a process of their own."""

_BEGUN_SECONDS = 3.0


class _Open:
    """A task that runs in this process.

    Args:
        ti: The task instance.
        run: What it is a step of.
        step: Its step.
        assets: What makes artifacts of those that it uses.
    """

    def __init__(self, ti: Any, run: Run, step: Step, assets: AssetUse) -> None:
        self.ti = ti
        self.run = run
        self.step = step
        self.assets = assets
        self.before = Touched()
        self.seen: set[tuple[bool, str | None]] = set()
        self.unnamed: str | None = None

    def put(self, name: str, artifact: Artifact, *, is_output: bool) -> None:
        """Record an input or output, unless it is known from elsewhere."""
        if (is_output, artifact.external_id) in self.seen:
            return
        self.seen.add((is_output, artifact.external_id))
        if not is_output:
            self.unnamed = name
        (self.step.output if is_output else self.step.input)(name, artifact)


class AirflowEvents(Hook):
    """Records what Airflow runs."""

    ends_with_process = False

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._open: dict[str, _Open] = {}
        self._beginning: dict[str, tuple[Run, threading.Thread]] = {}

    def run_started(self, dag_run: Any) -> None:
        """Begin a run, in the scheduler."""
        self._begin(self._run(dag_run, _told(dag_run)), dag_run)

    def _run(self, place: Any, told: Mapping[str, Any] | None = None) -> Run:
        project = _instance()
        dag = f"{project}.{place.dag_id}" if project else place.dag_id
        run_id = f"{dag}@{place.run_id}"
        return self.run(place.run_id, pipeline=dag, run_id=run_id, project=project, properties=told)

    def _begin(self, run: Run, dag_run: Any) -> None:
        """Record that a run has begun, once in each process; what is captured takes its time."""
        if run.id in self._beginning:
            return
        at = _ms(dag_run.start_date)
        thread = threading.Thread(target=run.begin, kwargs={"at": at}, daemon=True)
        self._beginning[run.id] = run, thread
        thread.start()

    def run_ended(self, dag_run: Any, why: str | None) -> None:
        """End a run, and what no process of a task told of; waits for nothing."""
        run, at = self._run(dag_run), _ms(dag_run.end_date)
        self._end_others(dag_run)
        error = None if why is None else Failure("DagRunFailed", why)
        run, begun = self._beginning.pop(run.id, (run, None))
        threading.Thread(target=self._end_run, args=(run, begun, error, at)).start()

    @never_raises(None)
    def _end_run(
        self, run: Run, begun: threading.Thread | None, error: ErrorLike | None, at: int | None
    ) -> None:
        if begun is not None:
            begun.join(_BEGUN_SECONDS)
        self.end_run(run, error, at=at)

    @never_raises(None)
    def _end_others(self, dag_run: Any) -> None:
        """Record the tasks that never ran."""
        from airflow import settings  # noqa: PLC0415 - when Airflow is set up

        # in the transaction that goes on: states that it sets now are seen nowhere else
        session = dag_run._sa_instance_state.session or settings.Session()  # noqa: SLF001
        others = dag_run.get_task_instances(state=_NOT_RUN, session=session)
        cached = cached_in(dag_run, session) if others and self.wants_cache else ()
        for ti in (ti for ti in others if ti.task_id not in cached):
            self._ended(ti, None, ExecutionState.CANCELED, skipped=str(ti.state))

    def task_started(self, ti: Any) -> None:
        """Begin a step, with what it is given."""
        run = self._run(ti)
        dag_run = ti.get_template_context()["dag_run"]
        self._begin(self._run(dag_run, _told(dag_run)), dag_run)
        assets = AssetUse(run.id, _maker(ti))
        known = _given(run, ti, assets, self._code(ti.task))
        gate = gate_of(ti.task) if self.wants_cache else None
        if gate is not None:
            known |= self._asking(run, ti, known)
        step, inputs = self._step(run, ti, **known), known["inputs"]
        step.begin(at=_ms(ti.start_date))
        if step.hit is not None:
            step.reject_hit(decision_of(gate, ti))
        here = self._open[str(ti.id)] = _Open(ti, run, step, assets)
        here.seen = {(False, known.external_id) for several in inputs.values() for known in several}
        _listen(here)

    def _code(self, task: Any) -> dict[str, Any]:
        function = getattr(task, "python_callable", None)
        if function is None:
            return {"code": None, "uncached": "it has no function", "files": ()}
        return self.code(function)

    @never_raises({})
    def _asking(self, run: Run, ti: Any, known: Mapping[str, Any]) -> dict[str, Any]:
        """Return how the step of a task behind a `LineageCacheOperator` uses the cache."""
        return self.asking(
            ti.task_id,
            why_not(ti, known["code"], known["inputs"]),
            scope=run.pipeline,
            arguments=plain_arguments(ti.task),
            attempt=max(1, ti.try_number or 1),
            code=known,
        )

    def known_behind(self, ti: Any) -> list[str]:
        """Return which of the tasks right behind a `LineageCacheOperator` need not run.

        They are recorded as CACHED, and the run has their XComs.
        """
        if not self.wants_cache or ti.map_index not in {None, -1}:
            return []
        run = self._run(ti)
        found = {task.task_id: self._decide(run, ti, task) for task in ti.task.downstream_list}
        type(ti).xcom_push(ti, DECISIONS, found)
        return [name for name, decision in found.items() if decision.startswith(HIT)]

    @never_raises("NOT_CACHED: it could not be looked at")
    def _decide(self, run: Run, ti: Any, task: Any) -> str:
        """Return what is decided on a task, and record it if it is a hit."""
        why = why_no_plain_task(task)
        if why is not None:
            return f"NOT_CACHED: {why}"
        other = planned(ti, task)
        known = _given(run, other, AssetUse(run.id, _maker(other)), self._code(other.task))
        known |= self._asking(run, other, known)
        # the task may run after all, if the operator is cleared: this is another execution
        step = self._step(run, other, id=f"{task.task_id}@{ti.task_id}/{ti.try_number}", **known)
        if "cache" not in known:
            return str(known["properties"][CACHE_DECISION])
        found = step.peek()
        if not isinstance(found, Hit):
            no_answer = REFRESH if wants_refresh() else "NO_DECISION"
            return f"{found.reason}: {found.detail}" if found else no_answer
        why = take_over(found, run, ti, task)
        if why is not None:
            return f"REJECTED: {why}"
        step.begin()
        decision = step.decision
        if step.hit is None:
            step.skip("the hit was gone when it was to be used")
        step.end()
        return decision

    def _step(self, run: Run, ti: Any, **known: Any) -> Step:
        index, attempt = max(0, ti.map_index or 0), max(1, ti.try_number or 1)
        return run.step(ti.task_id, index=index, attempt=attempt, **known)

    def task_succeeded(self, before: Any, ti: Any) -> None:
        """End a step that went well, with what it put out."""
        here = self._open.get(str(ti.id))
        if here is not None:
            _put_out(here)
        self._ended(ti, None, ExecutionState.COMPLETE, by_hand=before is None)

    def task_failed(self, before: Any, ti: Any, error: Any) -> None:
        """End an attempt that failed, or that somebody wanted to have failed."""
        if before is not None and not isinstance(error, BaseException):
            error = Failure("TaskFailed", str(error or "Airflow does not say why"))
        elif before is None:
            error = None
        self._ended(ti, error, ExecutionState.FAILED, by_hand=before is None)

    def task_skipped(self, before: Any, ti: Any) -> None:
        """End a step that had nothing to do."""
        self._ended(ti, None, ExecutionState.CANCELED, skipped="skipped", by_hand=before is None)

    def _ended(
        self,
        ti: Any,
        error: ErrorLike | None,
        state: ExecutionState,
        *,
        skipped: str | None = None,
        by_hand: bool = False,
    ) -> None:
        here = self._open.pop(str(ti.id), None)
        if here is not None:
            _put_touched(here)
            _keep_unpublished(here)
        told = {"state_set_by_hand": str(state)} if by_hand else {}
        step = here.step if here else self._step(self._run(ti), ti, properties=told)
        if skipped is not None:
            step.skip(skipped)
        step.end(error, state=state, at=_ms(ti.end_date))

    def stopping(self) -> None:
        """Send or spool what is recorded: this process may end at once."""
        for _, begun in list(self._beginning.values()):
            begun.join(_BEGUN_SECONDS)
        if not self.recorder.flush():
            self.recorder.close()


def _maker(ti: Any) -> str:
    return maker_of(ti.dag_id, ti.run_id, ti.task_id, ti.map_index)


def _given(run: Run, ti: Any, assets: AssetUse, code: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs, parameters and code of a task, for `Run.step`."""
    params, xcoms = _arguments(ti)
    inputs: dict[str, list[Artifact]] = {}
    for name, task, key, value in xcoms:
        read = xcom_artifact(run.pipeline, task, key, value, run.id)
        inputs.setdefault(name, []).append(read)
    for name, artifact in _inlets(assets, ti):
        inputs.setdefault(name, []).append(artifact)
    return {"inputs": inputs, "params": params, **code}


@never_raises(None)
def _keep_unpublished(here: _Open) -> None:
    """Leave out of the cache what a key can't stand for."""
    step = here.step
    if step.cache_key is None:
        return
    why = why_untold("its output", each_of(step.outputs))
    if here.unnamed is not None:
        why = f"it read {here.unnamed}, which is neither an argument nor an inlet"
    elif not step.outputs:
        why = "it put out nothing"
    if why is not None:
        step.dont_publish(why)


@never_raises(({}, []))
def _arguments(ti: Any) -> tuple[dict[str, Any], list[tuple[str, str, str, Any]]]:
    params, xcoms = split_arguments(ti)
    return masked(params), xcoms


@never_raises(())
def _inlets(assets: AssetUse, ti: Any) -> Any:
    return list(assets.read(ti))


@never_raises(None)
def _listen(here: _Open) -> None:
    """Learn which XComs the code of a task pulls and pushes by itself."""
    ti, pull, push = here.ti, here.ti.xcom_pull, here.ti.xcom_push

    def pulled(task_ids: Any = None, dag_id: Any = None, key: str = RETURNED, **more: Any) -> Any:
        value = pull(task_ids, dag_id, key, **more)
        if isinstance(task_ids, str) and value is not None:
            _put_xcom(here, task_ids, key, value, dag=dag_id, is_output=False)
        return value

    def pushed(key: str, value: Any) -> None:
        push(key, value)
        _put_xcom(here, ti.task_id, key, value, is_output=True)

    object.__setattr__(ti, "xcom_pull", pulled)
    object.__setattr__(ti, "xcom_push", pushed)


@never_raises(None)
def _put_xcom(
    here: _Open, task: str, key: str, value: Any, *, dag: str | None = None, is_output: bool
) -> None:
    pipeline = here.run.pipeline
    if dag is not None:
        pipeline = f"{here.run.project}.{dag}" if here.run.project else dag
    artifact = xcom_artifact(pipeline, task, key, value, here.run.id)
    here.put(key if is_output else task, artifact, is_output=is_output)


@never_raises(None)
def _put_out(here: _Open) -> None:
    """Record what a task returned, and its assets."""
    ti = here.ti
    for name, artifact in here.assets.written(ti):
        here.put(name, artifact, is_output=True)
    if not ti.task.do_xcom_push:
        return
    value = type(ti).xcom_pull(ti, task_ids=ti.task_id, key=RETURNED, map_indexes=ti.map_index)
    if value is None:
        return
    _put_xcom(here, ti.task_id, RETURNED, value, is_output=True)
    for key, number in numbers_in(value).items():
        here.step.metric(f"{RETURNED}.{key}" if key else RETURNED, number)


@never_raises(None)
def _put_touched(here: _Open) -> None:
    """Record what hooks of Airflow read and wrote meanwhile."""
    for is_output, name, artifact in here.assets.touched(here.before, Touched()):
        here.put(name, artifact, is_output=is_output)


def _told(dag_run: Any) -> dict[str, Any]:
    """Return what is recorded of a run beside its times."""
    found = {
        "run_type": _text(dag_run.run_type),
        "logical_date": _text(dag_run.logical_date),
        "data_interval_start": _text(dag_run.data_interval_start),
        "data_interval_end": _text(dag_run.data_interval_end),
        "triggered_by": getattr(dag_run, "triggering_user_name", None),
        **{f"conf.{name}": value for name, value in masked(dag_run.conf or {}).items()},
    }
    return {name: value for name, value in found.items() if value is not None}


def _text(value: Any) -> str | None:
    return None if value is None else str(getattr(value, "value", value))


def _ms(at: Any) -> int | None:
    return None if at is None else round(at.timestamp() * 1000)


def _instance() -> str | None:
    """Return what this installation of Airflow is called, if it has a name."""
    from airflow.configuration import conf  # noqa: PLC0415 - when Airflow is set up

    return conf.get("api", "instance_name", fallback="").strip() or None
