"""Tables out of results: for a terminal, and in Markdown."""

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.suite.goals import GOALS, Goal, Results

HEADS = ("workload", "at least", "aim", "measured", "")


def goal_rows(results: Results) -> list[tuple[str, ...]]:
    """Return the table of goals, each with what was measured and a verdict."""
    return [_goal_row(goal, goal.measure(results)) for goal in GOALS]


def _goal_row(goal: Goal, figure: float | None) -> tuple[str, ...]:
    sign = "<= " if goal.is_bound else ""
    measured = "-" if figure is None else _figure(figure, goal.unit)
    least, aim = (sign + _figure(bound, goal.unit) for bound in (goal.least, goal.aim))
    return goal.line, least, aim, measured, goal.verdict(figure)


def _figure(value: float, unit: str) -> str:
    return f"{value:.2f}{unit}" if 0 < value < 2 else f"{value:.3g}{unit}"


def rate_rows(measurements: Sequence[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each measurement, with its ratio to the first of its kind."""
    first: dict[tuple[str, int, str], dict[str, Any]] = {}
    for row in measurements:
        place = "embedded" if "embedded" in row["target"] else "grpc"
        key = (row["workload"], row["callers"], place + row["target"].partition("@")[2])
        base = first.setdefault(key, row)
        yield (
            row["workload"],
            str(row["callers"]),
            row["target"],
            f"{row['rate']:,.1f}",
            *_ratios(row, base),
            f"{row['p50_ms']:.3f}",
            f"{row['p99_ms']:.3f}",
            str(sum(row["errors"].values())),
            f"{row['cpu_ms_per_call']:.2f}",
            f"{row['peak_mib']:.0f}",
        )


def _ratios(row: dict[str, Any], base: dict[str, Any]) -> tuple[str, str, str]:
    """Return the ratio of the medians, the range of those of each repeat, and that when settled."""
    if not all(base["rates"]):
        return "-", "-", "-"
    pairs = zip(row["rates"], base["rates"], strict=True)
    each = sorted(one / other for one, other in pairs)
    settled = row["settled_rate"] / base["settled_rate"]
    return (
        f"{row['rate'] / base['rate']:.2f}x",
        f"{each[0]:.1f}-{each[-1]:.1f}",
        f"{settled:.2f}x",
    )


RATE_HEADS = (
    "workload",
    "callers",
    "target",
    "per second",
    "ratio",
    "from-to",
    "settled",
    "p50 ms",
    "p99 ms",
    "errors",
    "CPU ms a call",
    "peak MiB",
)


def aligned(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table for a terminal."""
    widths = [max(len(row[at]) for row in (heads, *rows)) for at in range(len(heads))]
    lines = []
    for row in (heads, *rows):
        cells = [
            text.ljust(width) if at == 0 else text.rjust(width)
            for at, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
