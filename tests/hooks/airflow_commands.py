"""Commands of Airflow in a project, many for the price of one."""

import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.hooks.adapter_airflow import ADAPTER
from tests.hooks.project import Project

FORKED = Path(__file__).parent / "airflow_forked.py"


class AirflowCommands:
    """Runs commands in forks of a process that has Airflow loaded, and no hook; see FORKED."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._printed = project.directory.parent / "printed.txt"
        self._complaints = project.directory.parent / "complaints.txt"
        with self._complaints.open("w") as complaints:
            self._process = subprocess.Popen(
                [ADAPTER.python, FORKED],
                cwd=project.directory,
                env=project.environment(None),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def run(self, arguments: list[str], url: str | None, **variables: str) -> tuple[int, str]:
        """Run a command of Airflow; return its exit code and its output."""
        self._printed.write_text("")
        command = {
            "arguments": arguments,
            "environment": self._project.environment(url, **variables),
            "printed": str(self._printed),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(command), file=self._process.stdin, flush=True)
        code = self._process.stdout.readline()
        assert code, self._complaints.read_text()
        return int(code), self._printed.read_text()

    def run_dag(self, dag: str, url: str | None, **variables: str) -> str:
        """Run a DAG, which has to go well and to be recorded; return its output."""
        code, printed = self.run(["dags", "test", dag], url, **variables)
        assert code == 0, printed
        assert "lineage of" not in printed
        return printed
