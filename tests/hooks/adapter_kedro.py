"""Kedro: `kedro run`, with each of its three runners."""

from pathlib import Path
from typing import ClassVar

from tests.hooks.adapters import Adapter

RUNNERS = {
    "sequential": "SequentialRunner",
    "threads": "ThreadRunner",
    "processes": "ParallelRunner",
    "spawned": "ParallelRunner",
}


class Kedro(Adapter):
    name = "kedro"
    modes = tuple(RUNNERS)
    parallel = ("threads", "processes", "spawned")
    caches = True
    code = ("churn_steps.py", 'train("large", table', 'train(str("large"), table')
    pipeline = "churn.__default__"
    project = "churn"
    data: ClassVar = {
        "raw": "data/raw.csv",
        "table": None,
        "small": "data/small.json",
        "large": "data/large.json",
        "metrics": "data/metrics.json",
    }

    def command(self, mode: str) -> list[str]:
        kedro = str(self.python.with_name("kedro"))
        start = ["env", "KEDRO_MP_CONTEXT=spawn"] if mode == "spawned" else []
        return [*start, kedro, "run", "--runner", RUNNERS[mode]]

    def environment(self, directory: Path) -> dict[str, str]:
        return {"DO_NOT_TRACK": "1", "KEDRO_DISABLE_TELEMETRY": "1"}

    def set_depth(self, directory: Path, depth: int) -> None:
        path = directory / "conf/base/parameters.yml"
        path.write_text(path.read_text().replace("large_depth: 2", f"large_depth: {depth}"))

    def after(self, *ran: str) -> dict[str, str]:
        return super().after("clean", *ran)  # what it puts out is only in memory

    def params(self, step: str, params: dict[str, object]) -> dict[str, object]:
        size = step.removeprefix("train_")
        return {f"{size}_{k}" if k == "depth" else k: value for k, value in params.items()}


ADAPTER = Kedro()
