"""Prints what a store knows of one run, for a person; everything comes from the store."""

from datetime import UTC, datetime
from pathlib import PurePath

from lineage_store import Artifact, EventType, Execution, LineageStore

SHORT = 12
"""Digits of a digest that are printed."""


def print_run(store: LineageStore, run_name: str) -> None:
    """Print the steps of a run, and its artifacts."""
    run = store.get_context(type="Run", name=run_name)
    (pipeline,) = store.list_parent_contexts(run)
    print(f"Recorded: {pipeline.name}, {run.name}\n\nSteps")
    for step in store.iter_executions(context=run):
        print_step(step)
    print("\nArtifacts")
    for artifact in store.iter_artifacts(context=run):
        size = artifact.properties["bytes"]
        described = f"{artifact.type:<8} {file_name(artifact):<24} {size:>8} bytes"
        print(f"  {described}  sha256 {digest(artifact)}")


def print_step(step: Execution) -> None:
    """Print one step on one line."""
    begun, ended = step.create_time or 0, step.update_time or 0
    at = datetime.fromtimestamp(begun / 1000, UTC).strftime("%H:%M:%S")
    parameters = _parameters(step)
    print(f"  {step.type:<9} {step.state:<9} {at}  {ended - begun:>5} ms  {parameters}".rstrip())


def print_models(store: LineageStore, run_name: str) -> None:
    """Print, for each model of a run, the code and the data that it came from."""
    run = store.get_context(type="Run", name=run_name)
    models = [node for node in store.iter_artifacts(context=run) if node.type == "Model"]
    for model in models:
        print(f"\nWhere does {file_name(model)} come from?")
        print_origin(store, model, depth=1)


def print_origin(store: LineageStore, artifact: Artifact, depth: int) -> None:
    """Print the step that made an artifact, and where what it read came from."""
    indent = "  " * depth
    print(f"{indent}{artifact.type} {file_name(artifact)} (sha256 {digest(artifact)})")
    step = maker(store, artifact)
    if step is None:
        return
    code, commit = str(step.properties["code_sha256"]), str(step.properties["git_commit"])
    print(
        f"{indent}  made by {step.type}: {step.properties['function']}({_parameters(step)}), "
        f"code {code[:SHORT]}, commit {commit[:SHORT]}"
    )
    for source in sources(store, step):
        print_origin(store, source, depth + 2)


def print_lineage(store: LineageStore, run_name: str) -> None:
    """Print what the choice of the best model rests on, down to the raw data."""
    run = store.get_context(type="Run", name=run_name)
    chosen = store.get_artifact(type="Report", name=f"{run.name}/choice.json")
    behind = ancestors(store, chosen)
    found = chosen.custom_properties
    print(f"\nChosen: {found['best']}, by {found['by']} of {found['scores']}")
    print(f"The choice rests on {len(behind)} artifacts:")
    for artifact in behind:
        print(f"  {artifact.type:<8} {file_name(artifact):<24} sha256 {digest(artifact)}")


def ancestors(store: LineageStore, artifact: Artifact) -> list[Artifact]:
    """Return every artifact that this one was made from, nearest first."""
    found: dict[int, Artifact] = {}
    waiting = [artifact]
    while waiting:
        step = maker(store, waiting.pop(0))
        for source in sources(store, step) if step else []:
            if source.id is not None and source.id not in found:
                found[source.id] = source
                waiting.append(source)
    return list(found.values())


def maker(store: LineageStore, artifact: Artifact) -> Execution | None:
    """Return the step that wrote an artifact."""
    for event in store.list_events(artifact=artifact):
        if event.type is EventType.OUTPUT:
            return store.get_execution(event.execution_id)
    return None


def sources(store: LineageStore, step: Execution) -> list[Artifact]:
    """Return what a step read."""
    read = [e.artifact_id for e in store.list_events(execution=step) if e.type is EventType.INPUT]
    return store.get_artifacts([artifact_id for artifact_id in read if artifact_id is not None])


def file_name(artifact: Artifact) -> str:
    """Return the name of the file of an artifact, without its directories."""
    return PurePath(str(artifact.uri)).name


def digest(artifact: Artifact) -> str:
    """Return the first digits of the digest of an artifact."""
    return str(artifact.properties["sha256"])[:SHORT]


def _parameters(step: Execution) -> str:
    given = step.properties["parameters"]
    shown = given.items() if isinstance(given, dict) else []
    return ", ".join(f"{name}={_short(value)}" for name, value in sorted(shown))


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
