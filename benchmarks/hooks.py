"""Measures what a hook costs: the same run of a real pipeline with it and without.

Each tool runs the churn pipeline of `tests/hooks` in its environment of `.venv-hooks`, as a
command: the times are those of the whole process, as a user waits for it. "off" is with
LINEAGE_STORE_URL unset, "embedded" and "server" with a store in a file and behind gRPC, "away" with
a server that is not there. The ways take turns, so that a machine that gets slower does so for all.
A tool that takes long has fewer turns.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parent.parent))
from lineage_store.integrations.tools import TOOLS
from tests.hooks.adapters import Adapter, adapters
from tests.hooks.project import Project
from tests.integration.serving import serving

WAYS = ("off", "embedded", "server", "away")
LEAST = 5
"""How many turns even the slowest tool has, if as many are asked for."""


def urls(directory: Path, address: str) -> dict[str, str | None]:
    return {
        "off": None,
        "embedded": f"sqlite:///{directory}/embedded.db",
        "server": f"grpc://{address}",
        "away": "grpc://127.0.0.1:9",
    }


def seconds(project: Project, url: str | None) -> float:
    project.forget_outputs()
    begun = time.perf_counter()
    project.succeed(url)
    return time.perf_counter() - begun


def measure(
    adapter: Adapter, address: str, directory: Path, repeats: int, at_most: float
) -> dict[str, object]:
    """Return the median seconds of a run each way, and the quartiles."""
    project = Project(adapter, directory)
    ways = urls(directory, address)
    for url in ways.values():  # caches of bytecode, the database
        seconds(project, url)
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    end = time.monotonic() + at_most
    for at in range(repeats):
        if at >= LEAST and time.monotonic() > end:
            break
        for way in WAYS[at % len(WAYS) :] + WAYS[: at % len(WAYS)]:
            found[way].append(seconds(project, ways[way]))
    told = {"tool": adapter.name, "version": version(adapter), "repeats": len(found["off"])}
    return told | {way: summary(times) for way, times in found.items()}


def version(adapter: Adapter) -> str:
    """Return the version of a tool in its environment."""
    distribution = TOOLS[adapter.name].distribution
    ask = f"from importlib.metadata import version; print(version({distribution!r}))"
    done = subprocess.run([adapter.python, "-c", ask], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def summary(times: list[float]) -> dict[str, float]:
    lower, median, upper = statistics.quantiles(times, n=4) if len(times) > 1 else times * 3
    return {"median_s": round(median, 3), "from_s": round(lower, 3), "to_s": round(upper, 3)}


def measurements(
    names: tuple[str, ...], repeats: int, at_most: float
) -> Iterator[dict[str, object]]:
    with ExitStack() as stack:
        base = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        address = stack.enter_context(serving(base)).address
        for adapter in adapters():
            if adapter.name in names or (not names and adapter.python.exists()):
                directory = base / adapter.name
                directory.mkdir()
                yield measure(adapter, address, directory, repeats, at_most)


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--repeats",
    default=12,
    show_default=True,
    type=click.IntRange(1),
    help="Runs each way, at most.",
)
@click.option(
    "--seconds",
    "at_most",
    default=60.0,
    show_default=True,
    help=f"After how long a tool begins no further turn, if it had {LEAST}.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Keep the JSON.")
def main(
    names: tuple[str, ...], *, repeats: int, at_most: float, as_json: bool, save: Path | None
) -> None:
    """Print the median time of a run in the tools that are named, else in all that are there."""
    rows = []
    for row in measurements(names, repeats, at_most):
        rows.append(row)
        if not as_json:
            told = "   ".join(f"{way} {row[way]['median_s']:7.3f} s" for way in WAYS)  # type: ignore[index]
            click.echo(f"{row['tool']:<10} {told}")
    taken = {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "rows": rows,
    }
    if as_json:
        click.echo(json.dumps(taken, indent=2))
    if save is not None:
        save.write_text(json.dumps(taken, indent=2) + "\n")


if __name__ == "__main__":
    main()
