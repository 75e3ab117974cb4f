"""What Prefect tasks are given and return, as artifacts and parameters.

| Prefect | recorded |
| --- | --- |
| an argument that comes from another task | input, the artifact that the other put out |
| an argument that is a `pathlib.Path` | input, by the content of the file or directory |
| any other argument | parameter |
| a result, or part of a list, that is a `pathlib.Path` | output, by the content of the file |
| any other result | output `value:FLOW/TASK`, by the fingerprint of its value |
| an asset of `@materialize` | output, by the id of the task run that made it |
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lineage_store.entities import Artifact
from lineage_store.integrations.artifacts import file_artifact, uri_artifact, value_artifact

_KEPT = 10_000
"""How many task runs of this process are remembered with what they put out."""

RESULT = "result"
"""What the outcome of a task is called."""


class Results:
    """What the task runs of this process put out, for those that read it."""

    def __init__(self) -> None:
        self._known: OrderedDict[Any, list[Artifact]] = OrderedDict()

    def keep(self, task_run: Any, artifacts: list[Artifact]) -> None:
        """Remember what a task run, by its id, put out."""
        self._known[task_run] = artifacts
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)

    def of(self, sources: Any) -> list[Artifact]:
        """Return what the task runs of `task_inputs` put out, as far as it is known here.

        They are sorted: Prefect tells them in no order.
        """
        ids = [getattr(source, "id", None) for source in sources or ()]
        found = [artifact for known in ids for artifact in self._known.get(known, ())]
        return sorted(found, key=lambda artifact: artifact.external_id or "")


def split_arguments(
    engine: Any, flow: str, run: str, results: Results
) -> tuple[dict[str, Any], dict[str, list[Artifact]]]:
    """Return the parameters of a task run, and what it reads by the name of the argument.

    Args:
        engine: Of the task run.
        flow: The name of the pipeline.
        run: The id of the run.
        results: What was put out in this process.
    """
    params: dict[str, Any] = {}
    inputs: dict[str, list[Artifact]] = {}
    for name, value in (engine.parameters or {}).items():
        sources = [
            source
            for source in engine.task_run.task_inputs.get(name, ())
            if source.input_type in {"task_run", "flow_run"}
        ]
        paths = list(_paths(value))
        if paths:
            inputs[name] = [file_artifact(path, run) for path in paths]
        elif sources:
            lost = value_artifact(flow, f"{engine.task.name}.{name}", value, run)
            inputs[name] = results.of(sources) or [lost]
        else:
            params[name] = value
    return params, inputs


def _paths(value: Any) -> Iterator[Path]:
    """Yield the path that a value is, or those that a list or mapping is made of."""
    several = list(value.values()) if isinstance(value, Mapping) else value
    if isinstance(value, Path):
        yield value
    elif isinstance(several, list | tuple) and all(isinstance(one, Path) for one in several):
        yield from several


def put_out(engine: Any, flow: str, run: str, value: Any) -> list[tuple[str, Artifact]]:
    """Return what a task run put out, by name."""
    found = [
        (asset.key, uri_artifact(asset.key, run, version=str(engine.task_run.id)))
        for asset in getattr(engine.task, "assets", None) or ()
    ]
    paths = list(_paths(value))
    found += [(RESULT, file_artifact(path, run)) for path in paths]
    if value is not None and not paths:
        found.append((RESULT, value_artifact(flow, engine.task.name, value, run)))
    return found
