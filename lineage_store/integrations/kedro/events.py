"""Kedro's events of runs and nodes, as runs and steps.

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
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lineage_store import errors
from lineage_store.integrations.hook import Hook
from lineage_store.integrations.kedro.datasets import Datasets, split_parameters
from lineage_store.integrations.kedro.protocols import Catalog, Node, RunParameters
from lineage_store.integrations.kedro.skipping import binding_of, inputs_of, take_over, why_not
from lineage_store.integrations.options import KeyOptions
from lineage_store.integrations.tools import Tool
from lineage_store.recording.outcomes import ErrorLike, Failure, now_ms
from lineage_store.recording.runs import Run
from lineage_store.recording.steps import Step
from lineage_store.recording.values import numbers_in

_RUN = "LINEAGE_STORE_KEDRO_RUN"
"""The environment variable that names the run to the workers of a parallel runner."""

_RUN_PROPERTIES = (
    *("env", "runner", "tags", "namespaces", "node_names", "from_nodes", "to_nodes"),
    *("from_inputs", "to_outputs", "load_versions", "runtime_params", "only_missing_outputs"),
)
"""The parameters of a run that are recorded if they are set."""


@dataclass(slots=True)
class _ActiveStep:
    """A node that runs.

    Attributes:
        run: The run that it is a step of.
        step: Its step.
        catalog: That of its run.
        datasets: Makes artifacts of datasets.
        unsaved_outputs: The outputs that are not saved yet.
        chunks: Of a generator, the outputs saved so far: Kedro does not report its end.
        saved_at: The time at which the last of them was saved, in ms since the epoch.
    """

    run: Run
    step: Step
    catalog: Catalog
    datasets: Datasets
    unsaved_outputs: set[str] = field(default_factory=set)
    chunks: set[str] | None = None
    saved_at: int | None = None


class KedroEvents(Hook):
    """Records Kedro's runs and nodes.

    The events of a node come in one thread, one node after the other.
    """

    def __init__(self, tool: Tool, url: str) -> None:
        super().__init__(tool, url)
        self._local = threading.local()
        self._runs: dict[str, tuple[Run, Datasets]] = {}
        self._active_steps: dict[int, _ActiveStep] = {}
        self._missed_steps: dict[int, tuple[Run, Step]] = {}

    def before_pipeline_run(self, params: RunParameters) -> None:
        """Begin a run."""
        run_options = _run_options(params)
        os.environ[_RUN] = json.dumps({**run_options, "session": _session(params)})
        settings: Mapping[str, object] = params
        properties = {name: settings[name] for name in _RUN_PROPERTIES if settings.get(name)}
        self._run(_session(params), run_options, properties).begin()

    def _run(
        self, session: str, run_options: dict[str, str], properties: Mapping[str, object]
    ) -> Run:
        run = self.run(**run_options, properties=properties)  # type: ignore[arg-type]
        self._runs[session] = run, Datasets(run_options["project"], run.id)
        return run

    def after_pipeline_run(self, params: RunParameters, error: ErrorLike | None) -> None:
        """End a run and its open steps: generators, and nodes that failed to save an output."""
        run, _ = self._runs.pop(_session(params))
        open_steps = [each for each in self._active_steps.values() if each.run is run]
        for active_step in open_steps:
            self._end(active_step, error if active_step.unsaved_outputs else None)
        for _, step in [missed for missed in self._missed_steps.values() if missed[0] is run]:
            step.end(error)  # its inputs could not be loaded
        self._missed_steps = {at: m for at, m in self._missed_steps.items() if m[0] is not run}
        self.end_run(run, error)

    def end_orphans(self) -> None:
        """End the open steps when the process ends, also those with outputs not saved."""
        for active_step in list(self._active_steps.values()):
            if active_step.unsaved_outputs and active_step.chunks is None:
                names = ", ".join(sorted(active_step.unsaved_outputs))
                error = Failure("NotSaved", f"these outputs were not saved: {names}")
                self._end(active_step, error)
            elif active_step.chunks is not None:
                self._end(active_step, None)
        super().end_orphans()

    def before_node_run(
        self, node: Node, catalog: Catalog, inputs: Mapping[str, object], session: str | None
    ) -> None:
        """Begin a step."""
        last_step = getattr(self._local, "active_step", None)
        if last_step is not None and last_step.chunks is not None:  # a generator at its end
            self._end(last_step, None)
        session_run = self._run_of_session(session)
        if session_run is None:
            return
        self.begin_in_fork()
        run, datasets = session_run
        _, step = self._missed_steps.pop(id(node), (run, None))
        if step is None:
            step = self._step(run, datasets, node, catalog, inputs, cache=False)
            step.begin()
        active_step = _ActiveStep(run, step, catalog, datasets)
        self._local.active_step = self._active_steps[id(step)] = active_step

    def _step(
        self,
        run: Run,
        datasets: Datasets,
        node: Node,
        catalog: Catalog,
        inputs: Mapping[str, object],
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
            **(self._key_parts(node, catalog, inputs) if cache else self.code(node.func)),
            cache=self.caching(run.project or "") if cache else False,
            properties=self.note_not_skipped(node.name, why) if why else {},
        )

    def _key_parts(self, node: Node, catalog: Catalog, inputs: Mapping[str, object]) -> KeyOptions:
        """Return the code of a node, and the other parts of its key, for `Run.step`."""
        code = self.code(node.func)
        files = list(code["files"])
        try:
            environment = binding_of(node, catalog, inputs, files)
        except (errors.LineageError, OSError) as error:
            return {**code, "uncached": code["uncached"] or str(error), "environment": None}
        return {**code, "environment": environment, "files": files}

    def _why_not(self, node: Node, catalog: Catalog) -> str:
        if not self.wants_cache:
            return ""
        return why_not(node, catalog) or "a forked worker does not talk to the store"

    def is_cached(self, node: Node, catalog: Catalog, session: str | None) -> bool:
        """Return whether a node need not run; its step is recorded then."""
        session_run = self._run_of_session(session) if self.wants_cache else None
        if session_run is None or self.recorder.is_child or why_not(node, catalog) is not None:
            return False
        run, datasets = session_run
        step = self._step(run, datasets, node, catalog, inputs_of(node, catalog), cache=True)
        step.begin()
        if step.hit is not None and take_over(step, node, catalog, datasets):
            step.end()
            return True
        self._missed_steps[id(node)] = run, step
        return False

    def _run_of_session(self, session: str | None) -> tuple[Run, Datasets] | None:
        return self._runs.get(session or "") or self._joined(session)

    def _joined(self, session: str | None) -> tuple[Run, Datasets] | None:
        """Return the run of a session that began in the process that began this one."""
        run_options = json.loads(os.environ.get(_RUN, "{}"))
        if session is None or run_options.pop("session", None) != session:
            return None
        self._run(session, run_options, {})
        return self._runs[session]

    def after_node_run(self, node: Node, outputs: Mapping[str, object]) -> None:
        """Note the outputs that are to be saved."""
        active_step = self._local.active_step
        active_step.unsaved_outputs = set(outputs)
        active_step.chunks = set() if inspect.isgeneratorfunction(node.func) else None
        if not outputs:
            self._end(active_step, None)

    def on_node_error(self, error: Exception) -> None:
        """End a step that failed."""
        self._end(self._local.active_step, error)

    def after_dataset_saved(self, name: str, data: object) -> None:
        """Record an output; end the step with the last one."""
        active_step = getattr(self._local, "active_step", None)
        if active_step is None:
            return
        active_step.unsaved_outputs.discard(name)
        if active_step.chunks is not None:
            active_step.chunks.add(name)
            active_step.saved_at = now_ms()
            return
        _record_output(active_step, name, data)
        if not active_step.unsaved_outputs:
            self._end(active_step, None)

    def _end(self, active_step: _ActiveStep, error: ErrorLike | None) -> None:
        self._active_steps.pop(id(active_step.step), None)
        self._local.active_step = None
        for name in active_step.chunks or ():
            _record_output(active_step, name, active_step.catalog.get(name))
        active_step.step.end(error, at=active_step.saved_at)


def _run_options(params: RunParameters) -> dict[str, str]:
    """Return the names of a run and its pipeline, by Kedro's parameters of the run."""
    project = _project(params)
    names = params.get("pipeline_names") or [params.get("pipeline_name") or "__default__"]
    pipeline = f"{project}.{'+'.join(names)}"
    run_id = f"{project}@{_session(params)}"
    return {"name": pipeline, "pipeline": pipeline, "run_id": run_id, "project": project}


def _session(params: RunParameters) -> str:
    """Return Kedro's id of the run; up to 1.0 its parameters have another word for it."""
    return str(params.get("run_id") or params["session_id"])


def _project(params: RunParameters) -> str:
    from kedro.framework.project import PACKAGE_NAME  # noqa: PLC0415 - set when a project is chosen

    return PACKAGE_NAME or Path(params.get("project_path") or ".").absolute().name


def _record_output(active_step: _ActiveStep, name: str, data: object) -> None:
    dataset = active_step.catalog.get(name)
    artifact = active_step.datasets.artifact(name, dataset, data, is_saved=True)
    active_step.step.output(name, artifact)
    for key, number in numbers_in(data).items():
        active_step.step.metric(f"{name}.{key}" if key else name, number)
