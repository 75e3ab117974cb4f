"""What Kedro tells of its runs and nodes, as runs and steps.

| Kedro | recorded |
| --- | --- |
| the package of the project | project |
| `PACKAGE.PIPELINE` | pipeline |
| `PACKAGE@SESSION` | the id of the run |
| a node | a step of its name; it ends when its last output is saved |
| `params:NAME`, `parameters` | parameters |
| any other dataset | an artifact, see `kedro_datasets` |
| a number, or a mapping of names to numbers, that a node returns | results as well |
"""

import inspect
import json
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lineage_store import errors
from lineage_store.integrations.hook import Hook
from lineage_store.integrations.kedro.datasets import Datasets, split_parameters
from lineage_store.integrations.kedro.skipping import binding_of, inputs_of, take_over, why_not
from lineage_store.recording.outcomes import ErrorLike, Failure, now_ms
from lineage_store.recording.runs import Run
from lineage_store.recording.steps import Step
from lineage_store.recording.values import numbers_in

_RUN = "LINEAGE_STORE_KEDRO_RUN"
"""The environment variable that tells the workers of a parallel runner which run it is."""

_TOLD = (
    *("env", "runner", "tags", "namespaces", "node_names", "from_nodes", "to_nodes"),
    *("from_inputs", "to_outputs", "load_versions", "runtime_params", "only_missing_outputs"),
)
"""The parameters of a run that are recorded if they are set."""


@dataclass(slots=True)
class _Open:
    """A node that runs.

    Attributes:
        run: What it is a step of.
        step: Its step.
        catalog: That of its run.
        datasets: What makes artifacts of them.
        waiting: The outputs that are not saved yet.
        chunks: Of a generator, what it saved so far: when it is done nobody tells.
        saved_at: When the last of them was saved, in ms since the epoch.
    """

    run: Run
    step: Step
    catalog: Any
    datasets: Datasets
    waiting: set[str] = field(default_factory=set)
    chunks: set[str] | None = None
    saved_at: int | None = None


class KedroEvents(Hook):
    """Records what Kedro runs.

    The events of a node come in one thread, one node after the other.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._here = threading.local()
        self._runs: dict[str, tuple[Run, Datasets]] = {}
        self._open: dict[int, _Open] = {}
        self._missed: dict[int, tuple[Run, Step]] = {}

    def before_pipeline_run(self, params: dict[str, Any]) -> None:
        """Begin a run."""
        known = _described(params)
        os.environ[_RUN] = json.dumps({**known, "session": _session(params)})
        told = {name: params[name] for name in _TOLD if params.get(name)}
        self._run(_session(params), known, told).begin()

    def _run(self, session: str, known: dict[str, str], told: dict[str, Any]) -> Run:
        run = self.run(**known, properties=told)  # type: ignore[arg-type]
        self._runs[session] = run, Datasets(known["project"], run.id)
        return run

    def after_pipeline_run(self, params: dict[str, Any], error: ErrorLike | None) -> None:
        """End a run, and what is still open of it: what a node failed to save, generators."""
        run, _ = self._runs.pop(_session(params))
        for here in [here for here in self._open.values() if here.run is run]:
            self._end(here, error if here.waiting else None)
        for _, step in [missed for missed in self._missed.values() if missed[0] is run]:
            step.end(error)  # its inputs could not be loaded
        self._missed = {at: m for at, m in self._missed.items() if m[0] is not run}
        self.end_run(run, error)

    def end_lost(self) -> None:
        """End what is open when the process ends: in a worker, also what it could not save."""
        for here in list(self._open.values()):
            if here.waiting and here.chunks is None:
                names = ", ".join(sorted(here.waiting))
                self._end(here, Failure("NotSaved", f"these outputs were not saved: {names}"))
            elif here.chunks is not None:
                self._end(here, None)
        super().end_lost()

    def before_node_run(
        self, node: Any, catalog: Any, inputs: dict[str, Any], session: str | None
    ) -> None:
        """Begin a step."""
        last = getattr(self._here, "open", None)
        if last is not None and last.chunks is not None:  # a generator that came to its end
            self._end(last, None)
        found = self._found(session)
        if found is None:
            return
        self.begin_in_fork()
        run, datasets = found
        _, step = self._missed.pop(id(node), (run, None))
        if step is None:
            step = self._step(run, datasets, node, catalog, inputs, cache=False)
            step.begin()
        self._here.open = self._open[id(step)] = _Open(run, step, catalog, datasets)

    def _step(
        self,
        run: Run,
        datasets: Datasets,
        node: Any,
        catalog: Any,
        inputs: dict[str, Any],
        *,
        cache: bool,
    ) -> Step:
        """Return the step of a node; one that is not asked about says why, if others are."""
        parameters, others = split_parameters(inputs)
        artifacts = {
            name: datasets.artifact(name, catalog.get(name), data, is_saved=False)
            for name, data in others.items()
        }
        why = "" if cache else self._why_not(node, catalog)
        return run.step(
            node.name,
            inputs=artifacts,
            params=parameters,
            index=0,
            **(self._asked(node, catalog, inputs) if cache else self.code(node.func)),
            cache=self.caching(run.project or "") if cache else False,
            properties=self.not_skipped(node.name, why) if why else {},
        )

    def _asked(self, node: Any, catalog: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        """Return the function of a node, and what else its key is made of, for `Run.step`."""
        code = self.code(node.func)
        files = list(code["files"])
        try:
            environment = binding_of(node, catalog, inputs, files)
        except (errors.LineageError, OSError) as error:
            return {**code, "uncached": code["uncached"] or str(error)}
        return {**code, "environment": environment, "files": files}

    def _why_not(self, node: Any, catalog: Any) -> str:
        if not self.wants_cache:
            return ""
        return why_not(node, catalog) or "a forked worker does not talk to the store"

    def is_known(self, node: Any, catalog: Any, session: str | None) -> bool:
        """Return whether a node need not run; its step is recorded then."""
        found = self._found(session) if self.wants_cache else None
        if found is None or self.recorder.is_child or why_not(node, catalog) is not None:
            return False
        run, datasets = found
        step = self._step(run, datasets, node, catalog, inputs_of(node, catalog), cache=True)
        step.begin()
        if step.hit is not None and take_over(step, node, catalog, datasets):
            step.end()
            return True
        self._missed[id(node)] = run, step
        return False

    def _found(self, session: str | None) -> tuple[Run, Datasets] | None:
        return self._runs.get(session or "") or self._joined(session)

    def _joined(self, session: str | None) -> tuple[Run, Datasets] | None:
        """Return the run of a session that began in the process that began this one."""
        known = json.loads(os.environ.get(_RUN, "{}"))
        if session is None or known.pop("session", None) != session:
            return None
        self._run(session, known, {})
        return self._runs[session]

    def after_node_run(self, node: Any, outputs: dict[str, Any]) -> None:
        """Learn what is to be saved."""
        here = self._here.open
        here.waiting = set(outputs)
        here.chunks = set() if inspect.isgeneratorfunction(node.func) else None
        if not outputs:
            self._end(here, None)

    def on_node_error(self, error: Exception) -> None:
        """End a step that failed."""
        self._end(self._here.open, error)

    def after_dataset_saved(self, name: str, data: Any) -> None:
        """Record an output; end the step with the last one."""
        here = getattr(self._here, "open", None)
        if here is None:
            return
        here.waiting.discard(name)
        if here.chunks is not None:
            here.chunks.add(name)
            here.saved_at = now_ms()
            return
        _record_output(here, name, data)
        if not here.waiting:
            self._end(here, None)

    def _end(self, here: _Open, error: ErrorLike | None) -> None:
        self._open.pop(id(here.step), None)
        self._here.open = None
        for name in here.chunks or ():
            _record_output(here, name, here.catalog.get(name))
        here.step.end(error, at=here.saved_at)


def _described(params: dict[str, Any]) -> dict[str, str]:
    """Return what a run is called, of what, by the parameters that Kedro gives."""
    project = _project(params)
    names = params.get("pipeline_names") or [params.get("pipeline_name") or "__default__"]
    pipeline = f"{project}.{'+'.join(names)}"
    run_id = f"{project}@{_session(params)}"
    return {"name": pipeline, "pipeline": pipeline, "run_id": run_id, "project": project}


def _session(params: dict[str, Any]) -> str:
    """Return what Kedro calls the run; up to 1.0 its parameters have another word for it."""
    return str(params.get("run_id") or params["session_id"])


def _project(params: dict[str, Any]) -> str:
    from kedro.framework.project import PACKAGE_NAME  # noqa: PLC0415 - set when a project is chosen

    return PACKAGE_NAME or Path(params.get("project_path") or ".").absolute().name


def _record_output(here: _Open, name: str, data: Any) -> None:
    artifact = here.datasets.artifact(name, here.catalog.get(name), data, is_saved=True)
    here.step.output(name, artifact)
    for key, number in numbers_in(data).items():
        here.step.metric(f"{name}.{key}" if key else name, number)
