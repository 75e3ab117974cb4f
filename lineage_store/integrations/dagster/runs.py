"""Names of Dagster's runs and steps.

| Dagster | recorded |
| --- | --- |
| a code location, without `.py` | project |
| a job of it | pipeline `LOCATION.JOB` |
| a job that a script runs itself | pipeline `SCRIPT.JOB`, of no project |
| a run | `PIPELINE@ID` |
| a mapped step | the step, with `log.index` by the order of the mapping keys |
"""

import sys
from pathlib import Path

from lineage_store.integrations.dagster.protocols import DagsterRun, ExecutionStep, KnownState
from lineage_store.integrations.options import RunOptions

_PARTITION = "dagster/partition"

_CAUSES = {
    _PARTITION: "partition",
    "dagster/schedule_name": "schedule",
    "dagster/sensor_name": "sensor",
    "dagster/backfill": "backfill",
}
"""The tags of Dagster's own that are recorded, and the names of their properties."""


def run_options(run: DagsterRun) -> RunOptions:
    """Return the arguments of `Hook.run` for a `DagsterRun`: the same in any process."""
    project = _location(run)
    location = project or _script()
    pipeline = run.job_name if location is None else f"{location}.{run.job_name}"
    return {
        "name": run.job_name,
        "pipeline": pipeline,
        "run_id": f"{pipeline}@{run.run_id}",
        "project": project,
        "properties": _run_properties(run),
    }


def _run_properties(run: DagsterRun) -> dict[str, object]:
    tags = {f"tags.{k}": v for k, v in run.tags.items() if not k.startswith((".", "dagster/"))}
    causes = {name: run.tags[tag] for tag, name in _CAUSES.items() if tag in run.tags}
    properties: dict[str, object] = {**tags, **causes}
    if run.parent_run_id:
        properties["reexecution_of"] = run.parent_run_id
    if run.asset_selection:
        properties["asset_selection"] = sorted(key.to_user_string() for key in run.asset_selection)
    return properties


def _location(run: DagsterRun) -> str | None:
    """Return the code location that a run is of; None: its job is known to one process only."""
    remote = getattr(run, "remote_job_origin", None)
    if remote is not None:
        return _bare(str(remote.location_name))
    if run.job_code_origin is None:
        return None
    pointer = run.job_code_origin.repository_origin.code_pointer
    pointer = getattr(pointer, "reconstructor_pointer", pointer)
    file = getattr(pointer, "python_file", None)
    return _bare(Path(file).name) if file else getattr(pointer, "module", None)


def _bare(location: str) -> str:
    """Return the name of a location as it is from the command line: no suffix, no attribute."""
    if location.startswith("grpc:"):
        return location
    return location.partition(":")[0].removesuffix(".py")


def _script() -> str | None:
    """Return the name of the program that runs a job of its own."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return str(spec.name).removesuffix(".__main__")
    file = getattr(main, "__file__", None)
    return Path(file).stem if file else None


def index_of(step: ExecutionStep, state: KnownState | None) -> int:
    """Return the number of a step among those that one step is mapped to, from 0."""
    mapped = mapping_key(step)
    if mapped is None or state is None:
        return 0
    direct_keys = {key for step_input in step.step_inputs for key in step_input.dependency_keys}
    mappings = sorted(state.dynamic_mappings.items(), key=lambda item: item[0] not in direct_keys)
    for _, outputs in mappings:
        for keys in outputs.values():
            if keys is not None and mapped in keys:
                return int(list(keys).index(mapped))
    return 0


def mapping_key(step: ExecutionStep) -> str | None:
    """Return the key of a mapped step; None: it is none."""
    return getattr(step.handle, "mapping_key", None)
