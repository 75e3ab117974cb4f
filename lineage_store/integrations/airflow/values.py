"""Inputs and outputs of Airflow's tasks: XComs, parameters, assets, and those of its hooks.

| Airflow | recorded |
| --- | --- |
| an XCom that an argument of the task refers to, or that its code pulls | input `value:DAG/TASK`, by the fingerprint of its value; `value:DAG/TASK.KEY` if it has a key of its own |
| values that the task returns, or pushes | output of the same name |
| any other argument, or template field | parameter, with Airflow's secrets masked |
| an asset in `inlets` or `outlets`, one that an alias led to | artifact, see `AssetUse` |
| assets that a hook, or an `ObjectStoragePath`, read or wrote | the same |
"""  # noqa: E501 - a row of a table

import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TypeGuard
from urllib.parse import unquote, urlsplit

from lineage_store.entities import Artifact
from lineage_store.integrations.airflow.protocols import (
    Asset,
    CollectedAsset,
    InletEvents,
    Task,
    TaskInstance,
)
from lineage_store.integrations.artifacts import uri_artifact, value_artifact

RETURNED = "return_value"
"""The key of the XCom that a task returns."""

_MAX_VALUES = 1_000
"""Values of mapped tasks that are recorded as inputs of a step that reads all of them."""


XcomInput = tuple[str, str, str, object]
"""The name of an input that is an XCom, the task that pushed it, its key and its value."""


def xcom_artifact(dag: str, task: str, key: str, value: object, run: str) -> Artifact:
    """Return the artifact of an XCom; all tasks that one is mapped to count as one.

    Airflow does not tell a reader which of them a value comes from; equal values are one artifact.
    """
    name = task if key == RETURNED else f"{task}.{key}"
    return value_artifact(dag, name, value, run, properties={"xcom_key": key})


def arguments_of(task: Task) -> dict[str, object]:
    """Return the arguments of a task by name: those of its function, or its fields."""
    function = getattr(task, "python_callable", None)
    if function is None:
        return {name: getattr(task, name, None) for name in task.template_fields}
    values = list(getattr(task, "op_args", ()) or ())
    arguments = dict(zip(_names_of(function, len(values)), values, strict=True))
    return {**arguments, **(getattr(task, "op_kwargs", None) or {})}


def _names_of(function: Callable[..., object], count: int) -> list[str]:
    """Return the names of the first arguments of a function."""
    names: list[str] = []
    with suppress(TypeError, ValueError):  # it has no signature
        names = list(inspect.signature(function).parameters)
    return [names[at] if at < len(names) else f"args.{at}" for at in range(count)]


def split_arguments(
    ti: TaskInstance,
) -> tuple[dict[str, object], list[XcomInput]]:
    """Return parameters, and the inputs that are XComs.

    The task in the DAG file says which of its arguments are XComs; their values are in the
    task as it runs, or has to be asked for if it was taken apart or put together on the way.
    """
    from airflow.sdk.definitions.xcom_arg import PlainXComArg, XComArg  # noqa: PLC0415

    source_task = ti.task.dag.get_task(ti.task.task_id)
    source = _source_arguments(source_task)
    params, xcoms, xcom_keys = {}, [], set()
    for name, value in arguments_of(ti.task).items():
        origin = source.get(name)
        references = list(XComArg.iter_xcom_references(origin))
        if not references:
            params[name] = value
        if isinstance(origin, PlainXComArg) and not is_lazy(value):
            [(operator, key)] = references
            xcom_keys.add((operator.task_id, key))
            xcoms.append((name, operator.task_id, key, value))
    for operator, key in _references(source_task, source):
        if (operator.task_id, key) not in xcom_keys:
            xcom_keys.add((operator.task_id, key))
            xcoms.extend(_pulled(ti, operator.task_id, key))
    return params, xcoms


def _source_arguments(task: Task) -> dict[str, object]:
    """Return the arguments of a task as they were written; without those that it is mapped over."""
    partial = getattr(task, "partial_kwargs", None)
    if partial is None:
        return arguments_of(task)
    return {**partial, **(partial.get("op_kwargs") or {})}


def _references(task: Task, source: Mapping[str, object]) -> Iterator[tuple[Task, str]]:
    """Yield the XComs that a task is given, as the task that makes them, and key."""
    from airflow.sdk.definitions.xcom_arg import XComArg  # noqa: PLC0415

    yield from XComArg.iter_xcom_references(dict(source))
    if hasattr(task, "_get_specified_expand_input"):
        yield from task._get_specified_expand_input().iter_references()  # noqa: SLF001


def _pulled(ti: TaskInstance, task: str, key: str) -> list[XcomInput]:
    """Return an XCom, or those of all tasks that one is mapped to."""
    is_mapped = getattr(ti.task.dag.get_task(task), "is_mapped", False)
    if not is_mapped:
        value = ti.xcom_pull(task_ids=task, key=key, map_indexes=-1)
        return [] if value is None else [(task, task, key, value)]
    values = ti.xcom_pull(task_ids=[task], key=key)
    return [(task, task, key, value) for value in list(values)[:_MAX_VALUES]]


def is_lazy(value: object) -> TypeGuard[Iterable[object]]:
    """Return whether a value is all that the tasks made that one is mapped to."""
    return type(value).__name__ == "LazyXComSequence"


def masked(params: Mapping[str, object]) -> dict[str, object]:
    """Return parameters as Airflow shows them, with secrets replaced."""
    from airflow.sdk.log import redact  # noqa: PLC0415

    return {name: redact(value, name) for name, value in params.items() if value is not None}


class AssetUse:
    """Makes artifacts of the assets that one task uses.

    A local file is known by its content. An asset elsewhere is known by the task that wrote it: the
    last event of an asset tells the one that reads it, so that one run leads to another.

    Args:
        run: The id of the run.
        maker: The id of the task: DAG, run, task and index of mapping.
    """

    def __init__(self, run: str, maker: str) -> None:
        self._run = run
        self._maker = maker

    def inlets(self, ti: TaskInstance) -> Iterator[tuple[str, Artifact]]:
        """Yield the inlets of a task, by name."""
        for asset in ti.task.inlets or ():
            uri = getattr(asset, "uri", None)
            if uri:
                maker = None if _is_local(uri) else _last_maker(ti, asset)
                why = "no event of this asset says who wrote it"
                yield asset.name, uri_artifact(uri, self._run, version=maker, why=why)

    def outlets(self, ti: TaskInstance) -> Iterator[tuple[str, Artifact]]:
        """Yield the outlets of a task, and the assets that its aliases led to, by name."""
        events = ti.get_template_context()["outlet_events"]
        for asset in ti.task.outlets or ():
            event = events[asset] if hasattr(asset, "name") else None
            uri = getattr(asset, "uri", None)
            if uri:
                yield asset.name, self._output(uri, getattr(event, "extra", None) or {})
            for more in getattr(event, "asset_alias_events", ()):
                key = more.dest_asset_key
                yield key.name, self._output(key.uri, more.extra or {})

    def _output(self, uri: str, extra: Mapping[str, object]) -> Artifact:
        properties = {f"extra.{name}": value for name, value in extra.items()}
        version = None if _is_local(uri) else self._maker
        return uri_artifact(uri, self._run, version=version, properties=properties)

    def collected(
        self, before: "CollectedAssets", after: "CollectedAssets"
    ) -> Iterator[tuple[bool, str, Artifact]]:
        """Yield the assets that hooks read or wrote meanwhile: is it an output, name, artifact."""
        outputs = {uri for uri, _ in after.outputs - before.outputs}
        for uri, name in after.inputs - before.inputs:
            if uri in outputs and _is_local(uri):
                # the file has been written since, so its content at the time of reading is gone
                path, old_version = unquote(urlsplit(uri).path), f"before {self._maker}"
                yield False, name, uri_artifact(path, self._run, version=old_version)
            else:
                yield False, name, uri_artifact(uri, self._run)
        for uri, name in after.outputs - before.outputs:
            yield True, name, self._output(uri, {})


def _is_local(uri: str) -> bool:
    return uri.startswith(("file:", "/"))


def last_maker(uri: str) -> str | None:
    """Return the `maker_of` the task that last wrote the asset at a uri."""
    from airflow.sdk.execution_time.context import InletEventsAccessor  # noqa: PLC0415

    return _maker_in(InletEventsAccessor(asset_uri=uri))


def _last_maker(ti: TaskInstance, asset: Asset) -> str | None:
    return _maker_in(ti.get_template_context()["inlet_events"][asset])


def _maker_in(events: InletEvents) -> str | None:
    for event in events.ascending(ascending=False).limit(1):
        if event.source_task_id is not None:
            place = event.source_dag_id, event.source_run_id, event.source_task_id
            return maker_of(*place, event.source_map_index)
    return None


def maker_of(dag: str, run: str, task: str, index: int | None) -> str:
    """Return the id of a task that writes an asset, for all tasks that read it."""
    return f"{dag}/{run}/{task}/{max(0, index or 0)}"


class CollectedAssets:
    """The assets that hooks have read and written in this process so far, and how often."""

    def __init__(self) -> None:
        from airflow.sdk.lineage import get_hook_lineage_collector  # noqa: PLC0415

        assets = get_hook_lineage_collector().collected_assets
        self.inputs = _counted(assets.inputs)
        self.outputs = _counted(assets.outputs)


def _counted(several: Iterable[CollectedAsset]) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for info in several:
        counts[info.asset.uri, info.asset.name] += info.count
    return counts
