"""Compares two source trees: the same calls by turns, and the ratio of their speeds.

    python benchmarks/compare.py ../before [--workload "step"] [--target ours-embedded]

Each tree runs in processes of its own, with the environment in its `.venv`. A turn makes the same
calls on both, one after the other, in an order that alternates. The first ratio compares the
fastest tenth of all calls, which other work on the machine disturbs least; the second is the median
of the turns. Put the databases on a memory disk (`--directory /dev/shm`) to leave the disk out.
"""

import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks.suite.fixture import Fixture
from benchmarks.suite.targets import ROOT, VARIANTS, Op, Target, opened
from benchmarks.suite.workloads import WORKLOADS, Workload

STEPS = 150
TURN_SECONDS = 0.06
LEAST_RATIO = 0.97
TARGETS = ("ours-embedded", "ours")


class Side:
    """One tree's store, filled as the other's.

    Args:
        target: The running store.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._fixture = Fixture(target, STEPS)

    def ops(self, workload: Workload, tag: str) -> list[Op]:
        return workload.build(self._fixture, tag, workload.count)

    def latencies(self, workload: Workload, ops: list[Op]) -> list[float]:
        """Return how many seconds each op took."""
        seconds = None if workload.writes else TURN_SECONDS
        [result] = self.target.run([{"ops": ops, "callers": 1, "seconds": seconds, "keep": 0}])
        if result["errors"]:
            raise click.ClickException(f"{workload.name}: {result['errors']}")
        latencies: list[float] = result["latencies"]
        return latencies


@contextmanager
def opened_sides(name: str, before: Path, directory: Path) -> Iterator[tuple[Side, Side]]:
    """Open a store of each tree: the one before, and this one."""
    with ExitStack() as stack:
        sides = []
        for label, checkout in (("before", before), ("after", ROOT)):
            (directory / label).mkdir()
            target = stack.enter_context(opened(name, directory / label, checkout))
            sides.append(Side(target))
        yield sides[0], sides[1]


def compare(sides: tuple[Side, Side], workload: Workload, turns: int) -> tuple[list[float], float]:
    """Return after / before in speed: the median latency of each turn, and the fastest tenths."""
    medians: list[dict[Side, float]] = []
    latencies: dict[Side, list[float]] = {side: [] for side in sides}
    for turn in range(turns):
        tag = f"{workload.name}-{turn}"
        medians.append({})
        for side in sides if turn % 2 else sides[::-1]:
            turn_latencies = side.latencies(workload, side.ops(workload, tag))
            latencies[side] += turn_latencies
            medians[-1][side] = statistics.median(turn_latencies)
            side.target.settle(1.0 if workload.writes else 0.0)
    before, after = sides
    floors = [statistics.quantiles(latencies[side], n=10)[0] for side in sides]
    return [turn[before] / turn[after] for turn in medians], floors[0] / floors[1]


def quartiles(values: list[float]) -> str:
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.3f} ({low:.2f}-{high:.2f})"


@click.command()
@click.argument("before", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--workload", "names", multiple=True, type=click.Choice(list(WORKLOADS)))
@click.option("--target", "targets", multiple=True, default=TARGETS, show_default=True)
@click.option("--turns", default=31, show_default=True, type=click.IntRange(2))
@click.option("--directory", default="/var/tmp", show_default=True, help="Where databases lie.")
def main(
    *, before: Path, names: tuple[str, ...], targets: tuple[str, ...], turns: int, directory: str
) -> None:
    """Compare this tree with the one in BEFORE; exit with 1 if a ratio is below 0.97."""
    slower = False
    for name in targets:
        with (
            tempfile.TemporaryDirectory(dir=directory) as databases,
            opened_sides(name, before.resolve(), Path(databases)) as sides,
        ):
            for workload in (WORKLOADS[n] for n in names or WORKLOADS):
                is_embedded = VARIANTS[name.partition("@")[0]].place == "embedded"
                if workload.ours_only and is_embedded:
                    continue
                medians, floor = compare(sides, workload, turns)
                slower |= floor < LEAST_RATIO
                line = f"{name:<24}{workload.name:<32}{floor:6.3f}   turns {quartiles(medians)}"
                click.echo(line)
    sys.exit(slower)


if __name__ == "__main__":
    main()
