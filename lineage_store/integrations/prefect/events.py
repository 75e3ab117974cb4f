"""Prefect's events of flows and tasks, as runs and steps.

| Prefect | recorded |
| --- | --- |
| a flow | pipeline |
| `FLOW@ID` of a flow run | the id of the run; that of a flow within is part of that around it |
| a task run | a step; `log.index` tells those of one task in one flow run apart |
| a retry of a task | execution of its own, with `attempt_id` |
| the state `Cached` | CACHED; see `skipping` |
| the state `NotReady`, since a task before it failed | CANCELED, with `skip_reason` |
| the state `Crashed` | FAILED |
| a task without a flow | a step in a run of its own |
"""

import itertools
import threading
from collections import defaultdict
from datetime import datetime
from typing import Any

import prefect

from lineage_store.entities import ExecutionState
from lineage_store.fingerprints.code import see_through
from lineage_store.integrations.artifacts import unhashed_reason
from lineage_store.integrations.hook import Hook
from lineage_store.integrations.options import CacheOptions, StepOptions
from lineage_store.integrations.prefect.protocols import (
    Flow,
    FlowEngine,
    State,
    TaskEngine,
    TaskRun,
)
from lineage_store.integrations.prefect.skipping import (
    RESULT_KEY,
    read_result,
    same_outputs,
    why_not,
)
from lineage_store.integrations.prefect.values import RESULT, Results, put_out, split_arguments
from lineage_store.integrations.tools import Tool
from lineage_store.recording.diagnostics import never_raises
from lineage_store.recording.outcomes import ErrorLike, Failure
from lineage_store.recording.runs import Run
from lineage_store.recording.steps import Step
from lineage_store.recording.values import numbers_in

_END_STATES = {
    "COMPLETED": ExecutionState.COMPLETE,
    "FAILED": ExecutionState.FAILED,
    "CRASHED": ExecutionState.FAILED,
    "CANCELLED": ExecutionState.CANCELED,
}
"""The execution state of a final state of Prefect, by its type."""

_FAILED = {"FAILED", "CRASHED"}


class PrefectEvents(Hook):
    """Records Prefect's flows and tasks; task runs come in several threads."""

    def __init__(self, tool: Tool, url: str) -> None:
        super().__init__(tool, url)
        self._runs: dict[object, Run] = {}
        self._open: dict[object, Step] = {}
        self._errors: dict[object, BaseException | State] = {}
        self._keys: dict[object, str | None] = {}
        self._indexes: dict[object, int] = {}
        self._counts: defaultdict[tuple[str, str], itertools.count[int]]
        self._counts = defaultdict(itertools.count)
        self._lock = threading.Lock()
        self._results = Results()

    def flow_state(self, engine: FlowEngine, state: State) -> None:
        """Begin or end a run."""
        flow_run_id = engine.flow_run.id
        kind = state.type.value
        if kind == "RUNNING" and flow_run_id not in self._runs:
            run = self._runs[flow_run_id] = self._flow(engine.flow, flow_run_id, engine)
            run.begin(at=_ms(state.timestamp))
        elif kind in _END_STATES and flow_run_id in self._runs:
            self.end_run(
                self._runs.pop(flow_run_id),
                _error_of(state),
                state=_END_STATES[kind],
                at=_ms(state.timestamp),
            )

    def _flow(self, flow: Flow, flow_run_id: object, engine: FlowEngine | None = None) -> Run:
        """Return the run of a flow; the engine is that of the process that it begins in."""
        properties: dict[str, object] = {}
        if engine is not None:
            properties = {f"parameters.{name}": value for name, value in engine.parameters.items()}
        parent_id = None if engine is None else _parent_flow_run_id(flow_run_id)
        parent = self._runs.get(parent_id)
        name = getattr(getattr(engine, "flow_run", None), "name", None) or flow.name
        run_id = f"{flow.name}@{flow_run_id}"
        return self.run(
            name, pipeline=flow.name, run_id=run_id, parent=parent, properties=properties
        )

    def task_erred(self, engine: TaskEngine, error: BaseException | State) -> None:
        """Note the error of an attempt, which may be tried again."""
        self._errors[engine.task_run.id] = error

    def task_state(self, engine: TaskEngine, state: State) -> None:
        """Begin or end an attempt at a step."""
        kind, task_run_id = state.type.value, engine.task_run.id
        if state.name in {"AwaitingRetry", "Retrying"}:
            self._end_attempt(engine, state, ExecutionState.FAILED)
        if kind == "RUNNING":
            self._begin(engine, state)
        elif state.name == "NotReady":
            step = self._step(engine)
            step.skip(str(state.message or state.name))
            step.end(at=_ms(state.timestamp))
        elif kind in _END_STATES:
            self._end(engine, state, kind)
            self._errors.pop(task_run_id, None)
            self._keys.pop(task_run_id, None)
            self._indexes.pop(task_run_id, None)
            if engine.task_run.flow_run_id is None and task_run_id in self._runs:
                self.end_run(self._runs.pop(task_run_id), _error_of(state), state=_END_STATES[kind])

    def _begin(self, engine: TaskEngine, state: State) -> None:
        run = self._run_of(engine)
        params, inputs = split_arguments(engine, run.pipeline, run.id, self._results)
        options: StepOptions = {"params": params, "inputs": inputs, **self.code(engine.task.fn)}
        step = self._step(engine, **{**options, **self._cache_options(engine, run, options)})
        step.begin(at=_ms(state.timestamp))
        if step.hit is not None:
            self._take_over(engine, run, step)
        self._open[engine.task_run.id] = step

    def _cache_options(self, engine: TaskEngine, run: Run, options: StepOptions) -> CacheOptions:
        """Return the caching arguments of a step.

        It waits for no other that runs the same: in one event loop that would not go on.
        """
        if not self.wants_cache:
            return {}
        is_forked = self.recorder.is_child
        why = why_not(engine.task, options["code"], options["inputs"], is_forked=is_forked)
        return self.cache_options(
            engine.task.name,
            why,
            scope=run.pipeline,
            arguments=engine.parameters or {},
            attempt=engine.task_run.run_count,
            code=options,
        )

    def _take_over(self, engine: TaskEngine, run: Run, step: Step) -> None:
        """Make Prefect take the result of a hit, if that is unchanged."""
        key = step.results.get(RESULT_KEY)
        try:
            value = read_result(str(key))
        except Exception as error:  # of any storage, of any class
            step.reject_hit(f"{type(error).__name__}: {error}"[:500])
            return
        if same_outputs(step, put_out(engine, run.pipeline, run.id, value)):
            self._keys[engine.task_run.id] = str(key)
        else:
            step.reject_hit("the result that Prefect keeps is not the value that it returned")

    def result_key(self, engine: TaskEngine) -> str | None:
        """Return the key of the record with the result of a task; None: there is none."""
        step = self._open.get(engine.task_run.id)
        return None if step is None or step.hit is None else self._keys.get(engine.task_run.id)

    def result_keyed(self, engine: TaskEngine, key: str | None) -> None:
        """Note the key under which Prefect is to keep the result of a task."""
        self._keys[engine.task_run.id] = key

    def _step(self, engine: TaskEngine, **options: Any) -> Step:
        task_run = engine.task_run
        return self._run_of(engine).step(
            engine.task.name,
            id=str(task_run.id),
            index=self._index(task_run, engine.task.name),
            attempt=max(1, task_run.run_count),
            **options,
        )

    def _index(self, task_run: TaskRun, name: str) -> int:
        """Return which of the runs of a task it is: Prefect's own number, or else by time."""
        if str(task_run.dynamic_key).isdecimal():
            return int(task_run.dynamic_key)
        with self._lock:
            if task_run.id not in self._indexes:
                place = str(task_run.flow_run_id or task_run.id), name
                self._indexes[task_run.id] = next(self._counts[place])
            return self._indexes[task_run.id]

    def _run_of(self, engine: TaskEngine) -> Run:
        """Return the run that a task run is in, which may have begun in another process."""
        task_run = engine.task_run
        run_key = task_run.flow_run_id or task_run.id
        if run_key not in self._runs and task_run.flow_run_id is None:
            name = engine.task.name
            run = self.run(task_run.name, pipeline=name, run_id=f"{name}@{run_key}")
            run.begin()
            self._runs[run_key] = run
        elif run_key not in self._runs:
            self._runs[run_key] = self._flow(_current_flow(), run_key)
        return self._runs[run_key]

    def _end(self, engine: TaskEngine, state: State, kind: str) -> None:
        step = self._open.get(engine.task_run.id)
        final_state = ExecutionState.CACHED if state.name == "Cached" else _END_STATES[kind]
        if step is not None and step.hit is not None and final_state is not ExecutionState.CACHED:
            step.reject_hit("Prefect ran it all the same")
        if kind == "COMPLETED" and step is not None:
            self._put_out(engine, step, state)
        self._end_attempt(engine, state, final_state)

    def _end_attempt(self, engine: TaskEngine, state: State, final_state: ExecutionState) -> None:
        step = self._open.pop(engine.task_run.id, None)
        if step is None:
            return
        error = self._errors.get(engine.task_run.id)
        failure: ErrorLike | None = None
        if final_state is ExecutionState.FAILED:
            if isinstance(error, BaseException):
                failure = _error_of(state) if state.type.value == "CRASHED" else error
            else:
                failure = _error_of(state if error is None else error)
        step.end(failure, state=final_state, at=_ms(state.timestamp))

    @never_raises(None)
    def _put_out(self, engine: TaskEngine, step: Step, state: State) -> None:
        """Record the result of a task, whether it ran or Prefect had it."""
        if step.hit is None:
            self._put_result(engine, step, getattr(state.data, "result", state.data))
        several = [artifact for outputs in step.outputs.values() for artifact in outputs]
        self._results.keep(engine.task_run.id, several)

    def _put_result(self, engine: TaskEngine, step: Step, value: object) -> None:
        """Record the result of a task, and leave it out of the cache if it can't be reused."""
        run = self._run_of(engine)
        several = put_out(engine, run.pipeline, run.id, value)
        for name, artifact in several:
            step.output(name, artifact)
        for part, number in numbers_in(value).items():
            step.metric(f"{RESULT}.{part}" if part else RESULT, number)
        if step.cache_key is None:
            return
        why = unhashed_reason("its output", several)
        key = self._keys.get(engine.task_run.id)
        if why is not None or key is None or not several:
            step.dont_publish(
                why or ("Prefect gave it no key" if several else "it returned nothing")
            )
        else:
            step.result(RESULT_KEY, key)


def _error_of(state: State) -> ErrorLike | None:
    """Return the error in a state, if there is one."""
    if state.type.value not in _FAILED:
        return None
    if isinstance(state.data, Exception):
        return state.data
    return Failure(state.name or "Failed", str(state.message or "Prefect does not say why"))


def _current_flow() -> Flow:
    from prefect.context import FlowRunContext  # noqa: PLC0415 - where Prefect runs

    flow: Flow = FlowRunContext.get().flow
    return flow


def _parent_flow_run_id(flow_run_id: object) -> object:
    """Return the id of the flow run that another is begun in; None: in none."""
    from prefect.context import FlowRunContext  # noqa: PLC0415 - where Prefect runs

    context = FlowRunContext.get()
    if context is None or context.flow_run is None or context.flow_run.id == flow_run_id:
        return None
    parent_id: object = context.flow_run.id
    return parent_id


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


see_through(prefect.Task, lambda task: task.fn)
see_through(prefect.Flow, lambda flow: flow.fn)
