"""What is to be reached, and how far a run has come: one line of the table for each."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Measure = Callable[["Results"], float | None]


class Results:
    """What was measured.

    Args:
        found: Results of the suite, and under "lineage", "growth" and "recording" those of these.
    """

    def __init__(self, found: dict[str, Any]) -> None:
        self._rows = {
            (row["workload"], row["callers"], row["target"]): row
            for row in found.get("measurements", [])
        }
        self.lineage: list[dict[str, Any]] = [
            row for graph in found.get("lineage", {}).get("graphs", []) for row in graph["rows"]
        ]
        self.growth: dict[str, Any] = found.get("growth", {})
        self.recording: list[dict[str, Any]] = found.get("recording", {}).get("rows", [])

    def value(self, workload: str, callers: int, target: str, name: str) -> float | None:
        """Return a figure of one measurement, or None if it was not taken."""
        row = self._rows.get((workload, callers, target))
        found = None if row is None else row[name]
        return None if found is None or math.isnan(found) else float(found)

    def errors(self, workload: str, callers: int, target: str) -> float | None:
        """Return how many calls failed, and how many steps were lost."""
        row = self._rows.get((workload, callers, target))
        return None if row is None else sum(row["errors"].values()) + (row["lost"] or 0)

    def grown(self, where: str, what: str) -> list[tuple[int, float]]:
        """Return the time of a call by the size of the store, smallest first."""
        rows = self.growth.get("rows", [])
        taken = [
            (row["nodes"], row["ms"])
            for row in rows
            if (row["where"], row["what"]) == (where, what)
        ]
        return sorted(taken)


@dataclass(frozen=True)
class Goal:
    """One line of the table.

    Attributes:
        line: What is measured.
        least: What must be reached.
        aim: What can be reached.
        measure: Finds the figure.
        is_bound: Whether less is better.
        unit: Behind the figures.
    """

    line: str
    least: float
    aim: float
    measure: Measure
    is_bound: bool = False
    unit: str = "x"

    def verdict(self, figure: float | None) -> str:
        """Return how a figure compares."""
        if figure is None:
            return "not measured"
        if self._reaches(figure, self.aim):
            return "aim met"
        return "met" if self._reaches(figure, self.least) else "MISSED"

    def _reaches(self, figure: float, bound: float) -> bool:
        return figure <= bound if self.is_bound else figure >= bound


def faster(
    workload: str, ours: str, theirs: str, callers: int = 1, their_workload: str | None = None
) -> Measure:
    """Return what finds by how much more ours does in a second."""

    def measure(results: Results) -> float | None:
        one = results.value(workload, callers, ours, "rate")
        other = results.value(their_workload or workload, callers, theirs, "rate")
        return quotient(one, other)

    return measure


def quotient(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None


def in_empty_calls(results: Results) -> float | None:
    empty = results.value("empty call", 1, "ours", "rate")
    return quotient(empty, results.value("cache decision", 1, "ours", "rate"))


def slowest(results: Results) -> float | None:
    return quotient(
        results.value("step", 32, "ours", "p99_ms"), results.value("step", 32, "mlmd", "p99_ms")
    )


def lineage(part: str, hops: int, *, events: int = 900_000, bodies: bool = False) -> Measure:
    """Return what finds a ratio among the questions about a graph of at least so many events."""

    def measure(results: Results) -> float | None:
        fitting = [
            row["ratio"]
            for row in results.lineage
            if (row["part"], row["hops"], row["with_bodies"]) == (part, hops, bodies)
            and row["of_events"] >= events
        ]
        return fitting[-1] if fitting else None

    return measure


def small_lineage(results: Results) -> float | None:
    """Return the worst ratio among answers of fewer than 100 nodes, ids alone."""
    return min(
        (row["ratio"] for row in results.lineage if row["nodes"] < 100 and not row["with_bodies"]),
        default=None,
    )


FULL_SIZE = 9_000_000


def growth(what: str, where: str) -> Measure:
    """Return what finds by how much a call is slower on the full size than on the smallest."""

    def measure(results: Results) -> float | None:
        taken = results.grown(where, what)
        if not taken or taken[-1][0] < FULL_SIZE:
            return None
        return taken[-1][1] / taken[0][1]

    return measure


def memory(results: Results) -> float | None:
    """Return the memory of the server at the full size, in GB, at most."""
    sizes = results.growth.get("sizes", [])
    full = [size["server_peak_mib"] / 1024 for size in sizes if size["nodes"] >= FULL_SIZE]
    return max(full, default=None)


def recorded(where: str) -> Measure:
    """Return what finds the time that recording a step takes in the code that runs it, in us."""
    what = "input, output, parameters, metric"

    def measure(results: Results) -> float | None:
        rows = [row for row in results.recording if (row["where"], row["what"]) == (where, what)]
        return float(rows[0]["alone_us"]) if rows else None

    return measure


EMBEDDED = ("ours-embedded", "mlmd-embedded")
POSTGRESQL = ("ours-embedded@postgresql", "mlmd-embedded@postgresql")
MARIADB = ("ours-embedded@mariadb", "mlmd-embedded@mariadb")
GRPC = ("ours", "mlmd")


def many_steps() -> list[Goal]:
    """Return the lines about many steps in one transaction.

    On SQLite, against ML Metadata's step by step: that is how it is used. On PostgreSQL, against
    as many steps in one of its calls.
    """
    goals = []
    for call, workload in (
        ("PutLineageSubgraph", "32 steps"),
        ("RecordSteps", "32 steps recorded"),
    ):
        alone = faster(workload, *EMBEDDED, their_workload="step")
        together = faster(workload, *POSTGRESQL, their_workload="32 steps")
        goals += [
            Goal(f"32 steps in {call}, embedded, against step by step", 9, 23, alone),
            Goal(f"32 steps in {call}, PostgreSQL, against 32 in a call", 15, 27, together),
        ]
    return goals


GOALS = [
    Goal("step over gRPC, 1 caller", 2.5, 4, faster("step", *GRPC)),
    Goal("step over gRPC, 8 callers", 3.5, 6, faster("step", *GRPC, 8)),
    Goal("step over gRPC, 32 callers", 4, 8, faster("step", *GRPC, 32)),
    Goal("step, embedded", 3, 6, faster("step", *EMBEDDED)),
    Goal(
        "step, embedded, against MLMD on WAL",
        1.2,
        2.5,
        faster("step", "ours-embedded", "mlmd-embedded-wal"),
    ),
    *many_steps(),
    Goal("put 1000 in one call, gRPC", 3, 10, faster("put 1000", *GRPC)),
    Goal("get 100, gRPC", 3.5, 5, faster("get 100", *GRPC)),
    Goal("artifacts of a context, gRPC", 6, 8, faster("artifacts of a context", *GRPC)),
    Goal("get 1, embedded", 4, 6, faster("get 1", *EMBEDDED)),
    Goal("get 100, embedded", 12, 18, faster("get 100", *EMBEDDED)),
    Goal("by name, embedded", 7, 9, faster("by name", *EMBEDDED)),
    Goal("cache decision in one RPC against MLMD's four", 5, 7, faster("cache decision", *GRPC)),
    Goal("cache decision, in empty calls", 1.6, 1.3, in_empty_calls, is_bound=True),
    Goal("lineage over gRPC, 1M events, 20 hops", 20, 30, lineage("graph", 20)),
    Goal("lineage over gRPC, 1M events, 100 hops", 25, 40, lineage("graph", 100)),
    Goal("the same with bodies, 100 hops", 8, 15, lineage("graph", 100, bodies=True)),
    Goal("small lineage answers (< 100 nodes), the worst", 1.8, 4, small_lineage),
    Goal("write p99 at 32 writers, of MLMD's", 1 / 3, 1 / 4, slowest, is_bound=True),
    Goal(
        "errors and lost steps at 64 writers",
        0,
        0,
        lambda results: results.errors("step", 64, "ours"),
        is_bound=True,
        unit="",
    ),
    Goal("put 100, MariaDB", 10, 20, faster("put 100", *MARIADB)),
    Goal("put 1000, MariaDB", 10, 20, faster("put 1000", *MARIADB)),
    Goal("32 steps in a call, MariaDB", 10, 20, faster("32 steps", *MARIADB)),
    *(
        Goal(
            f"{what} at 10M nodes against 10k, {where}",
            1.5,
            1.2,
            growth(what, where),
            is_bound=True,
        )
        for what in ("step", "cache decision", "closure")
        for where in ("grpc", "embedded")
    ),
    Goal("memory of the whole server at 10M nodes", 1.5, 1.0, memory, is_bound=True, unit=" GB"),
    *(
        Goal(f"a step in user code, {where}", 100, 50, recorded(where), is_bound=True, unit=" us")
        for where in ("embedded", "gRPC")
    ),
]
