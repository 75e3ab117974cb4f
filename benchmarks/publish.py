"""Write the recorded results into docs/benchmarks.md and docs/benchmarks-tables.md, with charts.

python benchmarks/publish.py
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks.suite.charts import draw
from benchmarks.suite.goals import Results
from benchmarks.suite.recorded import RESULTS, recorded, taken_at
from benchmarks.suite.report import HEADS, RATE_HEADS, goal_rows, markdown, rate_rows

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- results -->", "<!-- end of results -->"
TITLES = {
    "benchmarks-ratios.svg": "How many times as fast as ML Metadata",
    "benchmarks-callers.svg": "Steps over gRPC, by the number of callers",
    "benchmarks-growth.svg": "The time of a call, by the size of the store",
}


def page(recorded_results: dict[str, Any], charts: list[str]) -> str:
    """Return the generated part of the page: the machine, the goals in a sentence, the charts."""
    parts = [
        _of_machine(recorded_results),
        _of_goals(recorded_results),
        *(f"![{TITLES[name]}](images/{name})" for name in charts),
    ]
    return "\n\n".join(parts)


def tables(recorded_results: dict[str, Any]) -> str:
    """Return the generated part of the appendix: every table."""
    parts = [
        _of_machine(recorded_results),
        "## Goals",
        markdown(HEADS, goal_rows(Results(recorded_results))),
        "## Limits of the machine in that run",
        markdown(("limit", "before", "after"), list(_limit_rows(recorded_results))),
        *_mlflow(recorded_results),
        *_growth(recorded_results),
        *_lineage(recorded_results),
        *_hooks(recorded_results),
        "## Every measurement",
        "Ratios are to the first target in the same place, on the same database.",
        markdown(RATE_HEADS, list(rate_rows(recorded_results["measurements"]))),
    ]
    return "\n\n".join(parts)


def _of_goals(recorded_results: dict[str, Any]) -> str:
    """Return one sentence on how many goals are met."""
    verdicts = Counter(row[-1] for row in goal_rows(Results(recorded_results)))
    total = verdicts.total()
    unmeasured = verdicts["not measured"]
    rest = f", {unmeasured} are not measured" if unmeasured else ""
    return (
        f"Of {total} goals, {verdicts['aim met']} reach the aim, {verdicts['met']} reach the "
        f"minimum, and {verdicts['MISSED']} are missed{rest}: "
        "[all goals and figures](benchmarks-tables.md#goals)."
    )


def _of_machine(recorded_results: dict[str, Any]) -> str:
    machine = recorded_results["machine"]
    versions = ", ".join(
        f"{name} {machine[name]}"
        for name in ("python", "sqlite", "grpcio", "protobuf", "ml-metadata")
    )
    return (
        f"Taken {machine['taken_at']} at commit {machine['commit']} on {machine['processors']} "
        f"processors ({machine['processor']}), {machine['memory_gib']} GiB, {machine['system']}; "
        f"{versions}. {recorded_results['repeats']} repeats; the load before was "
        f"{machine['load_average']:.1f}."
    )


def _limit_rows(recorded_results: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    before, after = recorded_results["limits_before"], recorded_results["limits_after"]
    for name, value in before.items():
        yield name.replace("_", " "), f"{value:,.3g}", f"{after[name]:,.3g}"


def _mlflow(recorded_results: dict[str, Any]) -> Iterator[str]:
    runs = recorded_results.get("mlflow")
    if runs is None:
        return
    yield "## A run with 16 parameters and 5 tags, in MLflow's SQL store and in lineage-store"
    first = runs["mlflow"]["rate"]
    rows = [(n, f"{r['rate']:.1f}", f"{r['rate'] / first:.2f}x") for n, r in runs.items()]
    yield markdown(("store", "runs per second", "ratio"), rows)


def _growth(recorded_results: dict[str, Any]) -> Iterator[str]:
    sizes = recorded_results.get("growth", {}).get("sizes")
    if not sizes:
        return
    yield "## Size, start and memory of a store"
    heads = ("nodes", "file, MiB", "start, s", "server at start, MiB", "server at most, MiB")
    names = ("file_mib", "start_s", "server_start_mib", "server_peak_mib")
    rows = [(f"{size['nodes']:,}", *(f"{size[name]:,.1f}" for name in names)) for size in sizes]
    yield markdown(heads, rows)


def _lineage(recorded_results: dict[str, Any]) -> Iterator[str]:
    graphs = recorded_results.get("lineage", {}).get("graphs", [])
    rows = [
        (
            f"{row['part']}, {row['hops']} hops{', with bodies' if row['with_bodies'] else ''}",
            f"{row['of_events']:,}",
            f"{row['nodes']:,}",
            f"{row['mlmd_ms']:,.1f}",
            f"{row['ours_ms']:,.1f}",
            f"{row['ratio']:.1f}x",
        )
        for graph in graphs
        for row in graph["rows"]
    ]
    if rows:
        yield "## Lineage over gRPC, upstream"
        heads = (
            "question",
            "events in the store",
            "nodes in the answer",
            "MLMD, ms",
            "ours, ms",
            "",
        )
        yield markdown(heads, rows)


WAYS = {
    "off": "without",
    "embedded": "a store in a file",
    "server": "a server",
    "away": "a server that is away",
}
"""The ways to run a pipeline, and their names on the page."""


def _hooks(recorded_results: dict[str, Any]) -> Iterator[str]:
    taken = recorded_results.get("hooks")
    if taken is None:
        return
    yield "## A run of the churn pipeline in each tool, with its hook and without"
    yield (
        "Seconds of the whole command, the median and the quartiles, "
        f"{taken_at(taken)} on {taken['processors']} processors; the load after was "
        f"{taken['load']:.1f}. This includes the costs that a process pays once: "
        "see [hooks](hooks.md#the-rules)."
    )
    rows = [
        (f"{row['tool']} {row['version']}", str(row["repeats"]), *(_spread(row[w]) for w in WAYS))
        for row in taken["rows"]
    ]
    yield markdown(("tool", "runs", *WAYS.values()), rows)


def _spread(of: dict[str, float]) -> str:
    return f"{of['median_s']:.2f} ({of['from_s']:.2f} to {of['to_s']:.2f})"


@click.command()
@click.option(
    "--results",
    default=RESULTS,
    show_default=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option(
    "--docs",
    default=ROOT / "docs",
    show_default=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
def main(*, results: Path, docs: Path) -> None:
    """Put charts of the recorded results into the page, and tables into its appendix."""
    recorded_results = results_in(results)
    measurements = recorded_results["measurements"]
    charts = draw(Results(recorded_results), measurements, docs / "images")
    fill(docs / "benchmarks.md", page(recorded_results, charts))
    fill(docs / "benchmarks-tables.md", tables(recorded_results))


def results_in(directory: Path) -> dict[str, Any]:
    """Return everything that `make bench` recorded in a directory."""
    suite = directory / "suite.json"
    if not suite.exists():
        raise click.ClickException(f"nothing was recorded in {suite}: make bench")
    return {**recorded(directory), **json.loads(suite.read_text())}


def fill(file: Path, text: str) -> None:
    """Replace the text between the markers of a page."""
    before, _, rest = file.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    file.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
    click.echo(f"wrote {file}", err=True)


if __name__ == "__main__":
    main()
