"""Inputs and outputs of Luigi's tasks, as artifacts."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import luigi
from luigi.task import flatten

from lineage_store.entities import Artifact
from lineage_store.integrations.artifacts import file_artifact, uri_artifact
from lineage_store.integrations.luigi.protocols import Task


def inputs_of(task: Task, run_id: str) -> dict[str, list[Artifact]]:
    """Return the inputs of a task: the outputs of the tasks that it requires.

    Each is called by its key in the mapping that `requires` returns, else by the family of the
    required task.

    Args:
        task: Of Luigi.
        run_id: The id of the run.
    """
    artifacts: dict[str, list[Artifact]] = {}
    for name, required in _required(task.requires()):
        for at, target in enumerate(flatten(required.output())):
            artifacts.setdefault(name, []).append(artifact_of(target, required, at, run_id))
    return artifacts


def shape_of(requires: object) -> object:
    """Return which families of tasks are required, in the order and under the keys given."""
    if isinstance(requires, luigi.Task):
        return requires.task_family
    if isinstance(requires, Mapping):
        return {str(name): shape_of(several) for name, several in requires.items()}
    return list(map(shape_of, flatten(requires)))


def _required(requires: object) -> Iterator[tuple[str, Task]]:
    if isinstance(requires, Mapping):
        for name, several in requires.items():
            yield from ((str(name), task) for task in flatten(several))
    else:
        yield from ((task.task_family, task) for task in flatten(requires))


def outputs_of(task: Task, run_id: str) -> Iterator[tuple[str, Artifact]]:
    """Yield name and artifact of each output of a task.

    Each is called by its key in the mapping that `output` returns, else "output".
    """
    outputs = task.output()
    named = outputs.items() if isinstance(outputs, Mapping) else [("output", outputs)]
    at = 0
    for name, several in named:
        for target in flatten(several):
            yield str(name), artifact_of(target, task, at, run_id)
            at += 1


def artifact_of(target: object, task: Task, at: int, run_id: str) -> Artifact:
    """Return the artifact of a target.

    Args:
        target: Of Luigi.
        task: The task whose output it is.
        at: The number of the output.
        run_id: The id of the run.
    """
    kind = f"{type(target).__module__}.{type(target).__qualname__}"
    properties = {"target_type": kind.removeprefix("luigi.")}
    path = getattr(target, "path", None)
    why = f"a {kind} tells neither digest nor version"
    if path is None:
        return uri_artifact(f"luigi:{task.task_id}/{at}", run_id, why=why, properties=properties)
    if isinstance(target, luigi.LocalTarget):
        return file_artifact(Path(str(path)), run_id, properties=properties)
    return uri_artifact(str(path), run_id, why=why, properties=properties)


def are_local(task: Task) -> bool:
    """Return whether a task puts out files, and nothing else."""
    outputs = flatten(task.output())
    return bool(outputs) and all(isinstance(target, luigi.LocalTarget) for target in outputs)
