"""Print the steps of a run, and the answers of the store about that run."""

import re
import time
from pathlib import PurePath
from typing import Self

from lineage_store import Artifact, Context, LineageStore, Step

SKIPPED = {"execution": "last_known_state = CACHED"}
"""Stops a walk at CACHED executions."""


class Ticker:
    """Prints the decision for each step of a run, and the total time at the end.

    Args:
        title: The first line.
        store: Explains why a step runs.
    """

    def __init__(self, title: str, store: LineageStore) -> None:
        self._title = title
        self._store = store
        self._ran = 0
        self._skipped = 0

    def __enter__(self) -> Self:
        print(self._title)
        self._begun = time.perf_counter()
        return self

    def __call__(self, step: Step) -> None:
        """Print the decision for a step, and the reason."""
        if step.hit is not None:
            self._skipped += 1
            print(f"  {step.name:<19} skipped: execution {step.hit.original_execution_id} did it")
            return
        self._ran += 1
        print(f"  {step.name:<19} runs: {self._why(step)}")

    def _why(self, step: Step) -> str:
        """Return the new parts of the cache key."""
        if step.cache_key is None:
            return "it is not cached"
        explanation = self._store.cache.explain(step.cache_key)
        if explanation.nearest is None:
            return "nothing like it was done before"
        return ", ".join(
            f"{part.name}: {_short(part.stored)} → {_short(part.given)}"
            for part in explanation.differences
        )

    def __exit__(self, *exc_info: object) -> None:
        seconds = time.perf_counter() - self._begun
        print(f"  {self._ran} ran, {self._skipped} were skipped, in {seconds:.2f} s\n")


def print_lineage(store: LineageStore, run_id: str) -> str:
    """Print the lineage of the best model, and its differences from the other one.

    Returns:
        The best model in the notation of the command line: "artifact:7".
    """
    run = store.get_context(type="Run", name=run_id)
    [step] = store.iter_executions(context=run, where="type = 'Choose'")
    choice = {name: step.custom_properties[f"outputs.{name}"] for name in ("best", "by", "scores")}
    print(f"Chosen: {choice['best']}, by {choice['by']} of {choice['scores']}")
    models = {file_name(model): model for model in _of_type(store, run, "Model")}
    best = models.pop(f"{choice['best']}.model")
    print(f"\nWhere does {file_name(best)} come from?")
    lineage = store.lineage(best).upstream(stop=SKIPPED, keep_stops=False)
    print(lineage, lineage.verdict, sep="\n")
    for name, other in models.items():
        print(f"\nWhy is it not {name}?")
        print(store.compare(other, best))
    return f"artifact:{best.id}"


def print_impact(store: LineageStore, run_id: str) -> None:
    """Print everything that depends on the raw data."""
    run = store.get_context(type="Run", name=run_id)
    [data] = (item for item in _of_type(store, run, "Dataset") if file_name(item) == "data.csv")
    print(f"\nWhat if {file_name(data)} is bad?")
    impact = store.impact(data)
    print(impact, impact.verdict, sep="\n")


def file_name(artifact: Artifact) -> str:
    """Return the name of the file of an artifact, without its directories."""
    return PurePath(str(artifact.uri)).name


def _of_type(store: LineageStore, run: Context, type_name: str) -> list[Artifact]:
    return list(store.iter_artifacts(context=run, where=f"type = '{type_name}'"))


def _short(text: str | None) -> str:
    """Return the canonical text of a component; for an input, only the short digest."""
    bare = re.sub(r'\[\{"content":"([^"]*)".*\}\]', r"\1", text or "(none)")
    return re.sub(r"([0-9a-f]{12})[0-9a-f]{20,}", r"\1…", bare)
