"""Inputs of Dagster's steps: values that IO managers loaded, and assets that are only named."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from lineage_store.entities import Artifact
from lineage_store.integrations.artifacts import file_artifact, value_artifact
from lineage_store.integrations.dagster.protocols import (
    AssetKey,
    InputContext,
    Instance,
    Materialization,
    OutputHandle,
    StepContext,
    UpstreamOutput,
)
from lineage_store.integrations.dagster.values import (
    DataRef,
    artifacts_of,
    asset_name,
    materialized,
    output_name,
    paths_in,
    place_in,
    place_options,
    upath_places,
)
from lineage_store.recording.runs import Run

_MAX_OUTPUTS = 10_000
"""Outputs of this process that are remembered."""

_PARTITIONS = 100
"""Partitions of an asset that are looked up for one input."""

_PARAMETERS = (str, int, float, bool, list, dict, tuple, type(None))


class OutputIndex:
    """The outputs of this process's steps, for steps that read them."""

    def __init__(self) -> None:
        self._outputs: OrderedDict[tuple[str, ...], tuple[DataRef, list[Artifact]]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(
        self, run_id: str, handle: OutputHandle, ref: DataRef, artifacts: list[Artifact]
    ) -> None:
        """Remember an output, and the asset that it is."""
        with self._lock:
            self._outputs[_place(run_id, handle)] = ref, artifacts
            if ref.asset is not None:
                self._outputs[run_id, "", ref.name] = ref, artifacts
            while len(self._outputs) > _MAX_OUTPUTS:
                self._outputs.popitem(last=False)

    def output(self, run_id: str, handle: OutputHandle) -> tuple[DataRef, list[Artifact]] | None:
        """Return the data and the artifacts of an output of a step of a run."""
        return self._outputs.get(_place(run_id, handle))

    def asset(self, run_id: str, name: str) -> tuple[DataRef, list[Artifact]] | None:
        """Return the data and the artifacts of an asset, or a partition of one, that a run made."""
        return self._outputs.get((run_id, "", name))

    def forget(self, run_id: str) -> None:
        """Forget a run that has ended."""
        with self._lock:
            for place in [place for place in self._outputs if place[0] == run_id]:
                del self._outputs[place]


def _place(run_id: str, handle: OutputHandle) -> tuple[str, ...]:
    return run_id, handle.step_key, handle.output_name, handle.mapping_key or ""


class StepInputs:
    """Makes artifacts of the inputs of one step.

    Args:
        context: Of the step.
        run: Of the step.
        index: The outputs of this process's steps.
    """

    def __init__(self, context: StepContext, run: Run, index: OutputIndex) -> None:
        self._context = context
        self._run = run
        self._index = index
        self._scope = run.project or run.pipeline

    def loaded(self, manager: object, context: InputContext, value: object) -> list[Artifact]:
        """Return the artifacts of an input that an IO manager loaded.

        Args:
            manager: The IO manager.
            context: The context in which it loaded the input.
            value: The loaded value.
        """
        if context.has_asset_key:
            refs = self._asset(manager, context, value)
        elif context.upstream_output is not None:
            refs = [self._output(manager, context, context.upstream_output, value)]
        else:
            name = f"{self._context.step.key}.{context.name}"
            place = place_in(context.definition_metadata or {})
            places = [place] if place else upath_places(manager, context)
            refs = [DataRef(self._run.pipeline, name, places=places)]
        return [artifact for ref in refs for artifact in artifacts_of(ref, value, self._run.id)]

    def _asset(self, manager: object, context: InputContext, value: object) -> list[DataRef]:
        key = context.asset_key.to_user_string()
        partitions = list(context.asset_partition_keys) if context.has_asset_partitions else []
        places = upath_places(manager, context) if value is not None else []
        if not places or any("://" in place for place in places):
            last_refs = self._last_refs(context.asset_key, partitions)
            if len(last_refs) == 1 or (last_refs and all(ref.places for ref in last_refs)):
                return last_refs
        partition = partitions[0] if len(partitions) == 1 else None
        all_options = [place_options(place, (), self._context.instance) for place in places]
        local = [place for options in all_options for place in options.get("places", ())]
        pickle = all_options[0].get("pickle") if len(all_options) == 1 else None
        return [DataRef(self._scope, asset_name(key, partition), local, pickle, key, partition)]

    def _output(
        self, manager: object, context: InputContext, source: UpstreamOutput, value: object
    ) -> DataRef:
        name = output_name(source.step_key, source.name, source.mapping_key)
        places = upath_places(manager, context) if value is not None else []
        if not places:
            places = [place for place in [self._handled_place(source)] if place]
        run_ids = (source.run_id, self._context.run_id)
        place = places[0] if places else None
        return DataRef(
            self._run.pipeline, name, **place_options(place, run_ids, self._context.instance)
        )

    def _handled_place(self, source: UpstreamOutput) -> str | None:
        """Return the path or uri at which an IO manager says it stored an output."""
        from dagster._core.events import DagsterEventType  # noqa: PLC0415 - where Dagster runs
        from dagster._core.execution.plan.outputs import StepOutputHandle  # noqa: PLC0415

        handle = StepOutputHandle(source.step_key, source.name, source.mapping_key)
        output = self._index.output(source.run_id, handle)
        if output is not None:
            return next(iter(output[0].places), None)
        if source.mapping_key is not None:  # the events do not say which of them it is
            return None
        entries = self._context.instance.all_logs(
            source.run_id, of_type=DagsterEventType.HANDLED_OUTPUT
        )
        for entry in entries:
            handled = entry.dagster_event.event_specific_data
            if (entry.step_key, handled.output_name) == (source.step_key, source.name):
                return place_in(handled.metadata)
        return None

    def _last_refs(self, key: AssetKey, partitions: Sequence[str]) -> list[DataRef]:
        """Return an asset, or some partitions of it, by the events of its last materialization."""
        name, instance = key.to_user_string(), self._context.instance
        partition_keys: list[str | None] = [*partitions] or [None]
        entries = [
            self._index.asset(self._context.run_id, asset_name(name, one)) for one in partition_keys
        ]
        indexed_refs = [ref for ref, _ in filter(None, entries)]
        if len(indexed_refs) == len(entries):
            return indexed_refs
        events = _materializations(instance, key, partitions)
        if events:
            return [materialized(self._scope, event, instance) for event in events]
        layer = self._context.job_def.asset_layer
        metadata = layer.get(key).metadata if layer.has(key) else {}
        return [
            DataRef(
                self._scope, name, asset=name, **place_options(place_in(metadata), (), instance)
            )
        ]

    def named_only(self) -> dict[str, list[Artifact]]:
        """Return the assets that the step depends on and that nothing loads for it."""
        layer, step = self._context.job_def.asset_layer, self._context.step
        artifacts: dict[str, list[Artifact]] = {}
        for step_input in step.step_inputs:
            if not self._context.op_def.input_def_named(step_input.name).dagster_type.is_nothing:
                continue
            key = layer.get_asset_key_for_node_input(step.node_handle, step_input.name)
            if key is not None:
                artifacts[step_input.name] = self._named(key, self._partitions(step_input.name))
        return artifacts

    def _partitions(self, name: str) -> list[str]:
        """Return the partitions of an asset that an input of the step stands for."""
        if not self._context.has_asset_partitions_for_input(name):
            return []
        subset = self._context.asset_partitions_subset_for_input(
            name, require_valid_partitions=False
        )
        return sorted(subset.get_partition_keys())[:_PARTITIONS]

    def _named(self, key: AssetKey, partitions: Sequence[str]) -> list[Artifact]:
        artifacts: list[Artifact] = []
        for ref in self._last_refs(key, partitions):
            output = self._index.asset(self._context.run_id, ref.name)
            if output is not None and not ref.places:
                artifacts += output[1]
            else:
                artifacts += artifacts_of(ref, None, self._run.id)
        return artifacts

    def split(
        self, values: Mapping[str, object]
    ) -> tuple[dict[str, object], dict[str, list[Artifact]]]:
        """Split values into parameters, and artifacts of the others.

        Args:
            values: Values that are no outputs of steps, by the names of the inputs.
        """
        params: dict[str, object] = {}
        inputs: dict[str, list[Artifact]] = {}
        for name, value in values.items():
            paths = list(paths_in(value)) if value else []
            if paths:
                inputs[name] = [file_artifact(path, self._run.id) for path in paths]
            elif isinstance(value, _PARAMETERS):
                params[name] = value
            else:
                place = f"{self._context.step.key}.{name}"
                artifact = value_artifact(self._run.pipeline, place, value, self._run.id)
                inputs[name] = [artifact]
        return params, inputs


def _materializations(
    instance: Instance, key: AssetKey, partitions: Sequence[str]
) -> list[Materialization]:
    """Return the last materialization of an asset, or that of each of some partitions."""
    from dagster import AssetRecordsFilter  # noqa: PLC0415 - where Dagster runs

    if not partitions:
        entry = instance.get_latest_materialization_event(key)
        return [] if entry is None else [entry.asset_materialization]
    record_filter = AssetRecordsFilter(asset_key=key, asset_partitions=list(partitions))
    records = instance.fetch_materializations(record_filter, limit=10 * len(partitions)).records
    newest: dict[str | None, Materialization] = {}
    for record in records:  # the newest first
        newest.setdefault(record.partition_key, record.asset_materialization)
    return list(newest.values())
