"""A fresh copy of a tool's churn pipeline, and the outcome of a run of it."""

import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from tests.hooks.adapters import Adapter
from tests.hooks.churn_steps import CALLS, RAW
from tests.integration.serving import environment

HERE = Path(__file__).parent
SECONDS = 180.0
HEED_INTERRUPTS = ("env", "--default-signal=INT")
"""Lets Ctrl-C end a run also where these tests themselves run in the background."""


class Project:
    """The pipeline in a directory of its own.

    Attributes:
        adapter: The tool.
        directory: The copy.
        signals: The folder in which `churn_steps` looks for signals.
        spool: Where records wait.
    """

    def __init__(self, adapter: Adapter, base: Path) -> None:
        self.adapter = adapter
        self.directory = base / "project"
        self.signals = base / "signals"
        self.spool = base / "spool"
        self._cache = base / "cache"
        shutil.copytree(adapter.files, self.directory)
        shutil.copy(HERE / "churn_steps.py", self.directory)
        self.signals.mkdir()
        raw = adapter.data["raw"]
        assert raw is not None
        (self.directory / raw).parent.mkdir(parents=True, exist_ok=True)
        (self.directory / raw).write_text(RAW)
        adapter.prepare(self.directory)

    def environment(self, url: str | None, **variables: str) -> dict[str, str]:
        """Return the variables that a user would have set."""
        own = {
            "CHURN_SIGNALS": str(self.signals),
            "LINEAGE_STORE_SPOOL": str(self.spool),
            "PYTHONPATH": str(self.directory),
            "PATH": f"{self.adapter.python.parent}{os.pathsep}{os.environ['PATH']}",
            "XDG_CACHE_HOME": str(self._cache),
        }
        if url is not None:
            own["LINEAGE_STORE_URL"] = url
        return environment(**own, **self.adapter.environment(self.directory), **variables)

    def start(
        self, url: str | None, mode: str | None = None, **variables: str
    ) -> "subprocess.Popen[str]":
        """Begin a run, as the leader of a process group."""
        return self._start(self.adapter.command(mode or self.adapter.modes[0]), url, **variables)

    def _start(
        self, command: list[str], url: str | None, **variables: str
    ) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*HEED_INTERRUPTS, *command],
            cwd=self.directory,
            env=self.environment(url, **variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, url: str | None, mode: str | None = None, **variables: str) -> tuple[int, str]:
        """Run the pipeline; return its exit code and its output."""
        return _await_end(self.start(url, mode, **variables))

    def succeed_with(self, command: list[str], url: str | None, **variables: str) -> str:
        """Run another command, which has to go well; return its output."""
        code, printed = _await_end(self._start(command, url, **variables))
        assert code == 0, printed
        return printed

    def succeed(self, url: str | None, mode: str | None = None, **variables: str) -> str:
        """Run the pipeline, which has to go well; return its output."""
        code, printed = self.run(url, mode, **variables)
        assert code == 0, printed
        return printed

    def ask(self, behaviour: str, step: str) -> Path:
        """Have a step "fail", be "flaky", or "hold"; return the signal."""
        path = self.signals / f"{behaviour}-{step}"
        path.touch()
        return path

    def await_held(self, step: str, process: "subprocess.Popen[str]") -> None:
        """Return when a step holds."""
        deadline = time.monotonic() + SECONDS
        while not (self.signals / f"held-{step}").exists():
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def forget_outputs(self) -> None:
        """Remove the outputs of a run, so that a tool which goes by files runs again."""
        for name in self.adapter.data:
            path = self.path(name)
            if path is not None and name != "raw":
                path.unlink(missing_ok=True)

    def calls(self) -> Counter[str]:
        """Return how often each step really ran."""
        path = self.signals / CALLS
        return Counter(path.read_text().split()) if path.exists() else Counter()

    def path(self, name: str) -> Path | None:
        """Return where a thing of the pipeline is; None: only in memory."""
        where = self.adapter.data[name]
        return None if where is None else self.directory / where


def _await_end(process: "subprocess.Popen[str]") -> tuple[int, str]:
    try:
        printed, _ = process.communicate(timeout=SECONDS)
    finally:  # with what it may have left behind: Prefect its server, if its version is no version
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, printed
