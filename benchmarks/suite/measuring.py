"""Takes measurements: the candidates in turn, and the whole several times."""

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.suite.equality import Reader, compare
from benchmarks.suite.fixture import Fixture
from benchmarks.suite.workloads import MIXED, WORKLOADS, Workload

READ_SECONDS = 0.2
"""How long ops that read are repeated."""

OPS_OF_CALLER = 6
"""At least so many ops has each of many callers."""

WRITERS, READERS = 8, 2


@dataclass
class Measurement:
    """What one store did in one workload, in all repeats.

    Attributes:
        rates: Units per second of each repeat.
        latencies: Seconds of each op.
        errors: How many calls failed, by code.
        calls: How many ops succeeded.
        cpu_seconds: Processor time of the process that has the store.
        rss_mib: Its memory after the last repeat.
        peak_mib: Its memory at most, so far.
        lost: Acknowledged steps that were not found; None: not counted.
        read_rates: Of the readers, in the mixed load.
        settled_rates: Units per second of each repeat, with the processor time of what the store
            has put off: it is not saved.
    """

    workload: str
    callers: int
    target: str
    rates: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    cpu_seconds: float = 0.0
    rss_mib: float = 0.0
    peak_mib: float = 0.0
    lost: int | None = None
    read_rates: list[float] = field(default_factory=list)
    settled_rates: list[float] = field(default_factory=list)

    def add(self, result: dict[str, Any], units: int, settling: float) -> None:
        """Add the result of a lane, after which the store worked for so many seconds."""
        done = len(result["latencies"])
        self.settled_rates.append(done * units / (result["elapsed"] + settling))
        self.rates.append(done * units / result["elapsed"] if done else 0.0)
        self.latencies += result["latencies"]
        self.calls += done
        for code, count in result["errors"].items():
            self.errors[code] = self.errors.get(code, 0) + count

    def summary(self) -> dict[str, Any]:
        """Return what goes into the results; times in ms."""
        row = asdict(self)
        del row["latencies"], row["read_rates"]
        row["rate"] = statistics.median(self.rates)
        row["settled_rate"] = statistics.median(self.settled_rates)
        row["p50_ms"] = percentile(self.latencies, 0.5) * 1e3
        row["p99_ms"] = percentile(self.latencies, 0.99) * 1e3
        row["cpu_ms_per_call"] = self.cpu_seconds * 1e3 / max(1, self.calls)
        if self.read_rates:
            row["read_rate"] = statistics.median(self.read_rates)
        return row


def percentile(values: list[float], part: float) -> float:
    """Return the value below which that part of the values is; NaN if there are none."""
    if not values:
        return float("nan")
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def lane(ops: list[Any], callers: int, seconds: float | None) -> dict[str, Any]:
    return {"ops": ops, "callers": callers, "seconds": seconds, "keep": 0}


class Bench:
    """Measures workloads on stores that hold the same.

    Args:
        fixtures: The stores by name.
        scale: Multiplies how much is done in each turn.
    """

    def __init__(self, fixtures: dict[str, Fixture], scale: float) -> None:
        self._fixtures = fixtures
        self._readers = {name: Reader(fixture) for name, fixture in fixtures.items()}
        self._scale = scale
        self._taken: dict[tuple[str, int, str], Measurement] = {}

    def check(self, workload: Workload) -> None:
        """Let all stores that can do a workload do some of it, and compare their answers.

        Raises:
            Different: They differ.
        """
        compare(workload, {n: r for n, r in self._readers.items() if can_do(n, workload.name)})

    def take_turns(self, workload: str, callers: int, repeat: int) -> None:
        """Measure a workload once on each store that can do it, in another order each time."""
        names = [name for name in self._fixtures if can_do(name, workload)]
        work = self._mixed if workload == MIXED else self._alone
        for name in names if repeat % 2 == 0 else reversed(names):
            into = self._taken.setdefault(
                (workload, callers, name), Measurement(workload, callers, name)
            )
            self._observed(into, work, f"{workload}-{callers}-{repeat}")

    def summaries(self) -> list[dict[str, Any]]:
        """Return what was measured; stores in the order in which they were given."""
        order = list(self._fixtures)
        taken = sorted(self._taken.values(), key=lambda m: order.index(m.target))
        works = list(dict.fromkeys((m.workload, m.callers) for m in self._taken.values()))
        return [m.summary() for work in works for m in taken if (m.workload, m.callers) == work]

    def _observed(
        self, into: Measurement, work: Callable[[Measurement, str], None], tag: str
    ) -> None:
        target = self._fixtures[into.target].target
        before = target.cpu_seconds()
        work(into, tag)
        into.cpu_seconds += target.cpu_seconds() - before
        into.rss_mib, into.peak_mib = target.memory_mib()

    def _alone(self, into: Measurement, tag: str) -> None:
        workload, fixture = WORKLOADS[into.workload], self._fixtures[into.target]
        count = max(1, int(workload.count * self._scale))
        if into.callers > 1 and workload.writes:
            count = max(count, OPS_OF_CALLER * into.callers)
        ops = workload.build(fixture, tag, count)
        seconds = None if workload.writes else READ_SECONDS * self._scale
        [result] = fixture.target.run([lane(ops, into.callers, seconds)])
        into.add(result, workload.units, fixture.target.settle() if workload.writes else 0.0)
        if into.callers > 1 and workload.writes == "steps":
            self._count(into, tag, len(result["latencies"]) * workload.units)

    def _mixed(self, into: Measurement, tag: str) -> None:
        fixture = self._fixtures[into.target]
        count = max(OPS_OF_CALLER * WRITERS, int(WORKLOADS["step"].count * self._scale))
        steps = WORKLOADS["step"].build(fixture, tag, count)
        reads = WORKLOADS["get 100"].build(fixture, tag, WORKLOADS["get 100"].count)
        written, read = fixture.target.run([lane(steps, WRITERS, None), lane(reads, READERS, 0)])
        into.add(written, 1, fixture.target.settle())
        into.read_rates.append(len(read["latencies"]) / read["elapsed"])
        self._count(into, tag, len(written["latencies"]))

    def _count(self, into: Measurement, tag: str, acknowledged: int) -> None:
        """Look for what was acknowledged; what failed may be there as well."""
        missing = max(0, acknowledged - self._readers[into.target].count_steps(tag))
        into.lost = (into.lost or 0) + missing


def can_do(target: str, workload: str) -> bool:
    """Whether a target can do a workload: an empty call needs a server of ours."""
    known = WORKLOADS.get(workload)
    return known is None or not known.ours_only or target.partition("@")[0] == "ours"
