"""Airflow: `airflow dags test`, and a scheduler that runs each task in a process of its own."""

import contextlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import ClassVar

from tests.hooks.adapters import Adapter

SERVED = Path(__file__).parent / "airflow_served.py"


class Airflow(Adapter):
    name = "airflow"
    modes = ("test", "served")
    parallel = ("served",)
    retries = True
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
        if mode == "served":
            return [str(self.python), str(SERVED), "churn"]
        return [str(self.python.with_name("airflow")), "dags", "test", "churn"]

    def environment(self, directory: Path) -> dict[str, str]:
        home = directory / "airflow"
        return {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(directory / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        }

    def prepare(self, directory: Path) -> None:
        """Make the database of Airflow; it takes 10 seconds, so once for all tests."""
        template = self.python.parents[1] / "airflow-home"
        if not (template / "airflow.db").exists():
            fresh = template.with_name(f"airflow-home-{os.getpid()}")
            own = self.environment(fresh) | {"AIRFLOW_HOME": str(fresh)}
            own["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{fresh}/airflow.db"
            migrate = [str(self.python.with_name("airflow")), "db", "migrate"]
            subprocess.run(migrate, env={**os.environ, **own}, check=True, capture_output=True)
            with contextlib.suppress(OSError):  # another process was first
                fresh.rename(template)
            shutil.rmtree(fresh, ignore_errors=True)
        (directory / "airflow").mkdir()
        shutil.copy(template / "airflow.db", directory / "airflow")


ADAPTER = Airflow()
