"""Measures what a hook adds to one process of a task, part by part.

For the tools that start a process for each task, where it counts most: each is measured in fresh
interpreters of its environment, with the modules imported that such a process has anyhow.

- "start": Python starts, and finds the line that has hooks imported;
- "hook": what the tool loads, and what records; the scheduler of Airflow does so before it forks;
- "recorder": it is set up for the store;
- "begin": a step begins;
- "opening": Airflow's tasks open the store, in a thread of its own while the task runs; those of
  Dagster and Metaflow leave the sending to the process that started them;
- "end", "flush": a step ends, and its records are in the store or in the spool.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.hooks.adapters import ROOT
from tests.integration.serving import environment, serving

IMPORTS = {
    "airflow": "airflow.sdk.execution_time.task_runner, airflow.sdk.lineage",
    "dagster": "dagster._core.execution.api, dagster._core.executor.multiprocess",
    "metaflow": "metaflow.cli, metaflow.runtime, metaflow.task",
}
LEAVES_SENDING = ("dagster", "metaflow")

PARTS = """
import json, os, sys, time
found, last = {{}}, time.perf_counter()
def part(name):
    global last
    found[name] = (time.perf_counter() - last) * 1000
    last = time.perf_counter()
os.environ["LINEAGE_STORE_URL"] = {url!r}
import lineage_store.integrations.startup
part("start")
sys.meta_path.pop(0)  # the hook is to be imported by itself
import {imports}
last = time.perf_counter()
from lineage_store.integrations import {tool}
from lineage_store.integrations.switch import Switch
switch = Switch({tool!r})
switch.preload()
part("hook")
events = switch._of({url!r})
part("recorder")
if {leaves_sending}:
    events.delegate_delivery()
run = events.run("run", pipeline="dag", run_id="dag@run")
step = run.step("task", index=0, params={{"depth": 2}})
step.begin()
part("begin")
if not {leaves_sending}:
    events.recorder.flush()
    part("opening")
step.metric("accuracy", 0.9)
step.end()
part("end")
events.recorder.flush()
part("flush")
print(json.dumps(found))
"""


def measured(tool: str, url: str, directory: Path, repeats: int) -> Iterator[dict[str, float]]:
    variables = {
        "AIRFLOW_HOME": str(directory / "airflow"),
        "LINEAGE_STORE_SPOOL": str(directory / "spool"),
    }
    script = PARTS.format(
        tool=tool, url=url, imports=IMPORTS[tool], leaves_sending=tool in LEAVES_SENDING
    )
    for _ in range(repeats + 1):
        done = subprocess.run(
            [ROOT / ".venv-hooks" / tool / "bin" / "python", "-c", script],
            cwd=directory,  # where there is no other lineage_store
            env=environment(**variables),
            capture_output=True,
            text=True,
            check=True,
        )
        yield json.loads(done.stdout.splitlines()[-1])


@click.command()
@click.argument("tools", nargs=-1, type=click.Choice([*IMPORTS]))
@click.option("--repeats", default=5, show_default=True, type=click.IntRange(1))
def main(tools: tuple[str, ...], *, repeats: int) -> None:
    """Print the median of each part in ms, with a store behind gRPC and with one in a file."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        served = stack.enter_context(serving(directory))
        urls = {"server": f"grpc://{served.address}", "embedded": f"sqlite:///{directory}/own.db"}
        for tool in tools or IMPORTS:
            for way, url in urls.items():
                rows = list(measured(tool, url, directory, repeats))[1:]  # the first fills caches
                medians = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
                told = "   ".join(f"{name} {ms:.1f}" for name, ms in medians.items())
                click.echo(f"{tool:<10} {way:<10} {told}   in all {sum(medians.values()):.1f}")


if __name__ == "__main__":
    main()
