"""Charts of results, as SVG."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt

from benchmarks.suite.goals import GOALS, Goal, Results

OURS, THEIRS, MARK = "#1f6f8b", "#c97b3d", "#555555"
COLOURS = {"mlmd": THEIRS, "mlmd-wal": "#e0b58f", "mlmd-per-call": "#8c5a2e", "ours": OURS}

mpl.use("svg")
mpl.rcParams.update({"svg.hashsalt": "lineage-store", "font.size": 9, "axes.spines.top": False})
mpl.rcParams.update({"axes.spines.right": False, "figure.constrained_layout.use": True})


def draw(results: Results, measurements: Sequence[dict[str, Any]], directory: Path) -> list[str]:
    """Draw what was measured; return the names of the files."""
    directory.mkdir(parents=True, exist_ok=True)
    drawn = {
        "benchmarks-ratios.svg": _ratios(results),
        "benchmarks-callers.svg": _callers(measurements),
        "benchmarks-growth.svg": _growth(results),
    }
    for name, figure in drawn.items():
        if figure is not None:
            figure.savefig(directory / name, metadata={"Date": None})
            plt.close(figure)
    return [name for name, figure in drawn.items() if figure is not None]


def _ratios(results: Results) -> Any:
    """Return how many times as fast each workload is, with what is to be reached."""
    measured = [(goal, goal.measure(results)) for goal in GOALS if goal.unit == "x"]
    taken = [
        (goal, figure) for goal, figure in measured if figure is not None and not goal.is_bound
    ]
    if not taken:
        return None
    figure, axes = plt.subplots(figsize=(8, 0.6 + 0.28 * len(taken)))
    places = range(len(taken))
    axes.barh(places, [ratio for _, ratio in taken], color=OURS, height=0.6)
    for place, (goal, _) in enumerate(taken):
        _mark(axes, place, goal)
    axes.axvline(1, color=THEIRS, linewidth=1.5)
    axes.set(xscale="log", xlabel="times as fast as ML Metadata; | at least, ¦ aim")
    axes.set_yticks(places, [goal.line for goal, _ in taken])
    axes.set_xticks([1, 2, 5, 10, 20, 40], ["1", "2", "5", "10", "20", "40"])
    axes.minorticks_off()
    axes.invert_yaxis()
    return figure


def _mark(axes: Any, place: int, goal: Goal) -> None:
    for bound, style in ((goal.least, "-"), (goal.aim, ":")):
        axes.vlines(bound, place - 0.4, place + 0.4, color=MARK, linewidth=1.2, linestyle=style)


def _callers(measurements: Sequence[dict[str, Any]]) -> Any:
    """Return steps per second and p99 by how many callers there are."""
    rows = [row for row in measurements if row["workload"] == "step" and row["target"] in COLOURS]
    if len({row["callers"] for row in rows}) < 2:
        return None
    figure, (rates, slowest) = plt.subplots(1, 2, figsize=(8, 3))
    for target in dict.fromkeys(row["target"] for row in rows):
        of_target = sorted(
            (r["callers"], r["rate"], r["p99_ms"]) for r in rows if r["target"] == target
        )
        callers, per_second, p99 = zip(*of_target, strict=True)
        rates.plot(callers, per_second, marker="o", color=COLOURS[target])
        slowest.plot(callers, p99, marker="o", color=COLOURS[target], label=target)
    rates.set(xlabel="callers", ylabel="steps per second", ylim=(0, None))
    slowest.set(xlabel="callers", ylabel="p99, ms", ylim=(0, None))
    slowest.legend(frameon=False, loc="upper left")
    return figure


def _growth(results: Results) -> Any:
    """Return the time of each call by the size of the store."""
    rows = results.growth.get("rows", [])
    if not rows:
        return None
    figure, places = plt.subplots(1, 2, figsize=(8, 3), sharey=True)
    for axes, where in zip(places, ("embedded", "grpc"), strict=True):
        for what in dict.fromkeys(row["what"] for row in rows):
            sizes, times = zip(*results.grown(where, what), strict=True)
            axes.plot(sizes, times, marker="o", label=what)
        axes.set(xscale="log", yscale="log", xlabel="nodes in the store", title=where)
    places[0].set_ylabel("ms, median")
    places[1].legend(frameon=False, fontsize=8)
    return figure
