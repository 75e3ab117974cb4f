"""Dagster: its command, with processes for the steps of ops and of assets, and with none."""

from pathlib import Path
from typing import ClassVar

from tests.hooks.adapters import Adapter

TARGETS = {
    "processes": ["--python-file", "churn.py"],
    "in_process": ["--python-file", "churn.py", "--config", "in_process.yaml"],
    "assets": ["--python-file", "assets/churn.py"],
}


class Dagster(Adapter):
    name = "dagster"
    modes = tuple(TARGETS)
    parallel = ("processes", "assets")
    retries = True
    pipeline = "churn.churn"
    project = "churn"
    data: ClassVar = {
        "raw": "data/raw.csv",
        "table": "data/table.json",
        "small": "data/small.json",
        "large": "data/large.json",
        "metrics": "data/metrics.json",
    }

    def command(self, mode: str) -> list[str]:
        dagster = str(self.python.with_name("dagster"))
        return [dagster, "job", "execute", *TARGETS[mode], "--job", "churn"]

    def environment(self, directory: Path) -> dict[str, str]:
        home = directory / "dagster"
        home.mkdir(exist_ok=True)
        return {"DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "1"}


ADAPTER = Dagster()
