"""A soak: writers, readers, walkers and hostile callers on one server that is restarted as planned.

python -m benchmarks.soak.run --seconds 900 --save benchmarks/results/soak.json

It ends with exit code 1 if an honest caller saw a status other than OK and UNAVAILABLE, if a write
that was acknowledged is not there, or if the readers' p99 is above a second.
"""

import json
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent.parent.parent))
from benchmarks.soak import callers
from benchmarks.soak.callers import Record
from benchmarks.soak.chart import draw
from benchmarks.soak.group import Group
from lineage_store import ArtifactType, ExecutionType, connect
from tests.integration.restarts import free_port
from tests.integration.serving import serving

GROUPS = (
    Group("writers", callers.write, 16),
    Group("readers", callers.read, 8),
    Group("walkers", callers.walk, 4),
    Group("hostile", callers.attack, 4, host="[::1]"),
)
HONEST = ("writers", "readers", "walkers")
SAMPLE_SECONDS = 5.0
MOST_P99_SECONDS = 1.0


@dataclass(slots=True)
class Soak:
    """What happened to the server.

    Attributes:
        samples: Time, resident bytes and threads of the server, every few seconds.
        stops: When each planned stop began, and how many seconds it took.
        log_bytes: What the server logged.
        tracebacks: Lines of the log that begin one.
    """

    samples: list[tuple[float, int, int]] = field(default_factory=list)
    stops: list[tuple[float, float]] = field(default_factory=list)
    log_bytes: int = 0
    tracebacks: int = 0


def serve(soak: Soak, directory: Path, port: int, until: float, every: float) -> None:
    """Serve until a time, restarting as planned every so many seconds."""
    while time.time() < until:
        options = ("--grpc", f"[::]:{port}")
        with serving(directory, *options) as served:
            restart_at = min(until, time.time() + every)
            while time.time() < restart_at:
                soak.samples.append(_sample(served.process.pid))
                time.sleep(min(SAMPLE_SECONDS, max(0.0, restart_at - time.time())))
            begun = time.time()
            served.stop(signal.SIGTERM)
            soak.stops.append((begun, time.time() - begun))
        log = served.log()
        soak.log_bytes += len(log)
        soak.tracebacks += log.count("Traceback (most recent call last)")


def _sample(pid: int) -> tuple[float, int, int]:
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return time.time(), int(status["VmRSS"].split()[0]) * 1024, int(status["Threads"])


def prepare(url: str) -> None:
    """Create the types that callers use, and the artifact that hostile walks begin at."""
    with connect(url) as store:
        assert store.put_artifact_type(ArtifactType(name="A")) == callers.ARTIFACT_TYPE
        assert store.put_execution_type(ExecutionType(name="E")) == callers.EXECUTION_TYPE


def lost(path: Path, acknowledged: dict[str, int]) -> list[str]:
    """Return the names of acknowledged executions that the database does not have."""
    with closing(sqlite3.connect(path)) as raw:
        stored = dict(raw.execute("SELECT name, id FROM executions"))
    return [name for name, number in acknowledged.items() if stored.get(name) != number]


def faults(records: dict[str, Record], missing: list[str]) -> Iterator[str]:
    """Yield what was not as it must be."""
    for name in HONEST:
        bad = set(records[name].statuses) - {"OK", "UNAVAILABLE"}
        if bad:
            yield f"{name} saw {', '.join(sorted(bad))}"
    if missing:
        yield f"{len(missing)} acknowledged writes are lost, such as {missing[0]}"
    p99 = percentile(records["readers"], 0.99)
    if p99 > MOST_P99_SECONDS:
        yield f"the readers' p99 is {p99:.2f} s"


def percentile(record: Record, share: float) -> float:
    """Return how long, in seconds, that share of the calls took at most."""
    seconds = sorted(seconds for _, seconds in record.latencies)
    return seconds[int(share * (len(seconds) - 1))] if seconds else 0.0


def summary(records: dict[str, Record], soak: Soak) -> dict[str, Any]:
    """Return the figures of a soak."""
    return {
        "groups": {
            name: {
                "statuses": dict(record.statuses),
                "p50_ms": round(percentile(record, 0.5) * 1000, 1),
                "p99_ms": round(percentile(record, 0.99) * 1000, 1),
                "max_ms": round(percentile(record, 1.0) * 1000, 1),
            }
            for name, record in records.items()
        },
        "acknowledged": len(records["writers"].acknowledged),
        "stops_seconds": [round(seconds, 2) for _, seconds in soak.stops],
        "log_bytes": soak.log_bytes,
        "tracebacks": soak.tracebacks,
    }


@click.command()
@click.option("--seconds", default=900.0, show_default=True, help="Length of the soak.")
@click.option("--every", default=120.0, show_default=True, help="Seconds between two restarts.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Keep the figures.")
@click.option("--chart", type=click.Path(dir_okay=False, path_type=Path), help="Draw an SVG.")
def main(seconds: float, every: float, save: Path | None, chart: Path | None) -> None:
    """Soak a server on an SQLite file; print what callers saw."""
    soak, records = Soak(), {}
    with tempfile.TemporaryDirectory() as name:
        directory, port = Path(name), free_port()
        prepare(f"sqlite:///{directory}/store.db")
        until = time.time() + seconds
        running = {g.name: g.start(port, seconds) for g in GROUPS}
        serve(soak, directory, port, until + 5, every)
        for group, (process, results) in running.items():
            records[group] = results.get(timeout=120)
            process.join()
        missing = lost(directory / "store.db", records["writers"].acknowledged)
    figures = summary(records, soak)
    click.echo(json.dumps(figures, indent=2))
    if save is not None:
        save.write_text(json.dumps(figures, indent=2) + "\n")
    if chart is not None:
        draw(chart, records["readers"].latencies, soak.samples, soak.stops)
    wrong = list(faults(records, missing))
    for line in wrong:
        click.echo(line, err=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
