"""What Dagster's runs and steps are called.

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
from typing import Any

_PARTITION = "dagster/partition"

_CAUSES = {
    _PARTITION: "partition",
    "dagster/schedule_name": "schedule",
    "dagster/sensor_name": "sensor",
    "dagster/backfill": "backfill",
}
"""The tags of Dagster's own that are recorded, and as what."""


def named(run: Any) -> dict[str, Any]:
    """Return what `Hook.run` takes, by what Dagster keeps of a run: the same in any process."""
    project = _location(run)
    around = project or _script()
    pipeline = run.job_name if around is None else f"{around}.{run.job_name}"
    return {
        "name": run.job_name,
        "pipeline": pipeline,
        "run_id": f"{pipeline}@{run.run_id}",
        "project": project,
        "properties": _told(run),
    }


def _told(run: Any) -> dict[str, Any]:
    own = {f"tags.{k}": v for k, v in run.tags.items() if not k.startswith((".", "dagster/"))}
    causes = {name: run.tags[tag] for tag, name in _CAUSES.items() if tag in run.tags}
    found = {**own, **causes}
    if run.parent_run_id:
        found["reexecution_of"] = run.parent_run_id
    if run.asset_selection:
        found["asset_selection"] = sorted(key.to_user_string() for key in run.asset_selection)
    return found


def _location(run: Any) -> str | None:
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
    """Return what the program is called that runs a job of its own."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return str(spec.name).removesuffix(".__main__")
    file = getattr(main, "__file__", None)
    return Path(file).stem if file else None


def index_of(step: Any, state: Any) -> int:
    """Return which of the steps that one is mapped to it is, from 0."""
    mapped = mapping_key(step)
    if mapped is None or state is None:
        return 0
    close = {key for given in step.step_inputs for key in given.dependency_keys}
    known = sorted(state.dynamic_mappings.items(), key=lambda found: found[0] not in close)
    for _, outputs in known:
        for keys in outputs.values():
            if keys is not None and mapped in keys:
                return int(list(keys).index(mapped))
    return 0


def mapping_key(step: Any) -> str | None:
    """Return the key of a mapped step; None: it is none."""
    return getattr(step.handle, "mapping_key", None)
