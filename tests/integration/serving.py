"""`lineage-store serve` in a process of its own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVE = [sys.executable, "-m", "lineage_store.cli", "serve"]


class Served:
    """A running server.

    Attributes:
        address: HOST:PORT that it listens on.
        process: The process.
    """

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self.process = process
        self.address = ""
        self._log = log

    def log(self) -> str:
        """Return its output to standard error so far."""
        return self._log.read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)


def environment(**variables: str) -> dict[str, str]:
    """Return the environment without settings of ours, and with these."""
    others = {k: v for k, v in os.environ.items() if not k.startswith("LINEAGE_STORE_")}
    return others | variables


@contextmanager
def serving(
    directory: Path, *options: str, sources: Path | None = None, **variables: str
) -> Iterator[Served]:
    """Serve `directory`/store.db on a free port, unless `options` or `variables` say otherwise.

    With `sources`, a directory with packages of another version, that version serves.
    """
    defaults = {
        "LINEAGE_STORE_DATABASE": f"sqlite:///{directory}/store.db",
        "LINEAGE_STORE_GRPC": "127.0.0.1:0",
    }
    log = directory / "server.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [*SERVE, *options],
            cwd=sources,  # comes first on the path
            env=environment(**defaults | variables),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        served = Served(process, log)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            ready = re.fullmatch(r"lineage-store ready grpc=(\S+) database=\S+\n", line)
            assert ready, f"not ready: {line!r} {served.log()}"
            served.address = ready.group(1)
            yield served
        finally:
            process.kill()


def failing(*options: str, **variables: str) -> tuple[int, str]:
    """Run `serve` where it can't start; return its exit code and its standard error."""
    process = subprocess.run(
        [*SERVE, *options],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in process.stderr
    assert process.stdout == ""
    return process.returncode, process.stderr
