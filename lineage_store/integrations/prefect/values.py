"""Arguments and results of Prefect's tasks, as artifacts and parameters.

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
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lineage_store.entities import Artifact
from lineage_store.integrations.artifacts import file_artifact, uri_artifact, value_artifact
from lineage_store.integrations.prefect.protocols import TaskEngine

_KEPT = 10_000
"""Task runs of this process whose outputs are remembered."""

RESULT = "result"
"""The name of the output of a task."""


class Results:
    """The outputs of this process's task runs, for those that read them."""

    def __init__(self) -> None:
        self._artifacts: OrderedDict[object, list[Artifact]] = OrderedDict()

    def keep(self, task_run: object, artifacts: list[Artifact]) -> None:
        """Remember the outputs of a task run, by its id."""
        self._artifacts[task_run] = artifacts
        while len(self._artifacts) > _KEPT:
            self._artifacts.popitem(last=False)

    def of(self, sources: Iterable[object] | None) -> list[Artifact]:
        """Return the outputs of the task runs of `task_inputs`, as far as this process has them.

        They are sorted: Prefect tells them in no order.
        """
        ids = [getattr(source, "id", None) for source in sources or ()]
        artifacts = [artifact for run_id in ids for artifact in self._artifacts.get(run_id, ())]
        return sorted(artifacts, key=lambda artifact: artifact.external_id or "")


def split_arguments(
    engine: TaskEngine, flow: str, run: str, results: Results
) -> tuple[dict[str, object], dict[str, list[Artifact]]]:
    """Return the parameters of a task run, and its inputs by the name of the argument.

    Args:
        engine: Of the task run.
        flow: The name of the pipeline.
        run: The id of the run.
        results: The outputs of this process's task runs.
    """
    params: dict[str, object] = {}
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
            substitute = value_artifact(flow, f"{engine.task.name}.{name}", value, run)
            inputs[name] = results.of(sources) or [substitute]
        else:
            params[name] = value
    return params, inputs


def _paths(value: object) -> Iterator[Path]:
    """Yield the path that a value is, or those that a list or mapping is made of."""
    several = list(value.values()) if isinstance(value, Mapping) else value
    if isinstance(value, Path):
        yield value
    elif isinstance(several, list | tuple) and all(isinstance(one, Path) for one in several):
        yield from several


def put_out(engine: TaskEngine, flow: str, run: str, value: object) -> list[tuple[str, Artifact]]:
    """Return the outputs of a task run, by name."""
    outputs = [
        (asset.key, uri_artifact(asset.key, run, version=str(engine.task_run.id)))
        for asset in getattr(engine.task, "assets", None) or ()
    ]
    paths = list(_paths(value))
    outputs += [(RESULT, file_artifact(path, run)) for path in paths]
    if value is not None and not paths:
        outputs.append((RESULT, value_artifact(flow, engine.task.name, value, run)))
    return outputs
