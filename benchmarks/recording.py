"""Measures what recording costs the code that is recorded, and what a cache decision costs.

Both are measured on a store in the same process and on a server of its own over gRPC, each on an
SQLite file. The time of a step is what it adds to code that does nothing, in the thread that runs
it; what the background thread needs until everything is in the store is told beside it.
"""

import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import click

from lineage_store import Artifact, LineageStore, connect
from lineage_store.cache.keys import Key, make_key
from lineage_store.client.records import Publication, StepRecord
from lineage_store.entities import Execution, ExecutionState
from lineage_store.recording import Run

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.integration.serving import serving

REPEATS = 5
DATA = Artifact(type="Dataset", uri="s3://data", custom_properties={"digest": "sha256:" + "0" * 64})


def empty(run: Run, _: int) -> None:
    with run.step("empty"):
        pass


def usual(run: Run, at: int) -> None:
    with run.step("usual", inputs={"data": DATA}, params={"depth": 6, "seed": at}) as step:
        step.output("model", uri=f"s3://model/{at}", type="Model", digest=f"sha256:{at:064x}")
        step.metric("accuracy", 0.97)


def missed(run: Run, at: int) -> None:
    unique = f"{run.id}/{at}"
    with run.step("cached", inputs={"data": DATA}, params={"seed": unique}, cache=True) as step:
        assert step.miss is not None
        step.output("model", uri=f"s3://model/{at}", type="Model", digest=f"sha256:{at:064x}")


def hit(run: Run, _: int) -> None:
    with run.step("cached", inputs={"data": DATA}, params={"seed": "known"}, cache=True) as step:
        if step.hit is None:
            step.output("model", uri="s3://model", type="Model", digest=f"sha256:{0:064x}")


STEPS: dict[str, Callable[[Run, int], None]] = {
    "empty step": empty,
    "input, output, parameters, metric": usual,
    "cache=True, miss": missed,
    "cache=True, hit": hit,
}


def measure_steps(store: LineageStore, work: Callable[[Run, int], None], count: int) -> list[float]:
    """Return what a step adds, in seconds.

    Alone, with nothing else to be sent, at the median; on the average back to back, behind what
    the steps before it have left to be sent; and back to back until all is in the store.
    """
    with store.run("bench") as run:
        for at in range(20):
            work(run, -at - 1)
        alone = statistics.median(
            seconds_alone(store, run, work, count + at) for at in range(count)
        )
        begun = time.perf_counter()
        for at in range(count):
            work(run, at)
        ended = time.perf_counter()
        store.flush_recording()
        return [alone, (ended - begun) / count, (time.perf_counter() - begun) / count]


def seconds_alone(
    store: LineageStore, run: Run, work: Callable[[Run, int], None], at: int
) -> float:
    store.flush_recording()
    begun = time.perf_counter()
    work(run, at)
    return time.perf_counter() - begun


def published(store: LineageStore, count: int) -> list[Key]:
    """Return the keys of that many steps, each with one output and an entry."""
    keys = [make_key({"step": "planned", "parameters.at": at}) for at in range(count)]
    for at in range(0, count, 100):
        store.record_steps(
            [
                StepRecord(
                    key=f"planned/{key}",
                    execution=Execution(type="planned", state=ExecutionState.COMPLETE),
                    publication=Publication(key=key),
                )
                for key in keys[at : at + 100]
            ]
        )
    return keys


def measure_lookup(store: LineageStore, keys: list[Key], budget: float) -> float:
    """Return seconds of one call that decides for all keys."""
    begun, count = time.perf_counter(), 0
    while not count or time.perf_counter() - begun < budget:
        store.cache.lookup_many(keys)
        count += 1
    return (time.perf_counter() - begun) / count


def measurements(store: LineageStore, steps: int, seconds: float) -> Iterator[dict[str, object]]:
    for name, work in STEPS.items():
        found = [measure_steps(store, work, steps) for _ in range(REPEATS)]
        alone, added, until_stored = (
            statistics.median(column) * 1e6 for column in zip(*found, strict=True)
        )
        yield {
            "what": name,
            "alone_us": alone,
            "back_to_back_us": added,
            "until_stored_us": until_stored,
        }
    keys = published(store, 1000)
    for count in (1, 100, 1000):
        found = [measure_lookup(store, keys[:count], seconds) for _ in range(REPEATS)]
        median = statistics.median(found) * 1e6
        yield {"what": f"decide for {count} keys", "call_us": median, "key_us": median / count}


@click.command()
@click.option("--steps", default=200, show_default=True, help="Steps in one measurement.")
@click.option("--seconds", default=0.3, show_default=True, help="Length of other measurements.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Keep the JSON.")
def main(*, steps: int, seconds: float, as_json: bool, save: Path | None) -> None:
    """Print medians for an embedded store, and for a server over gRPC."""
    rows = []
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["LINEAGE_STORE_SPOOL"] = str(directory / "spool")
        address = stack.enter_context(serving(directory)).address
        urls = {"embedded": f"sqlite:///{directory}/embedded.db", "gRPC": f"grpc://{address}"}
        for where, url in urls.items():
            store = stack.enter_context(connect(url))
            for row in measurements(store, steps, seconds):
                rows.append({"where": where, **row})
                if not as_json:
                    echo(rows[-1])
    taken = {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "rows": rows,
    }
    if as_json:
        click.echo(json.dumps(taken, indent=2))
    if save is not None:
        save.write_text(json.dumps(taken, indent=2) + "\n")


def echo(row: dict[str, object]) -> None:
    numbers = {name: value for name, value in row.items() if isinstance(value, float)}
    told = "   ".join(f"{name} {value:9,.0f}" for name, value in numbers.items())
    click.echo(f"{row['where']:<9} {row['what']:<34} {told}")


if __name__ == "__main__":
    main()
