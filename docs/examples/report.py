"""Prints what a store knows of one run, for a person; everything comes from the store."""

from datetime import UTC, datetime
from pathlib import PurePath

from lineage_store import Artifact, Execution, LineageStore

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


def print_lineage(store: LineageStore, run_name: str) -> None:
    """Print what the best model was made from, and why the other one is not the same."""
    choice = store.get_artifact(type="Report", name=f"{run_name}/choice.json").custom_properties
    print(f"\nChosen: {choice['best']}, by {choice['by']} of {choice['scores']}")
    best = store.get_artifact(type="Model", name=f"{run_name}/{choice['best']}.joblib")
    print(f"\nWhere does {file_name(best)} come from?")
    lineage = store.lineage(best).upstream()
    print(lineage, lineage.verdict, sep="\n")
    run = store.get_context(type="Run", name=run_name)
    for other in store.iter_artifacts(context=run, where="type = 'Model'"):
        if other.id != best.id:
            print(f"\nWhy is it not {file_name(other)}?")
            print(store.compare(other, best))


def print_impact(store: LineageStore, run_name: str) -> None:
    """Print what would have to be made again if the raw data turned out to be bad."""
    data = store.get_artifact(type="Dataset", name=f"{run_name}/data.csv")
    print(f"\nWhat if {file_name(data)} is bad?")
    impact = store.impact(data)
    print(impact, impact.verdict, sep="\n")


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
