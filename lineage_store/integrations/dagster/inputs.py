"""What a step of Dagster reads: what its IO managers loaded, and what is only named."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from lineage_store.entities import Artifact
from lineage_store.integrations.artifacts import file_artifact, value_artifact
from lineage_store.integrations.dagster.values import (
    Thing,
    artifacts_of,
    asset_name,
    kept,
    materialized,
    output_name,
    paths_in,
    place_in,
    upath_places,
)
from lineage_store.recording.runs import Run

_KEPT = 10_000
"""How many outputs of this process are remembered."""

_PARTITIONS = 100
"""How many partitions of an asset are looked up for one input."""

_PARAMETERS = (str, int, float, bool, list, dict, tuple, type(None))


class Memory:
    """What the steps of this process put out, for those that read it."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, ...], tuple[Thing, list[Artifact]]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, run_id: str, handle: Any, thing: Thing, artifacts: list[Artifact]) -> None:
        """Remember an output, and the asset that it is."""
        with self._lock:
            self._known[_place(run_id, handle)] = thing, artifacts
            if thing.asset is not None:
                self._known[run_id, "", thing.name] = thing, artifacts
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)

    def output(self, run_id: str, handle: Any) -> tuple[Thing, list[Artifact]] | None:
        """Return what an output of a step of a run is."""
        return self._known.get(_place(run_id, handle))

    def asset(self, run_id: str, name: str) -> tuple[Thing, list[Artifact]] | None:
        """Return what an asset, or a partition of it, is that a run made."""
        return self._known.get((run_id, "", name))

    def forget(self, run_id: str) -> None:
        """Forget a run that has ended."""
        with self._lock:
            for place in [place for place in self._known if place[0] == run_id]:
                del self._known[place]


def _place(run_id: str, handle: Any) -> tuple[str, ...]:
    return run_id, handle.step_key, handle.output_name, handle.mapping_key or ""


class Readings:
    """Makes artifacts of what one step reads.

    Args:
        context: Of the step.
        run: What it is of.
        memory: What steps of this process put out.
    """

    def __init__(self, context: Any, run: Run, memory: Memory) -> None:
        self._context = context
        self._run = run
        self._memory = memory
        self._scope = run.project or run.pipeline

    def loaded(self, manager: Any, context: Any, value: Any) -> list[Artifact]:
        """Return what an input is that an IO manager loaded.

        Args:
            manager: That loaded it.
            context: That it was loaded with.
            value: What it loaded.
        """
        if context.has_asset_key:
            things = self._asset(manager, context, value)
        elif context.upstream_output is not None:
            things = [self._output(manager, context, value)]
        else:
            name = f"{self._context.step.key}.{context.name}"
            place = place_in(context.definition_metadata or {})
            places = [place] if place else upath_places(manager, context)
            things = [Thing(self._run.pipeline, name, places=places)]
        return [made for thing in things for made in artifacts_of(thing, value, self._run.id)]

    def _asset(self, manager: Any, context: Any, value: Any) -> list[Thing]:
        key = context.asset_key.to_user_string()
        partitions = list(context.asset_partition_keys) if context.has_asset_partitions else []
        places = upath_places(manager, context) if value is not None else []
        if not places or any("://" in place for place in places):
            told = self._told(context.asset_key, partitions)
            if len(told) == 1 or (told and all(thing.places for thing in told)):
                return told
        partition = partitions[0] if len(partitions) == 1 else None
        fitted = [kept(place, (), self._context.instance) for place in places]
        local = [place for found in fitted for place in found.get("places", ())]
        pickle = fitted[0].get("pickle") if len(fitted) == 1 else None
        return [Thing(self._scope, asset_name(key, partition), local, pickle, key, partition)]

    def _output(self, manager: Any, context: Any, value: Any) -> Thing:
        source = context.upstream_output
        name = output_name(source.step_key, source.name, source.mapping_key)
        places = upath_places(manager, context) if value is not None else []
        if not places:
            places = [place for place in [self._handled(source)] if place]
        run_ids = (source.run_id, self._context.run_id)
        place = places[0] if places else None
        return Thing(self._run.pipeline, name, **kept(place, run_ids, self._context.instance))

    def _handled(self, source: Any) -> str | None:
        """Return where an IO manager, by its own word, put an output that a step now reads."""
        from dagster._core.events import DagsterEventType  # noqa: PLC0415 - where Dagster runs
        from dagster._core.execution.plan.outputs import StepOutputHandle  # noqa: PLC0415

        handle = StepOutputHandle(source.step_key, source.name, source.mapping_key)
        known = self._memory.output(source.run_id, handle)
        if known is not None:
            return next(iter(known[0].places), None)
        if source.mapping_key is not None:  # the events do not say which of them it is
            return None
        entries = self._context.instance.all_logs(
            source.run_id, of_type=DagsterEventType.HANDLED_OUTPUT
        )
        for entry in entries:
            told = entry.dagster_event.event_specific_data
            if (entry.step_key, told.output_name) == (source.step_key, source.name):
                return place_in(told.metadata)
        return None

    def _told(self, key: Any, partitions: Sequence[str]) -> list[Thing]:
        """Return an asset, or some partitions of it, by what was told when it was made last."""
        name, instance = key.to_user_string(), self._context.instance
        wanted: list[str | None] = [*partitions] or [None]
        own = [self._memory.asset(self._context.run_id, asset_name(name, one)) for one in wanted]
        known = [thing for thing, _ in filter(None, own)]
        if len(known) == len(own):
            return known
        events = _materializations(instance, key, partitions)
        if events:
            return [materialized(self._scope, event, instance) for event in events]
        layer = self._context.job_def.asset_layer
        metadata = layer.get(key).metadata if layer.has(key) else {}
        return [Thing(self._scope, name, asset=name, **kept(place_in(metadata), (), instance))]

    def named_only(self) -> dict[str, list[Artifact]]:
        """Return the assets that the step depends on and that nothing loads for it."""
        layer, step = self._context.job_def.asset_layer, self._context.step
        found: dict[str, list[Artifact]] = {}
        for given in step.step_inputs:
            if not self._context.op_def.input_def_named(given.name).dagster_type.is_nothing:
                continue
            key = layer.get_asset_key_for_node_input(step.node_handle, given.name)
            if key is not None:
                found[given.name] = self._named(key, self._partitions(given.name))
        return found

    def _partitions(self, name: str) -> list[str]:
        """Return the partitions of an asset that an input of the step stands for."""
        if not self._context.has_asset_partitions_for_input(name):
            return []
        subset = self._context.asset_partitions_subset_for_input(
            name, require_valid_partitions=False
        )
        return sorted(subset.get_partition_keys())[:_PARTITIONS]

    def _named(self, key: Any, partitions: Sequence[str]) -> list[Artifact]:
        found: list[Artifact] = []
        for thing in self._told(key, partitions):
            known = self._memory.asset(self._context.run_id, thing.name)
            if known is not None and not thing.places:
                found += known[1]
            else:
                found += artifacts_of(thing, None, self._run.id)
        return found

    def split(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, list[Artifact]]]:
        """Return which values are parameters, and artifacts of the others.

        Args:
            given: What is no output of a step, by the names of the inputs.
        """
        params: dict[str, Any] = {}
        others: dict[str, list[Artifact]] = {}
        for name, value in given.items():
            paths = list(paths_in(value)) if value else []
            if paths:
                others[name] = [file_artifact(path, self._run.id) for path in paths]
            elif isinstance(value, _PARAMETERS):
                params[name] = value
            else:
                place = f"{self._context.step.key}.{name}"
                made = value_artifact(self._run.pipeline, place, value, self._run.id)
                others[name] = [made]
        return params, others


def _materializations(instance: Any, key: Any, partitions: Sequence[str]) -> list[Any]:
    """Return the last materialization of an asset, or that of each of some partitions."""
    from dagster import AssetRecordsFilter  # noqa: PLC0415 - where Dagster runs

    if not partitions:
        entry = instance.get_latest_materialization_event(key)
        return [] if entry is None else [entry.asset_materialization]
    wanted = AssetRecordsFilter(asset_key=key, asset_partitions=list(partitions))
    found = instance.fetch_materializations(wanted, limit=10 * len(partitions)).records
    newest: dict[str | None, Any] = {}
    for record in found:  # the newest first
        newest.setdefault(record.partition_key, record.asset_materialization)
    return list(newest.values())
