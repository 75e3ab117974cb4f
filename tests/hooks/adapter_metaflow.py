"""Metaflow: `python FLOW run` on this machine, with one task at a time and with two."""

from pathlib import Path
from typing import ClassVar

from tests.hooks.adapters import Adapter


class Metaflow(Adapter):
    name = "metaflow"
    modes = ("sequential", "parallel")
    parallel = ("parallel",)
    retries = True
    extra = frozenset({"end"})
    pipeline = "Churn"
    data: ClassVar = {
        "raw": "data/raw.csv",
        "table": None,
        "small": None,
        "large": None,
        "metrics": None,
    }

    def command(self, mode: str) -> list[str]:
        workers = "2" if mode == "parallel" else "1"
        return [str(self.python), "churn_flow.py", "--quiet", "run", "--max-workers", workers]

    def environment(self, directory: Path) -> dict[str, str]:
        return {
            "METAFLOW_HOME": str(directory / "home"),
            "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(directory),
            "METAFLOW_USER": "somebody",
        }

    def params(self, step: str, params: dict[str, object]) -> dict[str, object]:
        size = step.removeprefix("train_")
        return {f"{size}_{k}" if k == "depth" else k: value for k, value in params.items()}


ADAPTER = Metaflow()
