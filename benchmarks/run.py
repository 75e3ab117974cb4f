"""Measures this store and the real ML Metadata side by side: `make bench`, `make bench-quick`."""

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks.suite.equality import compare
from benchmarks.suite.fixture import Fixture
from benchmarks.suite.measuring import Bench, can_do
from benchmarks.suite.targets import opened
from benchmarks.suite.workloads import READS, WORKLOADS, WRITES

@click.command()
@click.option("--targets", default="mlmd,ours")
@click.option("--workloads", default=None)
@click.option("--callers", default="1")
@click.option("--repeats", default=5)
def main(targets, workloads, callers, repeats):
    names = targets.split(",")
    chosen = workloads.split(",") if workloads else list(WORKLOADS)
    with ExitStack() as stack:
        d = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        fx = {n: Fixture(stack.enter_context(opened(n, d)), 120) for n in names}
        bench = Bench(fx, repeats, 1.0)
        for w in WORKLOADS.values():
            if w.name in chosen: compare(w, bench.readers(w)); print("equal", w.name, file=sys.stderr)
        for w in chosen:
            for c in map(int, callers.split(",")):
                ms = [m.summary() for m in bench.measure(w, c, [n for n in names if w not in WORKLOADS or can_do(n, WORKLOADS[w])])]
                for m in ms: print(f"{w:28} {c:3} {m['target']:20} {m['rate']:10.1f} {m['rate']/ms[0]['rate']:6.2f}x p50 {m['p50_ms']:.3f} p99 {m['p99_ms']:.3f} cpu/call {m['cpu_ms_per_call']:.2f} rss {m['rss_mib']:.0f} err {m['errors']} lost {m['lost']}")
main()
