"""The stores that clients of ML Metadata are tried on, each in a process of its own."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests import real_mlmd
from tests.backends import galera, mariadb, postgresql

PROGRAMS = Path(__file__).parent / "acceptance/programs"
REMOTE = {"postgresql": postgresql, "mariadb": mariadb, "galera": galera}
SERVERS = ["real core", "lineage-store"]
"""The latter on SQLite; "lineage-store on" and a name of REMOTE serves one of these."""
EVERYWHERE = [*SERVERS, *(f"lineage-store on {name}" for name in REMOTE)]


@contextmanager
def serving(server: str, directory: Path) -> Iterator[str]:
    """Serve a new store in `directory`, and give the HOST:PORT of the server."""
    with ExitStack() as stack:
        database = f"sqlite:///{directory}/ours.db"
        if (backend := REMOTE.get(server.rpartition(" ")[2])) is not None:
            database = stack.enter_context(backend.new_store())
        command = _command(server, directory, database)
        process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        stack.callback(process.terminate)
        yield _address(process)


def _command(server: str, directory: Path, database: str) -> list[str]:
    if server == "real core":
        return [
            str(real_mlmd.python()),
            str(PROGRAMS / "mlmd/mlmd_peer.py"),
            str(directory / "real.db"),
        ]
    command = [sys.executable, "-m", "lineage_store.cli", "serve"]
    return [*command, "--database", database, "--grpc", "127.0.0.1:0"]


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if match := re.search(r"\bready grpc=(\S+)", line):
            return match.group(1)
    raise AssertionError("the server ended before it was ready")


def run(module: str, script: str, *args: str) -> str:
    """Return the output of a script in `programs`, run by the interpreter that has `module`."""
    # Ours must run clean of warnings; the real package can't.
    clean = [sys.executable, "-X", "dev", "-W", "error"]
    python = [str(real_mlmd.python())] if module == "ml_metadata" else clean
    command = [*python, str(PROGRAMS / script), *args]
    process = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert process.returncode == 0, process.stderr
    return process.stdout
