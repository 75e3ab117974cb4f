"""The benchmarks run, see the same on both sides, and would say so if they did not.

The speed is not tested: a benchmark is never a timed test.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.suite.equality import Different, compare
from benchmarks.suite.goals import GOALS, Goal, Results
from benchmarks.suite.workloads import WORKLOADS
from tests import real_mlmd

ROOT = Path(__file__).parent.parent.parent


def results(command: str, *options: str, directory: Path) -> Any:
    """Return the JSON that a command writes."""
    file = directory / "results.json"
    process = subprocess.run(
        [sys.executable, f"benchmarks/{command}.py", *options, "--json", str(file)],
        cwd=ROOT,
        env={**os.environ, "LINEAGE_MLMD_PYTHON": str(real_mlmd.python())},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(file.read_text())


@pytest.mark.parametrize("place", [pytest.param("grpc", marks=pytest.mark.long), "embedded"])
def test_all_workloads_run_and_both_stores_answer_the_same(place: str, tmp_path: Path) -> None:
    targets = {"grpc": ("mlmd", "ours"), "embedded": ("mlmd-embedded", "ours-embedded")}[place]
    options = ["--targets", ",".join(targets), "--callers", "1,2", "--repeats", "1"]
    measured = results("run", *options, "--scale", "0.02", "--steps", "60", directory=tmp_path)
    rows = measured["measurements"]
    pairs = {(row["workload"], row["target"]) for row in rows}
    assert {(work, target) for work in WORKLOADS for target in targets} - pairs == (
        {("empty call", "mlmd")}
        if place == "grpc"
        else {("empty call", "mlmd-embedded"), ("empty call", "ours-embedded")}
    )
    assert all(row["rate"] > 0 and not row["errors"] and not row["lost"] for row in rows)


@pytest.mark.long
def test_growth_is_measured_on_stores_that_answer_what_they_were_filled_with(
    tmp_path: Path,
) -> None:
    options = ["--sizes", "600,3000", "--repeats", "1", "--directory", str(tmp_path)]
    growth = results("growth", *options, directory=tmp_path)
    assert [size["nodes"] for size in growth["sizes"]] == [600, 3000]
    assert len(growth["rows"]) == 2 * 2 * 5


class Answering:
    """Stands for a store with these answers."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)

    def answers(self, _: Any) -> list[Any]:
        return self._answers


def test_other_answers_end_the_measurement() -> None:
    step = WORKLOADS["step"]
    compare(step, {"mlmd": Answering(1, 2), "ours": Answering(1, 2)})
    with pytest.raises(Different, match="mlmd and ours"):
        compare(step, {"mlmd": Answering(1, 2), "ours": Answering(1, 3)})
    with pytest.raises(Different, match="2 and 1 answers"):
        compare(step, {"mlmd": Answering(1, 2), "ours": Answering(1)})


@pytest.mark.parametrize(
    ("is_bound", "figure", "verdict"),
    [
        (False, 1.9, "MISSED"),
        (False, 2.0, "met"),
        (False, 4.0, "aim met"),
        (True, 4.1, "MISSED"),
        (True, 4.0, "met"),
        (True, 2.0, "aim met"),
        (True, None, "not measured"),
    ],
)
def test_a_verdict(*, is_bound: bool, figure: float | None, verdict: str) -> None:
    least, aim = (4, 2) if is_bound else (2, 4)
    assert Goal("x", least, aim, lambda _: None, is_bound=is_bound).verdict(figure) == verdict


def test_what_was_not_measured_has_no_figure() -> None:
    assert [goal.measure(Results({})) for goal in GOALS] == [None] * len(GOALS)


def test_the_pages_have_the_recorded_results() -> None:
    pytest.importorskip("matplotlib")
    from benchmarks import publish  # noqa: PLC0415 - needs matplotlib

    charts = list(publish.TITLES)
    recorded_results = publish.results_in(publish.RESULTS)
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    appendix = (ROOT / "docs" / "benchmarks-tables.md").read_text()
    assert f"{publish.BEGIN}\n\n{publish.page(recorded_results, charts)}\n" in page
    assert f"{publish.BEGIN}\n\n{publish.tables(recorded_results)}\n" in appendix
