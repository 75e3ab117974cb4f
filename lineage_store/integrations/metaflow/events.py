"""Runs and tasks of Metaflow, as runs and steps.

| Metaflow | recorded |
| --- | --- |
| the name of `@project` | project |
| a flow | pipeline |
| `run` or `resume` | a run |
| a task | a step; its key has the id of the task |
| a task of a foreach | a step with the index of its split |
| an attempt | an attempt |
| parameters that the code of a step mentions | parameters |
| artifacts that a step loads | inputs |
| artifacts that it puts out, and that it did not get as they are | outputs |
| an `IncludeFile` | the file, as an input of the steps that load it |
| a task that `resume` takes over | no step: its artifacts are those of the run before |

Artifacts of Metaflow are known by their content, whose SHA-1 is the key that they are kept by.

A task writes its records to the spool if the process that runs the flow started it: that process
has opened the store, and sends them.
"""

import inspect
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, FunctionType

from metaflow import current
from metaflow.includefile import IncludeFile

from lineage_store.entities import Artifact, ExecutionState
from lineage_store.fingerprints.code import code_of
from lineage_store.integrations.artifacts import file_artifact, uri_artifact
from lineage_store.integrations.hook import Hook
from lineage_store.integrations.metaflow.protocols import (
    Datastore,
    Flow,
    Frame,
    Parameter,
    Runtime,
    Task,
    Worker,
)
from lineage_store.integrations.tools import Tool
from lineage_store.lineage.identity import digest_of
from lineage_store.recording.diagnostics import never_raises
from lineage_store.recording.outcomes import ErrorLike, Failure
from lineage_store.recording.runs import Run
from lineage_store.recording.steps import Step
from lineage_store.recording.values import numbers_in

_RUN = "LINEAGE_STORE_METAFLOW_RUN"
"""The environment variable that tells tasks of the process that runs the flow, in JSON: its id,
path and digest of the files of parameters, by their names, and a directory. There is a file in it
for each task whose code began and that has not ended, with its index."""

_BEAT_SECONDS = 0.5
"""Seconds after the record of an input at which others are recorded before the step ends."""


class MetaflowEvents(Hook):
    """Records a flow in the process that runs it, or a task in its own."""

    def __init__(self, tool: Tool, url: str) -> None:
        super().__init__(tool, url)
        self._run: Run | None = None
        self._step: Step | None = None
        self._included: dict[str, str] = {}
        self._inputs: Sequence[Datastore] = []
        self._parameters: dict[str, Parameter] = {}
        self._files: dict[str, list[str]] = {}
        self._marks: Path | None = None
        self._start_mark: Path | None = None
        self._is_in_code = False
        self._heartbeat_at = 0.0
        self._read_artifacts: set[tuple[str, str]] = set()
        self._inherited: dict[str, str] = {}
        self._numbers: dict[str, dict[str, float]] = {}
        self._is_ok = False

    def file_included(self, parameter: object, path: str) -> None:
        """Learn which file a parameter has for its value."""
        name = getattr(parameter, "_name", None)
        if name is not None and Path(path).expanduser().is_file():
            self._included[name] = str(Path(path).expanduser().absolute())

    def run_started(self, runtime: Runtime) -> None:
        """Begin a run, and pass the files among its parameters on to its tasks."""
        flow = runtime._flow  # noqa: SLF001 - it has no other way to it
        texts = {
            "flow_file": str(Path(sys.argv[0]).absolute()),
            "command_line": " ".join(sys.argv),
            "origin_run_id": getattr(runtime, "_clone_run_id", None),
        }
        properties = {name: text for name, text in texts.items() if text}
        self._run = self._run_of(flow, runtime.run_id, properties)
        files = {
            name: _place(file_artifact(path, self._run.id)) for name, path in self._included.items()
        }
        self._marks = Path(tempfile.mkdtemp(prefix="lineage-store-metaflow-"))
        run = {"process_id": os.getpid(), "files": files, "marks": str(self._marks)}
        os.environ[_RUN] = json.dumps(run)
        self._run.begin()

    def run_ended(self, error: BaseException | None) -> None:
        """End the run."""
        if self._run is None:
            return
        if self._marks is not None:
            shutil.rmtree(self._marks, ignore_errors=True)
        os.environ.pop(_RUN, None)
        self.end_run(self._run, error)
        self._run = None

    def process_ended(self, worker: Worker, code: int) -> None:
        """End the step of a task whose process did not come to it."""
        task = worker.task
        attempt = task.retries + 1
        mark = self._mark(task.step, task.task_id, attempt)
        if self._run is None or mark is None or not mark.exists():
            return
        index, name = int(mark.read_text() or 0), f"{task.step}/{task.task_id}"
        step = self._run.step(task.step, id=name, index=index, attempt=attempt)
        died = Failure("metaflow.TaskFailed", f"its process ended with the exit code {code}")
        step.end(died, state=ExecutionState.CANCELED if worker.cleaned else None)

    def _mark(self, step: str, task_id: object, attempt: int) -> Path | None:
        return None if self._marks is None else self._marks / f"{step}-{task_id}-{attempt}"

    def _run_of(
        self, flow: Flow, run_id: object, properties: Mapping[str, object] | None = None
    ) -> Run:
        project = current.get("project_name")
        name = f"{project}.{flow.name}" if project else flow.name
        full_id = f"{name}@{run_id}"
        return self.run(
            full_id, pipeline=name, run_id=full_id, project=project, properties=properties
        )

    def inputs_loaded(self, flow: Flow, inputs: Sequence[Datastore]) -> None:
        """Note the artifacts of the tasks before this one, and the parameters of the flow."""
        self._inputs = inputs
        parameters = flow._get_parameters()  # noqa: SLF001
        self._parameters = {var: p for var, p in parameters if not p.IS_CONFIG_PARAMETER}

    def task_started(self, task: Task) -> None:
        """Begin the step of a task; a task that `spin` tries out is none."""
        if getattr(task, "orig_flow_datastore", None) is not None:
            return
        self._join()
        flow, name, attempt = task.flow, str(current.step_name), int(current.retry_count) + 1
        self._run = self._run_of(flow, current.run_id)
        function = getattr(type(flow), name)
        stack = getattr(flow, "_foreach_stack", None) or []
        index = stack[-1].index if stack else 0
        self._step = self._run.step(
            name,
            id=f"{name}/{current.task_id}",
            index=index,
            attempt=attempt,
            params=self._parameter_values(flow, function),
            code=_code(function),
            properties={"log.pathspec": current.pathspec, **_foreach(stack)},
        )
        self._start_mark = self._mark(name, current.task_id, attempt)
        if self._start_mark is not None:
            self._start_mark.write_text(str(index))
        self._step.begin()
        self._is_in_code = True

    def _join(self) -> None:
        """Read the state of the process that runs the flow; if it is the parent, let it send."""
        run_state = json.loads(os.environ.get(_RUN, "{}"))
        self._files = run_state.get("files", {})
        if run_state.get("process_id") == os.getppid():
            self._marks = Path(run_state["marks"])
            self.recorder.after_fork()  # as in a fork: another process has opened the store

    @never_raises({})
    def _parameter_values(self, flow: Flow, function: Callable[..., object]) -> dict[str, object]:
        """Return the values of the parameters that the code of a step mentions."""
        mentioned = set(_mentioned(type(flow), function, set()))
        return {
            parameter.name: parameter.load_parameter(self._inputs[0][var])
            for var, parameter in self._parameters.items()
            if var in mentioned and not isinstance(parameter, IncludeFile)
        }

    def artifact_read(self, datastore: Datastore, name: str) -> None:
        """Record the artifacts that the code of a step loads."""
        if self._step is None or self._run is None or not self._is_in_code:
            return
        key = datastore._objects.get(name)  # noqa: SLF001
        if key is None or (name, key) in self._read_artifacts:
            return
        self._read_artifacts.add((name, key))
        parameter = self._parameters.get(name)
        if parameter is None:
            self._step.input(name, self._artifact(name, key))
        elif parameter.name in self._files:
            path, digest = self._files[parameter.name]
            self._step.input(name, uri_artifact(path, self._run.id, digest=digest))
        if time.monotonic() > self._heartbeat_at:
            self._heartbeat_at = time.monotonic() + _BEAT_SECONDS
            self._step.heartbeat()

    def code_ended(self) -> None:
        """Note that the code of the step is over: Metaflow itself loads from now on."""
        self._is_in_code = False

    def before_persisted(self, flow: Flow) -> None:
        """Note the artifacts that a task had before its own are kept, and its numbers."""
        if self._step is None:
            return
        before = flow._datastore  # noqa: SLF001
        self._inherited = dict(before._objects) if before else {}  # noqa: SLF001
        self._is_ok = bool(flow._task_ok)  # noqa: SLF001
        values = {k: v for k, v in vars(flow).items() if not k.startswith("_")}
        self._numbers = {name: numbers_in(value) for name, value in values.items()}

    def persisted(self, datastore: Datastore) -> None:
        """Record the outputs of a task, if it went well."""
        if self._step is None or not self._is_ok:
            return
        for name, key in datastore._objects.items():  # noqa: SLF001
            is_own = self._inherited.get(name) != key
            if is_own and not name.startswith("_") and name != "name":
                self._step.output(name, self._artifact(name, key))
                for inner, number in self._numbers.get(name, {}).items():
                    self._step.metric(f"{name}.{inner}" if inner else name, number)

    def task_ended(self, error: ErrorLike | None) -> None:
        """End the step of the task."""
        if self._step is not None:
            self._step.end(error)
            self._step = None
        if self._start_mark is not None:
            self._start_mark.unlink(missing_ok=True)

    def _artifact(self, name: str, key: str) -> Artifact:
        run = self._run
        assert run is not None  # noqa: S101 - a step has one
        return uri_artifact(f"value:{run.pipeline}/{name}", run.id, digest=f"sha1:{key}")


def _mentioned(
    kind: type, function: Callable[..., object], visited_names: set[str]
) -> Iterator[str]:
    """Yield the names that a method mentions, and those that it calls of the same class."""
    function = inspect.unwrap(function)
    if not isinstance(function, FunctionType):
        return
    for name in set(_names(function.__code__)) - visited_names:
        visited_names.add(name)
        yield name
        called = getattr(kind, name, None)
        if isinstance(called, FunctionType) and not hasattr(called, "is_step"):
            yield from _mentioned(kind, called, visited_names)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


@never_raises(None)
def _code(function: Callable[..., object]) -> str | None:
    return code_of(function).digest


def _foreach(stack: Iterable[Frame]) -> dict[str, str]:
    """Return the property that tells a task from the others of its foreach."""
    foreach = ",".join(f"{frame.var}={frame.value}" for frame in stack if frame.var and frame.value)
    return {"foreach": foreach} if foreach else {}


def _place(artifact: Artifact) -> list[str | None]:
    digest = digest_of(artifact)
    return [artifact.uri, None if digest is None else str(digest)]
