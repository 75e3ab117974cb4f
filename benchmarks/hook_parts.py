"""Measures what a hook adds to one process of a task of Airflow, part by part.

The scheduler loads plugins before it forks its workers, and these fork a process for each task, so
"plugin", which imports what records, is paid once. The other parts are paid by each task; "opening"
takes place in a thread of its own while the task runs. Each is measured in fresh interpreters of
`.venv-hooks/airflow` with the Task SDK imported.
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

PARTS = """
import json, os, sys, time
import airflow.sdk.execution_time.task_runner, airflow.sdk.bases.operator
from airflow.sdk.lineage import get_hook_lineage_collector
known, found, last = set(sys.modules), {}, time.perf_counter()
def part(name):
    global last
    found[name] = (time.perf_counter() - last) * 1000
    last = time.perf_counter()
from lineage_store.integrations import airflow
part("plugin")
events = airflow.record._of(os.environ["LINEAGE_STORE_URL"])
part("recorder")
run = events.run("run", pipeline="dag", run_id="dag@run")
step = run.step("task", index=0, params={"depth": 2})
step.begin()
part("begin")
events.recorder.flush()
part("opening")
step.metric("accuracy", 0.9)
step.end()
part("end")
events.recorder.flush()
part("flush")
print(json.dumps({"parts": found, "modules": len(set(sys.modules) - known)}))
"""


def measured(url: str, directory: Path, repeats: int) -> Iterator[dict[str, float]]:
    python = ROOT / ".venv-hooks/airflow/bin/python"
    variables = {
        "AIRFLOW_HOME": str(directory / "airflow"),
        "LINEAGE_STORE_URL": url,
        "LINEAGE_STORE_SPOOL": str(directory / "spool"),
    }
    for _ in range(repeats + 1):
        done = subprocess.run(
            [str(python), "-c", PARTS],
            env=environment(**variables),
            capture_output=True,
            text=True,
            check=True,
        )
        yield json.loads(done.stdout.splitlines()[-1])["parts"]


@click.command()
@click.option("--repeats", default=5, show_default=True, type=click.IntRange(1))
def main(repeats: int) -> None:
    """Print the median of each part in ms, with a store behind gRPC and with one in a file."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        served = stack.enter_context(serving(directory))
        urls = {"server": f"grpc://{served.address}", "embedded": f"sqlite:///{directory}/own.db"}
        for way, url in urls.items():
            rows = list(measured(url, directory, repeats))[1:]  # the first one fills caches
            medians = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
            told = "   ".join(f"{name} {ms:.1f}" for name, ms in medians.items())
            click.echo(f"{way:<10} {told}")


if __name__ == "__main__":
    main()
