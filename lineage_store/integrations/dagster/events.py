"""Dagster's events of runs and steps, as runs and steps.

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
    error_of_run,
    error_of_step,
    is_interrupted,
)
from lineage_store.integrations.dagster.inputs import OutputIndex, StepInputs
from lineage_store.integrations.dagster.protocols import (
    DagsterRun,
    Error,
    Event,
    InputContext,
    Instance,
    KnownState,
    LogEntry,
    Materialization,
    Output,
    OutputHandle,
    StepContext,
)
from lineage_store.integrations.dagster.runs import index_of, mapping_key, run_options
from lineage_store.integrations.dagster.values import (
    DataRef,
    artifacts_of,
    masked_config,
    materialized,
    output_name,
    place_in,
    place_options,
)
from lineage_store.integrations.hook import Hook
from lineage_store.integrations.tools import Tool
from lineage_store.recording.diagnostics import never_raises
from lineage_store.recording.outcomes import now_ms
from lineage_store.recording.runs import Run
from lineage_store.recording.steps import Step
from lineage_store.recording.values import numbers_in

_MAX_RUNS = 1_000
"""Runs of this process that are remembered."""

_END_STATES = {
    "PIPELINE_SUCCESS": ExecutionState.COMPLETE,
    "PIPELINE_FAILURE": ExecutionState.FAILED,
    "PIPELINE_CANCELED": ExecutionState.CANCELED,
}
_BEGIN = {"STEP_START", "STEP_RESTARTED"}
_END = {"STEP_SUCCESS", "STEP_FAILURE", "STEP_UP_FOR_RETRY"}


@dataclass(slots=True)
class _ActiveStep:
    """An attempt at a step that runs in this process.

    Attributes:
        run: The run that it is of.
        started: The time of its beginning, in ms since the epoch.
        inputs: The artifacts loaded so far, by the names of the inputs.
        is_storing: True while the events are those of an output, which tell nothing new.
        step: Its step, once all inputs are there.
    """

    run: Run
    started: int
    inputs: defaultdict[str, list[Artifact]] = field(default_factory=lambda: defaultdict(list))
    is_storing: bool = False
    step: Step | None = None


class DagsterEvents(Hook):
    """Records Dagster's runs and steps; the events of one step come in one thread."""

    def __init__(self, tool: Tool, url: str) -> None:
        super().__init__(tool, url)
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._active_steps: dict[tuple[str, str], _ActiveStep] = {}
        self._outputs = OutputIndex()
        self._lock = threading.Lock()

    def worker_begins(self) -> None:
        """Let the process that waits for this one send the records."""
        self.delegate_delivery()

    def run_event(self, instance: Instance, entry: LogEntry) -> None:
        """Begin or end a run, or record a step that is skipped."""
        event, dagster_run = entry.dagster_event, instance.get_run_by_id(entry.run_id)
        if dagster_run is None:
            return
        run, kind = self._run_of(dagster_run), event.event_type_value
        at = int(entry.timestamp * 1000)
        if kind == "PIPELINE_START":
            run.begin(at=at)
        elif kind == "STEP_SKIPPED":
            handle = event.step_handle
            skipped = run.step(str(handle.node_handle), id=handle.to_key(), index=0)
            skipped.skip(str(event.message or "an output that it reads is missing"))
            skipped.end(at=at)
        else:
            state = ExecutionState.CANCELED if is_interrupted(event) else _END_STATES[kind]
            self.end_run(run, error_of_run(event), state=state, at=at)
            self._forget(dagster_run.run_id)

    def _run_of(self, dagster_run: DagsterRun) -> Run:
        """Return the run of a `DagsterRun`; it may have begun in another process."""
        with self._lock:
            if dagster_run.run_id not in self._runs:
                self._runs[dagster_run.run_id] = self.run(**run_options(dagster_run))
            if len(self._runs) > _MAX_RUNS:
                self._runs.popitem(last=False)
            return self._runs[dagster_run.run_id]

    def _forget(self, run_id: str) -> None:
        with self._lock:
            self._runs.pop(run_id, None)
        self._outputs.forget(run_id)

    def step_event(self, context: StepContext, event: Event) -> None:
        """Take an event of an attempt at a step."""
        kind, place = event.event_type_value, (context.run_id, context.step.key)
        if kind in _BEGIN:
            self.begin_in_fork()
            self._active_steps[place] = _ActiveStep(self._run_of(context.dagster_run), now_ms())
        active_step = self._active_steps.get(place)
        if active_step is None:
            return
        if kind in _END:
            self._begin_once(context, active_step).end(error_of_step(context, event))
            del self._active_steps[place]
        elif kind == "ASSET_MATERIALIZATION" and not active_step.is_storing:
            self._record_materialization(
                context, active_step, event.step_materialization_data.materialization
            )
        elif kind == "ASSET_OBSERVATION":
            self._record_observation(
                context, active_step, event.asset_observation_data.asset_observation
            )
        elif kind == "ASSET_CHECK_EVALUATION":
            check = event.asset_check_evaluation_data
            self._begin_once(context, active_step).result(check.check_name, check.passed)

    def input_loaded(self, manager: object, context: InputContext, value: object) -> None:
        """Keep the artifacts that an IO manager loaded, for when the step begins."""
        step_context = context.step_context
        active_step = self._active_steps.get((step_context.run_id, step_context.step.key))
        if active_step is not None:
            artifacts = self._step_inputs(step_context, active_step).loaded(manager, context, value)
            active_step.inputs[context.name] += artifacts

    def _step_inputs(self, context: StepContext, active_step: _ActiveStep) -> StepInputs:
        return StepInputs(context, active_step.run, self._outputs)

    def step_begins(self, context: StepContext, values: Mapping[str, object]) -> None:
        """Begin a step, with all of its inputs."""
        active_step = self._active_steps.get((context.run_id, context.step.key))
        if active_step is None:
            return
        self._begin_once(context, active_step, self._add_unloaded(context, active_step, values))

    @never_raises(None)
    def _add_unloaded(
        self, context: StepContext, active_step: _ActiveStep, values: Mapping[str, object]
    ) -> dict[str, object]:
        """Add inputs that no IO manager loaded; return those values that are parameters."""
        step_inputs = self._step_inputs(context, active_step)
        for name, artifacts in step_inputs.named_only().items():
            active_step.inputs[name] += artifacts
        unloaded = {name: value for name, value in values.items() if name not in active_step.inputs}
        params, other_inputs = step_inputs.split(unloaded)
        active_step.inputs.update(other_inputs)
        return params

    def _begin_once(
        self,
        context: StepContext,
        active_step: _ActiveStep,
        params: Mapping[str, object] | None = None,
    ) -> Step:
        """Return the step; one whose inputs can't be loaded begins with those that are there."""
        if active_step.step is None:
            params = {**(_config(context) or {}), **(params or {})}
            active_step.step = self._step(context, active_step, params)
            active_step.step.begin(at=active_step.started)
        return active_step.step

    def _step(
        self, context: StepContext, active_step: _ActiveStep, params: Mapping[str, object]
    ) -> Step:
        partition = context.partition_key if context.has_partition_key else None
        texts = {"mapping_key": mapping_key(context.step), "partition": partition}
        return active_step.run.step(
            str(context.step.node_handle),
            id=context.step.key,
            index=index_of(context.step, context.get_known_state()),
            attempt=context.previous_attempt_count + 1,
            inputs={name: artifacts for name, artifacts in active_step.inputs.items() if artifacts},
            params=params,
            code=_code(context),
            version=_code_version(context),
            properties={name: text for name, text in texts.items() if text is not None},
        )

    def output_storing(self, context: StepContext) -> None:
        """Heed that an output is about to be stored."""
        active_step = self._active_steps.get((context.run_id, context.step.key))
        if active_step is not None:
            active_step.is_storing = True

    def output_stored(
        self, context: StepContext, handle: OutputHandle, output: Output, events: Sequence[Event]
    ) -> None:
        """Record an output, right after it was stored."""
        active_step = self._active_steps.get((context.run_id, context.step.key))
        if active_step is None:
            return
        active_step.is_storing = False
        refs, name = _stored(context, active_step.run, handle, output, events)
        value = None if _is_no_value(output.value) else output.value
        step = self._begin_once(context, active_step)
        run_id = active_step.run.id
        artifacts = [artifact for ref in refs for artifact in artifacts_of(ref, value, run_id)]
        for artifact in artifacts:
            step.output(name, artifact)
        if artifacts:
            self._outputs.keep(context.run_id, handle, refs[0], artifacts)
        for key, number in (numbers_in(value) | _numbers(output.metadata)).items():
            step.metric(f"{name}.{key}" if key else name, number)

    @never_raises(None)
    def _record_materialization(
        self, context: StepContext, active_step: _ActiveStep, event: Materialization
    ) -> None:
        """Record an asset that the code of a step reports as made."""
        run = active_step.run
        ref = materialized(run.project or run.pipeline, event, context.instance)
        step = self._begin_once(context, active_step)
        for artifact in artifacts_of(ref, None, run.id):
            step.output(ref.name, artifact)
        for key, number in _numbers(event.metadata).items():
            step.metric(f"{ref.name}.{key}", number)

    @never_raises(None)
    def _record_observation(
        self, context: StepContext, active_step: _ActiveStep, event: Materialization
    ) -> None:
        """Record an asset that the code of a step reports as observed."""
        run = active_step.run
        ref = materialized(run.project or run.pipeline, event, context.instance)
        self._begin_once(context, active_step).input(ref.name, artifacts_of(ref, None, run.id))

    def step_crashed(self, context: StepContext, error: Error | None, state: KnownState) -> None:
        """End a step whose process is gone; only that process recorded anything of it."""
        step = self._run_of(context.dagster_run).step(
            str(context.step.node_handle),
            id=context.step.key,
            index=index_of(context.step, state),
            attempt=state.get_retry_state().get_attempt_count(context.step.key) + 1,
        )
        step.end(crash_of(error))


def _stored(
    context: StepContext, run: Run, handle: OutputHandle, output: Output, events: Sequence[Event]
) -> tuple[list[DataRef], str]:
    """Return the data of an output, one for each partition, and its name."""
    by_kind = defaultdict(list)
    for event in events:
        by_kind[event.event_type_value].append(event)
    materializations = [
        e.step_materialization_data.materialization for e in by_kind["ASSET_MATERIALIZATION"]
    ]
    handled = [e.event_specific_data.metadata for e in by_kind["HANDLED_OUTPUT"]]
    layer = context.job_def.asset_layer
    key = layer.get_asset_key_for_node_output(context.step.node_handle, handle.output_name)
    scope = run.project or run.pipeline
    assets = [
        materialized(scope, e, context.instance) for e in materializations if e.asset_key == key
    ]
    if assets and key is not None:
        return assets, key.to_user_string()
    metadata_sources = [*handled, *(event.metadata for event in materializations), output.metadata]
    place = next(filter(None, (place_in(metadata or {}) for metadata in metadata_sources)), None)
    name = output_name(context.step.key, handle.output_name, handle.mapping_key)
    ref = DataRef(run.pipeline, name, **place_options(place, (context.run_id,), context.instance))
    return [ref], handle.output_name


@never_raises(None)
def _config(context: StepContext) -> dict[str, object]:
    """Return the config of an op as parameters."""
    config = context.op_config
    user_config: Any = context.dagster_run.run_config or context.job_def.run_config or {}
    for at in context.step.node_handle.path:
        user_config = (user_config.get("ops") or user_config.get("solids") or {}).get(at) or {}
    config_values = masked_config(config, user_config.get("config"))
    if isinstance(config_values, Mapping):
        return dict(config_values)
    return {} if config_values is None else {"config": config_values}


def _numbers(metadata: Mapping[str, object] | None) -> dict[str, float]:
    """Return the numbers in the metadata that users give to an output."""
    own = {name: getattr(value, "value", None) for name, value in (metadata or {}).items()}
    numbers = {name: numbers_in(value) for name, value in own.items() if "/" not in name}
    return {name: values[""] for name, values in numbers.items() if "" in values}


def _is_no_value(value: object) -> bool:
    """Return whether an output stands for an asset that the step's own code stores."""
    return getattr(value, "__name__", "") == "NoValueSentinel"


@never_raises(None)
def _code_version(context: StepContext) -> str | None:
    layer = context.job_def.asset_layer
    asset_versions = {layer.get(key).code_version for key in context.get_output_asset_keys()}
    versions = sorted(filter(None, (*asset_versions, getattr(context.op_def, "version", None))))
    return "+".join(dict.fromkeys(versions)) or None


@never_raises(None)
def _code(context: StepContext) -> str | None:
    function = context.op_def.compute_fn
    return code_of(getattr(function, "decorated_fn", function)).digest
