"""Shows where the time of a call goes: its statements, and the functions it is spent in.

    python benchmarks/profile_calls.py WORKLOAD [--backend BACKEND] [--calls N] [--lines N]

The engine is in this process, on a new database that holds what the benchmarks put first.
"""

import cProfile
import pstats
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks.processes.caller import EnginePort, perform
from benchmarks.suite.fixture import Fixture
from benchmarks.suite.targets import BACKENDS, VARIANTS, Op, new_database
from benchmarks.suite.workloads import WORKLOADS
from lineage_store.database import connection
from lineage_store.v1 import metadata_service_pb2 as service

STEPS = 150
QUIET_SECONDS = 0.3


class Here:
    """A target without a process of its own."""

    name = "here"
    variant = VARIANTS["ours-embedded"]

    def __init__(self, port: EnginePort) -> None:
        self._port = port

    def answers(self, ops: list[Op]) -> list[list[bytes]]:
        return [perform(self._port, op) for op in ops]

    def call(self, method: str, request: Any) -> Any:
        [[answer]] = self.answers([[(method, request.SerializeToString())]])
        return getattr(service, f"{method}Response").FromString(answer)


def wait_for_quiet() -> None:
    """Wait until nothing is done behind the calls."""
    texts: list[str] = []
    connection.statement_observers.append(texts.append)
    try:
        before = -1
        while len(texts) > before:
            before = len(texts)
            time.sleep(QUIET_SECONDS)
    finally:
        connection.statement_observers.remove(texts.append)


def statements(port: EnginePort, op: Op) -> Counter[str]:
    """Return the statements that one op causes, and how often."""
    texts: list[str] = []
    connection.statement_observers.append(texts.append)
    try:
        perform(port, op)
    finally:
        connection.statement_observers.remove(texts.append)
    return Counter(texts)


@click.command()
@click.argument("workload", type=click.Choice([w for w in WORKLOADS if w != "empty call"]))
@click.option("--backend", default="sqlite", show_default=True, type=click.Choice(BACKENDS))
@click.option("--calls", default=300, show_default=True, type=click.IntRange(1))
@click.option("--lines", default=25, show_default=True, type=click.IntRange(1))
def main(*, workload: str, backend: str, calls: int, lines: int) -> None:
    """Profile calls of a WORKLOAD."""
    name = f"ours-embedded@{backend}".removesuffix("@sqlite")
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp") as directory,
        new_database(name, Path(directory)) as (url, _),
    ):
        port = EnginePort(url)
        with closing(port.engine):
            fixture = Fixture(Here(port), STEPS)
            first, *ops = WORKLOADS[workload].build(fixture, "profiled", calls + 1)
            wait_for_quiet()
            for text, count in statements(port, first).items():
                click.echo(f"{count} x {text[:200]}")
            begun = time.perf_counter()
            for op in ops[: calls // 2]:
                perform(port, op)
            each = (time.perf_counter() - begun) / max(1, calls // 2)
            click.echo(f"\n{each * 1e6:,.0f} us a call without the profiler\n")
            with cProfile.Profile() as profile:
                for op in ops[calls // 2 :]:
                    perform(port, op)
    pstats.Stats(profile).strip_dirs().sort_stats("tottime").print_stats(lines)


if __name__ == "__main__":
    main()
