"""The record of a run in a store, in the words of `expected.CHURN`."""

from dataclasses import dataclass, field
from typing import Any

from lineage_store import Artifact, Execution, LineageStore
from lineage_store.recording.history import list_runs, read_run
from lineage_store.recording.naming import PIPELINE_RUN
from tests.hooks.expected import CHURN
from tests.hooks.project import Project


@dataclass
class Attempt:
    """One execution of a step."""

    state: str
    attempt: int
    index: int
    inputs: frozenset[str]
    outputs: frozenset[str]
    properties: dict[str, Any]

    @property
    def params(self) -> dict[str, Any]:
        parameters = {k: v for k, v in self.properties.items() if k.startswith("parameters.")}
        return {name.removeprefix("parameters."): value for name, value in parameters.items()}


@dataclass
class Recorded:
    """A run.

    Attributes:
        state: How it ended.
        properties: Of its execution.
        steps: The attempts at each step, by the tool's names, in order.
        artifacts: All that were read or written, by the shared names.
        contexts: The names of the contexts of each type.
    """

    state: str
    properties: dict[str, Any]
    steps: dict[str, list[Attempt]] = field(default_factory=dict)
    artifacts: dict[str, list[Artifact]] = field(default_factory=dict)
    contexts: dict[str, set[str]] = field(default_factory=dict)

    def states(self) -> dict[str, list[str]]:
        """Return the states of the attempts at each step."""
        return {name: [a.state for a in attempts] for name, attempts in self.steps.items()}


def recorded(store: LineageStore, project: Project, run: str | None = None) -> Recorded:
    """Return a run as it is in the store, the newest if none is named."""
    history = read_run(store, run or list_runs(store, limit=1).items[0].run)
    whole = store.get_execution(history.summary.execution_id or 0)
    run_record = Recorded(str(whole.state), dict(whole.custom_properties))
    for context in store.list_contexts_of(execution=whole):
        run_record.contexts.setdefault(context.type or "", set()).add(context.name or "")
    for step in history.steps:
        execution = store.get_execution(step.execution_id)
        if execution.type == PIPELINE_RUN:  # a run within this one
            continue
        attempt = _attempt(store, project, execution, run_record.artifacts)
        run_record.steps.setdefault(step.name, []).append(attempt)
    for attempts in run_record.steps.values():
        attempts.sort(key=lambda attempt: (attempt.index, attempt.attempt))
    return run_record


def lineage_of(store: LineageStore, project: Project, artifact: Artifact) -> set[tuple[str, str]]:
    """Return the origins of an artifact, as in `expected.LINEAGE`."""
    adapter = project.adapter
    steps = {adapter.step_name(name): name for name in CHURN}
    lineage, names = store.lineage(artifact).upstream(), {}
    for node in lineage.nodes:
        if isinstance(node, Artifact):
            names["artifact", node.id] = shared_name(project, node)
        else:
            names["execution", node.id] = steps.get(node.type, node.type)
    pairs = (
        (
            event.type.is_output,
            names["artifact", event.artifact_id],
            names["execution", event.execution_id],
        )
        for event in lineage.edges
    )
    return {(step, thing) if is_output else (thing, step) for is_output, thing, step in pairs}


def _attempt(
    store: LineageStore,
    project: Project,
    execution: Execution,
    artifacts: dict[str, list[Artifact]],
) -> Attempt:
    sides: dict[bool, set[str]] = {True: set(), False: set()}
    for event in store.list_events(execution=[execution.id or 0]):
        artifact = store.get_artifact(event.artifact_id or 0)
        thing = shared_name(project, artifact)
        sides[event.type.is_output].add(thing)
        if artifact not in artifacts.setdefault(thing, []):
            artifacts[thing].append(artifact)
    properties = dict(execution.custom_properties)
    return Attempt(
        state=str(execution.state),
        attempt=int(properties["attempt_id"]),
        index=int(properties["log.index"]),
        inputs=frozenset(sides[False]),
        outputs=frozenset(sides[True]),
        properties=properties,
    )


def shared_name(project: Project, artifact: Artifact) -> str:
    """Return the name of the thing in `expected.CHURN`; its uri if it is not in there."""
    uri = artifact.uri or ""
    for name in project.adapter.data:
        path = project.path(name)
        if path is not None and uri == str(path):
            return name
        value = project.adapter.in_memory.get(name, name)
        if path is None and uri.startswith("value:") and uri.rpartition("/")[2] == value:
            return name
    return uri
