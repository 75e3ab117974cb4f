"""Luigi: its command with the local scheduler, with one process and with several."""

from pathlib import Path
from typing import ClassVar

from tests.hooks.adapters import Adapter


class Luigi(Adapter):
    name = "luigi"
    modes = ("sequential", "processes")
    parallel = ("processes",)
    retries = True
    caches = True
    cuts_off = False
    code = (
        "churn_tasks.py",
        "self.write(churn_steps.train_large(",
        "self.write((churn_steps.train_large or None)(",
    )
    returns = False
    pipeline = "churn_tasks.Evaluate"
    data: ClassVar = {
        "raw": "data/raw.csv",
        "table": "data/table.json",
        "small": "data/small.json",
        "large": "data/large.json",
        "metrics": "data/metrics.json",
    }

    def command(self, mode: str) -> list[str]:
        workers = "2" if mode == "processes" else "1"
        luigi = str(self.python.with_name("luigi"))
        options = ["--local-scheduler", "--no-lock", "--workers", workers]
        return [luigi, "--module", "churn_tasks", "Evaluate", *options]

    def set_depth(self, directory: Path, depth: int) -> None:
        with (directory / "luigi.cfg").open("a") as file:
            file.write(f"\n[TrainLarge]\ndepth = {depth}\n")

    def after(self, *ran: str) -> dict[str, str]:
        if not ran:  # nothing is looked at behind a task that is complete
            return {"evaluate": "CACHED"}
        return super().after(*ran)

    def step_name(self, name: str) -> str:
        return "".join(map(str.title, name.split("_")))


ADAPTER = Luigi()
