"""What Dagster tells of its runs and steps, as runs and steps.

| Dagster | recorded |
| --- | --- |
| a job, a run | see `dagster_runs` |
| an op, or the op of assets, by its place in the graphs | a step |
| a retry | execution of its own, with `attempt_id` |
| the config of an op, inputs that no other step puts out | parameters |
| an asset that is read, loaded or only named in `deps` | input |
| an observation that a step logs | input |
| a materialization that a step logs | output |
| numbers in the metadata of an output, the outcome of a check | results |
| a step that is skipped, since an output is missing that it reads | CANCELED |
| a process that is gone before its step has ended | FAILED |
"""

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lineage_store.entities import Artifact, ExecutionState
from lineage_store.fingerprints.code import code_of
from lineage_store.integrations.dagster.errors import (
    crash_of,
    fault_of_run,
    fault_of_step,
    is_interrupted,
)
from lineage_store.integrations.dagster.inputs import Memory, Readings
from lineage_store.integrations.dagster.runs import index_of, mapping_key, named
from lineage_store.integrations.dagster.values import (
    Thing,
    artifacts_of,
    kept,
    materialized,
    output_name,
    place_in,
    shown,
)
from lineage_store.integrations.hook import Hook
from lineage_store.recording.diagnostics import never_raises
from lineage_store.recording.outcomes import now_ms
from lineage_store.recording.runs import Run
from lineage_store.recording.steps import Step
from lineage_store.recording.values import numbers_in

_KEPT = 1_000
"""How many runs of this process are remembered."""

_ENDED = {
    "PIPELINE_SUCCESS": ExecutionState.COMPLETE,
    "PIPELINE_FAILURE": ExecutionState.FAILED,
    "PIPELINE_CANCELED": ExecutionState.CANCELED,
}
_BEGIN = {"STEP_START", "STEP_RESTARTED"}
_END = {"STEP_SUCCESS", "STEP_FAILURE", "STEP_UP_FOR_RETRY"}


@dataclass(slots=True)
class _Open:
    """An attempt at a step that runs in this process.

    Attributes:
        run: What it is of.
        started: When, in ms since the epoch.
        inputs: What was loaded so far, by the names of the inputs.
        is_storing: Whether the events that come are those of an output, which tell nothing more.
        step: Its step, once all inputs are there.
    """

    run: Run
    started: int
    inputs: defaultdict[str, list[Artifact]] = field(default_factory=lambda: defaultdict(list))
    is_storing: bool = False
    step: Step | None = None


class DagsterEvents(Hook):
    """Records what Dagster runs; the events of one step come in one thread."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._open: dict[tuple[str, str], _Open] = {}
        self._memory = Memory()
        self._lock = threading.Lock()

    def worker_begins(self) -> None:
        """Leave it to the process that waits for this one to send what it records."""
        self.leave_sending()

    def run_event(self, instance: Any, entry: Any) -> None:
        """Begin or end a run, or record a step that is skipped."""
        event, known = entry.dagster_event, instance.get_run_by_id(entry.run_id)
        if known is None:
            return
        run, at, kind = self._run_of(known), int(entry.timestamp * 1000), event.event_type_value
        if kind == "PIPELINE_START":
            run.begin(at=at)
        elif kind == "STEP_SKIPPED":
            handle = event.step_handle
            skipped = run.step(str(handle.node_handle), id=handle.to_key(), index=0)
            skipped.skip(str(event.message or "an output that it reads is missing"))
            skipped.end(at=at)
        else:
            state = ExecutionState.CANCELED if is_interrupted(event) else _ENDED[kind]
            self.end_run(run, fault_of_run(event), state=state, at=at)
            self._forget(known.run_id)

    def _run_of(self, known: Any) -> Run:
        """Return a run by what Dagster keeps of it; it may have begun in another process."""
        with self._lock:
            if known.run_id not in self._runs:
                self._runs[known.run_id] = self.run(**named(known))
            if len(self._runs) > _KEPT:
                self._runs.popitem(last=False)
            return self._runs[known.run_id]

    def _forget(self, run_id: str) -> None:
        with self._lock:
            self._runs.pop(run_id, None)
        self._memory.forget(run_id)

    def step_event(self, context: Any, event: Any) -> None:
        """Take an event of an attempt at a step."""
        kind, place = event.event_type_value, (context.run_id, context.step.key)
        if kind in _BEGIN:
            self.begin_in_fork()
            self._open[place] = _Open(self._run_of(context.dagster_run), now_ms())
        here = self._open.get(place)
        if here is None:
            return
        if kind in _END:
            self._begun(context, here).end(fault_of_step(context, event))
            del self._open[place]
        elif kind == "ASSET_MATERIALIZATION" and not here.is_storing:
            self._logged(context, here, event.step_materialization_data.materialization)
        elif kind == "ASSET_OBSERVATION":
            self._observed(context, here, event.asset_observation_data.asset_observation)
        elif kind == "ASSET_CHECK_EVALUATION":
            found = event.asset_check_evaluation_data
            self._begun(context, here).result(found.check_name, found.passed)

    def input_loaded(self, manager: Any, context: Any, value: Any) -> None:
        """Keep what an IO manager loaded, for when the step begins."""
        step_context = context.step_context
        here = self._open.get((step_context.run_id, step_context.step.key))
        if here is not None:
            found = self._readings(step_context, here).loaded(manager, context, value)
            here.inputs[context.name] += found

    def _readings(self, context: Any, here: _Open) -> Readings:
        return Readings(context, here.run, self._memory)

    def step_begins(self, context: Any, values: Mapping[str, Any]) -> None:
        """Begin a step, with all that it reads."""
        here = self._open.get((context.run_id, context.step.key))
        if here is None:
            return
        self._begun(context, here, self._rest(context, here, values))

    @never_raises(None)
    def _rest(self, context: Any, here: _Open, values: Mapping[str, Any]) -> dict[str, Any]:
        """Add what no IO manager loaded to the inputs; return what of it are parameters."""
        readings = self._readings(context, here)
        for name, found in readings.named_only().items():
            here.inputs[name] += found
        given = {name: value for name, value in values.items() if name not in here.inputs}
        params, others = readings.split(given)
        here.inputs.update(others)
        return params

    def _begun(self, context: Any, here: _Open, params: Mapping[str, Any] | None = None) -> Step:
        """Return the step; one whose inputs can't be loaded begins with those that are there."""
        if here.step is None:
            here.step = self._step(context, here, {**(_config(context) or {}), **(params or {})})
            here.step.begin(at=here.started)
        return here.step

    def _step(self, context: Any, here: _Open, params: Mapping[str, Any]) -> Step:
        partition = context.partition_key if context.has_partition_key else None
        told = {"mapping_key": mapping_key(context.step), "partition": partition}
        return here.run.step(
            str(context.step.node_handle),
            id=context.step.key,
            index=index_of(context.step, context.get_known_state()),
            attempt=context.previous_attempt_count + 1,
            inputs={name: found for name, found in here.inputs.items() if found},
            params=params,
            code=_code(context),
            version=_code_version(context),
            properties={name: text for name, text in told.items() if text is not None},
        )

    def output_storing(self, context: Any) -> None:
        """Heed that an output is about to be stored."""
        here = self._open.get((context.run_id, context.step.key))
        if here is not None:
            here.is_storing = True

    def output_stored(self, context: Any, handle: Any, output: Any, events: Sequence[Any]) -> None:
        """Record an output, right after it was stored."""
        here = self._open.get((context.run_id, context.step.key))
        if here is None:
            return
        here.is_storing = False
        things, name = _stored(context, here.run, handle, output, events)
        value = None if _is_no_value(output.value) else output.value
        step = self._begun(context, here)
        found = [made for thing in things for made in artifacts_of(thing, value, here.run.id)]
        for artifact in found:
            step.output(name, artifact)
        if found:
            self._memory.keep(context.run_id, handle, things[0], found)
        for key, number in (numbers_in(value) | _numbers(output.metadata)).items():
            step.metric(f"{name}.{key}" if key else name, number)

    @never_raises(None)
    def _logged(self, context: Any, here: _Open, event: Any) -> None:
        """Record an asset that the code of a step says it made."""
        thing = materialized(here.run.project or here.run.pipeline, event, context.instance)
        step = self._begun(context, here)
        for artifact in artifacts_of(thing, None, here.run.id):
            step.output(thing.name, artifact)
        for key, number in _numbers(event.metadata).items():
            step.metric(f"{thing.name}.{key}", number)

    @never_raises(None)
    def _observed(self, context: Any, here: _Open, event: Any) -> None:
        """Record an asset that the code of a step says it looked at."""
        thing = materialized(here.run.project or here.run.pipeline, event, context.instance)
        self._begun(context, here).input(thing.name, artifacts_of(thing, None, here.run.id))

    def step_crashed(self, context: Any, error: Any, state: Any) -> None:
        """End a step whose process is gone; nothing of it is known but what that recorded."""
        step = self._run_of(context.dagster_run).step(
            str(context.step.node_handle),
            id=context.step.key,
            index=index_of(context.step, state),
            attempt=state.get_retry_state().get_attempt_count(context.step.key) + 1,
        )
        step.end(crash_of(error))


def _stored(
    context: Any, run: Run, handle: Any, output: Any, events: Sequence[Any]
) -> tuple[list[Thing], str]:
    """Return what an output is, and what it is called; several partitions are several things."""
    by_kind = defaultdict(list)
    for event in events:
        by_kind[event.event_type_value].append(event)
    made = [e.step_materialization_data.materialization for e in by_kind["ASSET_MATERIALIZATION"]]
    handled = [e.event_specific_data.metadata for e in by_kind["HANDLED_OUTPUT"]]
    layer = context.job_def.asset_layer
    key = layer.get_asset_key_for_node_output(context.step.node_handle, handle.output_name)
    scope = run.project or run.pipeline
    assets = [materialized(scope, e, context.instance) for e in made if e.asset_key == key]
    if assets:
        return assets, key.to_user_string()
    told = [*handled, *(event.metadata for event in made), output.metadata]
    place = next(filter(None, (place_in(metadata or {}) for metadata in told)), None)
    name = output_name(context.step.key, handle.output_name, handle.mapping_key)
    thing = Thing(run.pipeline, name, **kept(place, (context.run_id,), context.instance))
    return [thing], handle.output_name


@never_raises(None)
def _config(context: Any) -> dict[str, Any]:
    """Return the config of an op as parameters."""
    config = context.op_config
    given: Any = context.dagster_run.run_config or context.job_def.run_config or {}
    for at in context.step.node_handle.path:
        given = (given.get("ops") or given.get("solids") or {}).get(at) or {}
    told = shown(config, given.get("config"))
    if isinstance(told, Mapping):
        return dict(told)
    return {} if told is None else {"config": told}


def _numbers(metadata: Mapping[str, Any] | None) -> dict[str, float]:
    """Return the numbers that users tell of an output."""
    own = {name: getattr(value, "value", None) for name, value in (metadata or {}).items()}
    numbers = {name: numbers_in(value) for name, value in own.items() if "/" not in name}
    return {name: found[""] for name, found in numbers.items() if "" in found}


def _is_no_value(value: Any) -> bool:
    """Whether an output stands for an asset that the code of the step itself keeps."""
    return getattr(value, "__name__", "") == "NoValueSentinel"


@never_raises(None)
def _code_version(context: Any) -> str | None:
    layer = context.job_def.asset_layer
    found = {layer.get(key).code_version for key in context.get_output_asset_keys()}
    told = sorted(filter(None, (*found, getattr(context.op_def, "version", None))))
    return "+".join(dict.fromkeys(told)) or None


@never_raises(None)
def _code(context: Any) -> str | None:
    function = context.op_def.compute_fn
    return code_of(getattr(function, "decorated_fn", function)).digest
