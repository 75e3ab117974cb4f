"""Prefect: a script that calls a flow, with its own server, and threads for its tasks."""

from pathlib import Path
from typing import ClassVar

from tests.hooks.adapters import Adapter


class Prefect(Adapter):
    name = "prefect"
    modes = ("threads",)
    parallel = ("threads",)
    retries = True
    caches = True
    keeping: ClassVar = {"PREFECT_RESULTS_PERSIST_BY_DEFAULT": "true"}
    kept_output = ("large", "train_large")
    code = ("churn_flow.py", 'saved("large", churn', 'saved(str("large"), churn')
    pipeline = "churn"
    data: ClassVar = {
        "raw": "data/raw.csv",
        "table": None,
        "small": "data/small.json",
        "large": "data/large.json",
        "metrics": None,
    }
    in_memory: ClassVar = {"table": "clean", "metrics": "evaluate"}

    def command(self, mode: str) -> list[str]:
        return [str(self.python), "churn_flow.py", mode]

    def environment(self, directory: Path) -> dict[str, str]:
        return {
            "PREFECT_HOME": str(directory / "prefect"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
            "DO_NOT_TRACK": "1",
        }

    def set_depth(self, directory: Path, depth: int) -> None:
        path = directory / "churn_flow.py"
        path.write_text(path.read_text().replace("depth=2", f"depth={depth}"))


ADAPTER = Prefect()
