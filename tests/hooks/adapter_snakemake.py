"""Snakemake: its command, with one job at a time and with two; a rule of each kind."""

from typing import ClassVar

from tests.hooks.adapters import Adapter


class Snakemake(Adapter):
    name = "snakemake"
    modes = ("sequential", "parallel")
    parallel = ("parallel",)
    retries = True
    returns = False
    pipeline = "project"
    data: ClassVar = {
        "raw": "data/raw.csv",
        "table": "data/table.json",
        "small": "data/small.json",
        "large": "data/large.json",
        "metrics": "data/metrics.json",
    }

    def command(self, mode: str) -> list[str]:
        jobs = "2" if mode == "parallel" else "1"
        return [str(self.python.with_name("snakemake")), "--cores", jobs]


ADAPTER = Snakemake()
