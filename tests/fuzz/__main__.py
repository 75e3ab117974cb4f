"""`make fuzz`: mutated requests of every RPC of every service, on each database.

Fails on INTERNAL, UNKNOWN and DATA_LOSS, on a stack trace in the log, on an answer that comes
later than 5 s, and on memory that grows. Each finding is printed with its method and the bytes of
its request, which `--replay PATH HEX` sends again.
"""

import argparse
import sys
import tempfile
from functools import reduce
from pathlib import Path

import pytest

from tests.fuzz.running import DATABASES, Report, replayed, run

ROUND_SECONDS = 120


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="time for each database")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=[*DATABASES, "all"], default="all")
    parser.add_argument("--replay", nargs=2, metavar=("PATH", "HEX"))
    options = parser.parse_args()
    names = list(DATABASES) if options.database == "all" else [options.database]
    is_clean = True
    for name in names:
        try:
            if options.replay:
                path, encoded = options.replay
                with tempfile.TemporaryDirectory(prefix="lineage-fuzz-") as directory:
                    print(replayed(Path(directory), name, path, bytes.fromhex(encoded)))
                continue
            report = run_in_rounds(name, options.seconds, options.seed)
        except pytest.skip.Exception as skipped:
            print(f"{name}: {skipped}")
            continue
        for line in report.lines():
            print(f"{name}: {line}", flush=True)
        is_clean &= report.is_clean
    return 0 if is_clean else 1


def run_in_rounds(database: str, seconds: float, seed: int) -> Report:
    """Run for some time, now and then on a new store, so that it does not grow without end."""
    rounds = max(1, round(seconds / ROUND_SECONDS))
    reports = []
    for number in range(rounds):
        with tempfile.TemporaryDirectory(prefix="lineage-fuzz-") as directory:
            reports.append(run(Path(directory), database, seconds / rounds, seed * 1_000 + number))
    return reduce(Report.and_then, reports)


if __name__ == "__main__":
    sys.exit(main())
