"""The stores that clients of ML Metadata are tried on, each in a process of its own."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import real_mlmd

HERE = Path(__file__).parent
SERVERS = ["real core", "lineage-store"]


@contextmanager
def serving(server: str, directory: Path) -> Iterator[str]:
    """Serve a new store in `directory`, and give the HOST:PORT of the server."""
    with subprocess.Popen(
        _command(server, directory), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield _address(process)
        finally:
            process.terminate()


def _command(server: str, directory: Path) -> list[str]:
    if server == "real core":
        return [str(real_mlmd.python()), str(HERE / "mlmd_peer.py"), str(directory / "real.db")]
    database = f"sqlite:///{directory}/ours.db"
    command = [sys.executable, "-m", "lineage_store.cli", "serve"]
    return [*command, "--database", database, "--grpc", "127.0.0.1:0"]


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"\bready grpc=(\S+)", line):
            return found.group(1)
    raise AssertionError("the server ended before it was ready")


def run(module: str, script: str, *args: str) -> str:
    """Return what a script prints, run by the interpreter that can import `module`."""
    # Ours must run clean of warnings; the real package can't.
    clean = [sys.executable, "-X", "dev", "-W", "error"]
    python = [str(real_mlmd.python())] if module == "ml_metadata" else clean
    command = [*python, str(HERE / script), *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
