"""What Prefect tells of its flows and tasks, as runs and steps.

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
from typing import Any

import prefect

from lineage_store.entities import ExecutionState
from lineage_store.fingerprints.code import see_through
from lineage_store.integrations.artifacts import why_untold
from lineage_store.integrations.hook import Hook
from lineage_store.integrations.prefect.skipping import (
    RESULT_KEY,
    read_result,
    same_outputs,
    why_not,
)
from lineage_store.integrations.prefect.values import RESULT, Results, put_out, split_arguments
from lineage_store.recording.diagnostics import never_raises
from lineage_store.recording.outcomes import ErrorLike, Failure
from lineage_store.recording.runs import Run
from lineage_store.recording.steps import Step
from lineage_store.recording.values import numbers_in

_ENDED = {
    "COMPLETED": ExecutionState.COMPLETE,
    "FAILED": ExecutionState.FAILED,
    "CRASHED": ExecutionState.FAILED,
    "CANCELLED": ExecutionState.CANCELED,
}
"""How a run of a final state ended, by the type of the state."""

_FAILED = {"FAILED", "CRASHED"}


class PrefectEvents(Hook):
    """Records what Prefect runs; task runs come in several threads."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._runs: dict[Any, Run] = {}
        self._open: dict[Any, Step] = {}
        self._errors: dict[Any, Any] = {}
        self._keys: dict[Any, str | None] = {}
        self._indexes: dict[Any, int] = {}
        self._counts: defaultdict[tuple[str, str], itertools.count[int]]
        self._counts = defaultdict(itertools.count)
        self._lock = threading.Lock()
        self._results = Results()

    def flow_state(self, engine: Any, state: Any) -> None:
        """Begin or end a run."""
        known = engine.flow_run.id
        kind = state.type.value
        if kind == "RUNNING" and known not in self._runs:
            run = self._runs[known] = self._flow(engine.flow, known, engine)
            run.begin(at=_ms(state.timestamp))
        elif kind in _ENDED and known in self._runs:
            self.end_run(
                self._runs.pop(known), _fault(state), state=_ENDED[kind], at=_ms(state.timestamp)
            )

    def _flow(self, flow: Any, known: Any, engine: Any = None) -> Run:
        """Return the run of a flow; the engine is that of the process that it begins in."""
        told: dict[str, Any] = {}
        if engine is not None:
            told = {f"parameters.{name}": value for name, value in engine.parameters.items()}
        around = None if engine is None else _flow_around(known)
        parent = self._runs.get(around)
        name = getattr(getattr(engine, "flow_run", None), "name", None) or flow.name
        run_id = f"{flow.name}@{known}"
        return self.run(name, pipeline=flow.name, run_id=run_id, parent=parent, properties=told)

    def task_erred(self, engine: Any, error: Any) -> None:
        """Learn what went wrong with an attempt, which may be tried again."""
        self._errors[engine.task_run.id] = error

    def task_state(self, engine: Any, state: Any) -> None:
        """Begin or end an attempt at a step."""
        kind, known = state.type.value, engine.task_run.id
        if state.name in {"AwaitingRetry", "Retrying"}:
            self._end_attempt(engine, state, ExecutionState.FAILED)
        if kind == "RUNNING":
            self._begin(engine, state)
        elif state.name == "NotReady":
            step = self._step(engine)
            step.skip(str(state.message or state.name))
            step.end(at=_ms(state.timestamp))
        elif kind in _ENDED:
            self._end(engine, state, kind)
            self._errors.pop(known, None)
            self._keys.pop(known, None)
            self._indexes.pop(known, None)
            if engine.task_run.flow_run_id is None and known in self._runs:
                self.end_run(self._runs.pop(known), _fault(state), state=_ENDED[kind])

    def _begin(self, engine: Any, state: Any) -> None:
        run = self._run_of(engine)
        params, inputs = split_arguments(engine, run.pipeline, run.id, self._results)
        known: dict[str, Any] = {"params": params, "inputs": inputs, **self.code(engine.task.fn)}
        step = self._step(engine, **{**known, **self._caching(engine, run, known)})
        step.begin(at=_ms(state.timestamp))
        if step.hit is not None:
            self._take_over(engine, run, step)
        self._open[engine.task_run.id] = step

    def _caching(self, engine: Any, run: Run, known: dict[str, Any]) -> dict[str, Any]:
        """Return how a step asks the cache, or says why it does not.

        It waits for no other that runs the same: in one event loop that would not go on.
        """
        if not self.wants_cache:
            return {}
        is_forked = self.recorder.is_child
        why = why_not(engine.task, known["code"], known["inputs"], is_forked=is_forked)
        return self.asking(
            engine.task.name,
            why,
            scope=run.pipeline,
            arguments=engine.parameters or {},
            attempt=engine.task_run.run_count,
            code=known,
        )

    def _take_over(self, engine: Any, run: Run, step: Step) -> None:
        """Have Prefect take the result of a hit, if that is still what it was."""
        key = step.results.get(RESULT_KEY)
        try:
            value = read_result(str(key))
        except Exception as error:  # of any storage, of any class
            step.reject_hit(f"{type(error).__name__}: {error}"[:500])
            return
        if same_outputs(step, put_out(engine, run.pipeline, run.id, value)):
            self._keys[engine.task_run.id] = str(key)
        else:
            step.reject_hit("what Prefect keeps as its result is not what it returned")

    def result_key(self, engine: Any) -> str | None:
        """Return the key of the record that stands for what a task returns; None: none does."""
        step = self._open.get(engine.task_run.id)
        return None if step is None or step.hit is None else self._keys.get(engine.task_run.id)

    def result_keyed(self, engine: Any, key: str | None) -> None:
        """Learn under which key Prefect is to keep what a task returns."""
        self._keys[engine.task_run.id] = key

    def _step(self, engine: Any, **known: Any) -> Step:
        task_run = engine.task_run
        return self._run_of(engine).step(
            engine.task.name,
            id=str(task_run.id),
            index=self._index(task_run, engine.task.name),
            attempt=max(1, task_run.run_count),
            **known,
        )

    def _index(self, task_run: Any, name: str) -> int:
        """Return which of the runs of a task it is: Prefect's own number, or else by time."""
        if str(task_run.dynamic_key).isdecimal():
            return int(task_run.dynamic_key)
        with self._lock:
            if task_run.id not in self._indexes:
                place = str(task_run.flow_run_id or task_run.id), name
                self._indexes[task_run.id] = next(self._counts[place])
            return self._indexes[task_run.id]

    def _run_of(self, engine: Any) -> Run:
        """Return the run that a task run is in, which may have begun in another process."""
        task_run = engine.task_run
        known = task_run.flow_run_id or task_run.id
        if known not in self._runs and task_run.flow_run_id is None:
            name = engine.task.name
            run = self.run(task_run.name, pipeline=name, run_id=f"{name}@{known}")
            run.begin()
            self._runs[known] = run
        elif known not in self._runs:
            self._runs[known] = self._flow(_flow_here(), known)
        return self._runs[known]

    def _end(self, engine: Any, state: Any, kind: str) -> None:
        step = self._open.get(engine.task_run.id)
        ended = ExecutionState.CACHED if state.name == "Cached" else _ENDED[kind]
        if step is not None and step.hit is not None and ended is not ExecutionState.CACHED:
            step.reject_hit("Prefect ran it all the same")
        if kind == "COMPLETED" and step is not None:
            self._put_out(engine, step, state)
        self._end_attempt(engine, state, ended)

    def _end_attempt(self, engine: Any, state: Any, ended: ExecutionState) -> None:
        step = self._open.pop(engine.task_run.id, None)
        if step is None:
            return
        error: Any = self._errors.get(engine.task_run.id)
        if ended is not ExecutionState.FAILED:
            error = None
        elif state.type.value == "CRASHED" or not isinstance(error, BaseException):
            error = _fault(state if error is None else error)
        step.end(error, state=ended, at=_ms(state.timestamp))

    @never_raises(None)
    def _put_out(self, engine: Any, step: Step, state: Any) -> None:
        """Record what a task returned, or was found to have returned."""
        if step.hit is None:
            self._put_result(engine, step, getattr(state.data, "result", state.data))
        several = [artifact for outputs in step.outputs.values() for artifact in outputs]
        self._results.keep(engine.task_run.id, several)

    def _put_result(self, engine: Any, step: Step, value: Any) -> None:
        """Record what a task returned, and whether that can stand for it in later runs."""
        run = self._run_of(engine)
        several = put_out(engine, run.pipeline, run.id, value)
        for name, artifact in several:
            step.output(name, artifact)
        for part, number in numbers_in(value).items():
            step.metric(f"{RESULT}.{part}" if part else RESULT, number)
        if step.cache_key is None:
            return
        why = why_untold("its output", several)
        key = self._keys.get(engine.task_run.id)
        if why is not None or key is None or not several:
            step.dont_publish(
                why or ("Prefect gave it no key" if several else "it returned nothing")
            )
        else:
            step.result(RESULT_KEY, key)


def _fault(state: Any) -> ErrorLike | None:
    """Return what a state says went wrong, if anything did."""
    if state.type.value not in _FAILED:
        return None
    if isinstance(state.data, Exception):
        return state.data
    return Failure(state.name or "Failed", str(state.message or "Prefect does not say why"))


def _flow_here() -> Any:
    from prefect.context import FlowRunContext  # noqa: PLC0415 - where Prefect runs

    return FlowRunContext.get().flow


def _flow_around(known: Any) -> Any:
    """Return the id of the flow run that another is begun in; None: in none."""
    from prefect.context import FlowRunContext  # noqa: PLC0415 - where Prefect runs

    context = FlowRunContext.get()
    if context is None or context.flow_run is None or context.flow_run.id == known:
        return None
    return context.flow_run.id


def _ms(at: Any) -> int:
    return int(at.timestamp() * 1000)


see_through(prefect.Task, lambda task: task.fn)
see_through(prefect.Flow, lambda flow: flow.fn)
