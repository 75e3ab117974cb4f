"""Measures this store and the real ML Metadata side by side: `make bench`, `make bench-quick`.

Every target gets the same ops, in turn with the others, several times over. Before anything is
measured, the answers of all targets are compared; see docs/benchmarks.md.
"""

import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks.suite import mlflow_comparison, plan
from benchmarks.suite.fixture import Fixture
from benchmarks.suite.goals import Results
from benchmarks.suite.machine import description, limits, version_of_mlmd
from benchmarks.suite.measuring import Bench
from benchmarks.suite.plan import Group
from benchmarks.suite.recorded import RESULTS, recorded, taken_at
from benchmarks.suite.report import HEADS, RATE_HEADS, aligned, goal_rows, rate_rows
from benchmarks.suite.targets import mlmd_python, opened
from benchmarks.suite.workloads import MIXED, WORKLOADS

NAMES = ", ".join([*WORKLOADS, MIXED])


def measure(group: Group, repeats: int, scale: float, steps: int) -> list[dict[str, Any]]:
    """Return the measurements of one group of targets."""
    works = plan.reads_first(group.works)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp")))
        fixtures: dict[str, Fixture] = {}
        for name in group.targets:
            click.echo(f"{name}: starting", err=True)
            fixtures[name] = Fixture(stack.enter_context(opened(name, directory)), steps)
        bench = Bench(fixtures, scale)
        for workload in dict.fromkeys(work for work, _ in works if work != MIXED):
            bench.check(WORKLOADS[workload])
        turns = [(*work, repeat) for repeat in range(repeats) for work in works]
        with click.progressbar(
            turns, label=f"{group.targets[-1]:<24}", file=sys.stderr, item_show_func=_shown
        ) as bar:
            for workload, callers, repeat in bar:
                bench.take_turns(workload, callers, repeat)
        return bench.summaries()


def _shown(turn: tuple[str, int, int] | None) -> str:
    return "" if turn is None else f"{turn[0]}, {turn[1]} callers, repeat {turn[2] + 1}"


def measure_all(
    groups: tuple[Group, ...], repeats: int, scale: float, steps: int
) -> dict[str, Any]:
    """Return all results, and what they were taken on."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        found: dict[str, Any] = {
            "machine": {**description(), "ml-metadata": version_of_mlmd()},
            "repeats": repeats,
            "steps_before": steps,
            "limits_before": limits(Path(directory)),
        }
        rows = [row for group in groups for row in measure(group, repeats, scale, steps)]
        found["limits_after"] = limits(Path(directory))
    return {**found, "measurements": rows}


def _groups(targets: str, workloads: str | None, callers: str) -> tuple[Group, ...]:
    chosen = [*WORKLOADS, MIXED] if workloads is None else workloads.split(",")
    try:
        numbers = [int(number) for number in callers.split(",")]
        return plan.groups(targets.split(","), [name.strip() for name in chosen], numbers)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


@click.command()
@click.option("--quick", is_flag=True, help="Only what the table of goals needs.")
@click.option("--targets", default=",".join(plan.EVERYTHING), show_default=True)
@click.option("--workloads", help=f"Some of: {NAMES}.  [default: all]")
@click.option(
    "--callers", default="1,8,32,64", show_default=True, help="More than one only over gRPC."
)
@click.option("--repeats", default=5, show_default=True, type=click.IntRange(1))
@click.option("--scale", default=1.0, show_default=True, help="Times as much work in each turn.")
@click.option(
    "--steps",
    default=300,
    show_default=True,
    type=click.IntRange(51),
    help="Steps in a store beforehand.",
)
@click.option("--with-mlflow", is_flag=True, help="Also MLflow's store (make .venv-mlflow).")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path))
def main(
    *,
    quick: bool,
    targets: str,
    workloads: str | None,
    callers: str,
    repeats: int,
    scale: float,
    steps: int,
    with_mlflow: bool,
    file: Path | None,
) -> None:
    """Measure, print all figures and the table of goals; results go to FILE as JSON.

    Lineage and growth are measured by commands of their own; the table has what they recorded.
    """
    groups = plan.QUICK if quick else _groups(targets, workloads, callers)
    try:
        mlmd_python()
    except FileNotFoundError as missing:
        raise click.ClickException(str(missing)) from None
    found = measure_all(groups, repeats, scale, steps)
    if with_mlflow:
        found["mlflow"] = mlflow_comparison.measure(repeats)
    click.echo(aligned(RATE_HEADS, list(rate_rows(found["measurements"]))))
    click.echo()
    earlier = recorded(RESULTS)
    click.echo(aligned(HEADS, goal_rows(Results({**earlier, **found}))))
    for name in ("lineage", "growth"):
        click.echo(f"{name}: {taken_at(earlier.get(name))}")
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
