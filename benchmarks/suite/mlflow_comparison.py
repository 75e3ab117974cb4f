"""Measures a run with 16 parameters in MLflow's SQL store against the same run in ours."""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parent.parent.parent
PYTHON = ROOT / ".venv-mlflow/bin/python"
SCRIPT = ROOT / "benchmarks/processes/mlflow_runs.py"
STORES = ("mlflow", "mlflow-one-by-one", "ours")
RUNS = 20


def measure(repeats: int) -> dict[str, Any]:
    """Return runs per second of each store.

    Raises:
        ClickException: MLflow is not installed, or the stores hold different runs.
    """
    if not PYTHON.exists():
        raise click.ClickException("MLflow is missing: make .venv-mlflow/.ready")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp")))
        stores = {name: stack.enter_context(_running(name, directory)) for name in STORES}
        rates: dict[str, list[float]] = {name: [] for name in STORES}
        _agree({name: _ask(store, 1)["run"] for name, store in stores.items()})
        for _ in range(repeats):
            for name, store in stores.items():
                rates[name].append(RUNS / _ask(store, RUNS)["seconds"])
    return {
        name: {"rate": statistics.median(taken), "rates": taken} for name, taken in rates.items()
    }


def _agree(runs: dict[str, Any]) -> None:
    if any(run != runs["ours"] for run in runs.values()):
        raise click.ClickException(f"the stores hold different runs: {runs}")


def _ask(store: "subprocess.Popen[str]", count: int) -> Any:
    assert store.stdin is not None
    assert store.stdout is not None
    print(count, file=store.stdin, flush=True)
    return json.loads(store.stdout.readline())


@contextmanager
def _running(name: str, directory: Path) -> "Iterator[subprocess.Popen[str]]":
    python = sys.executable if name == "ours" else str(PYTHON)
    command = [python, str(SCRIPT), name, str(directory / f"{name}.db")]
    log = (directory / f"{name}.log").open("w")
    with (
        log,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
