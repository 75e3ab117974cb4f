"""Kubeflow Pipelines: `kfp.local`, each task in a process of its own."""

from typing import ClassVar

from tests.hooks.adapters import Adapter


class Kfp(Adapter):
    name = "kfp"
    retries = True
    pipeline = "churn"
    data: ClassVar = {
        "raw": "data/raw.csv",
        "table": "data/table.json",
        "small": "data/small.json",
        "large": "data/large.json",
        "metrics": "data/metrics.json",
    }

    def command(self, mode: str) -> list[str]:
        return [str(self.python), "churn_pipeline.py"]

    def step_name(self, name: str) -> str:
        return name.replace("_", "-")


ADAPTER = Kfp()
