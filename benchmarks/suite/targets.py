"""The stores that are measured, each in a process of its own, and the processes that call them."""

import os
import pickle
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil
import pytest

from lineage_store.v1 import metadata_service_pb2 as service
from tests import real_mlmd

ROOT = Path(__file__).parent.parent.parent
CALLER = "benchmarks/processes/caller.py"
PEER = ROOT / "tests/acceptance/programs/mlmd/mlmd_peer.py"
BACKENDS = ("sqlite", "postgresql", "mariadb")
IDLE_SECONDS = 0.25
"""Who uses no processor time for so long has nothing to do: work is put off for 0.1 s at most."""

LONGEST_SETTLING = 30.0
MIB = 1024 * 1024

Op = list[tuple[str, bytes]]
"""Calls that are one unit of work: methods and encoded requests."""


@dataclass(frozen=True)
class Variant:
    """One way to run a store.

    Attributes:
        place: "grpc", or "embedded" in the process that calls.
        is_ours: Whether it is this store, and not ML Metadata.
        journal: The journal mode that ML Metadata's file is switched to before.
        options: Options of the server.
    """

    place: str
    is_ours: bool
    journal: str | None = None
    options: tuple[str, ...] = ()


VARIANTS = {
    "mlmd": Variant("grpc", is_ours=False),
    "mlmd-wal": Variant("grpc", is_ours=False, journal="wal"),
    "mlmd-per-call": Variant("grpc", is_ours=False, options=("--open-for-each-call",)),
    "ours": Variant("grpc", is_ours=True),
    "ours-2": Variant("grpc", is_ours=True, options=("--processes", "2")),
    "mlmd-embedded": Variant("embedded", is_ours=False),
    "mlmd-embedded-wal": Variant("embedded", is_ours=False, journal="wal"),
    "ours-embedded": Variant("embedded", is_ours=True),
}
"""What may stand before the @ in the name of a target."""


def mlmd_python() -> str:
    """Return the interpreter that has ML Metadata.

    Raises:
        FileNotFoundError: There is none.
    """
    try:
        return str(real_mlmd.python())
    except pytest.skip.Exception as missing:
        raise FileNotFoundError(str(missing)) from None


def split(name: str) -> tuple[Variant, str]:
    """Return the variant and the backend that "ours@postgresql" names; alone, it is on SQLite."""
    variant, _, backend = name.partition("@")
    backend = backend or "sqlite"
    if variant not in VARIANTS or backend not in BACKENDS:
        known = ", ".join(VARIANTS)
        raise ValueError(f"no target {name}: {known}, perhaps with @postgresql or @mariadb")
    if VARIANTS[variant].journal and backend != "sqlite":
        raise ValueError(f"{name}: the journal is a matter of SQLite")
    if "--processes" in VARIANTS[variant].options and backend == "sqlite":
        raise ValueError(f"{name}: on SQLite one process serves")
    return VARIANTS[variant], backend


class Target:
    """A store that takes tasks.

    Attributes:
        name: As on the command line.
        backend: Its database.
        variant: How it runs.
        file: Its database file, if it has one.
        start_seconds: How long its server took until it was ready.
    """

    def __init__(
        self,
        name: str,
        caller: "subprocess.Popen[bytes]",
        server: "Server | None",
        file: Path | None,
    ) -> None:
        self.name = name
        self.variant, self.backend = split(name)
        self.file = file
        self.start_seconds = server.start_seconds if server else 0.0
        self._caller = caller
        self._process = psutil.Process((server.process if server else caller).pid)

    def run(self, lanes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Let the calling process do a task; see caller.py."""
        assert self._caller.stdin is not None
        assert self._caller.stdout is not None
        pickle.dump(lanes, self._caller.stdin)
        self._caller.stdin.flush()
        try:
            results: list[dict[str, Any]] = pickle.load(self._caller.stdout)
        except EOFError:
            raise RuntimeError(f"the process that calls {self.name} ended") from None
        return results

    def answers(self, ops: list[Op]) -> list[list[bytes]]:
        """Return the encoded answers of ops that must succeed."""
        lane = {"ops": ops, "callers": 1, "seconds": None, "keep": len(ops)}
        [result] = self.run([lane])
        if result["errors"]:
            raise RuntimeError(f"{self.name} refused a call: {result['errors']}")
        found: list[list[bytes]] = result["answers"]
        return found

    def call(self, method: str, request: Any) -> Any:
        """Return the response to one call."""
        [[answer]] = self.answers([[(method, request.SerializeToString())]])
        return getattr(service, f"{method}Response").FromString(answer)

    def cpu_seconds(self) -> float:
        """Return the processor time of the processes that have the store."""
        times = [process.cpu_times() for process in self._processes()]
        return float(sum(taken.user + taken.system for taken in times))

    def _processes(self) -> list[psutil.Process]:
        return [self._process, *self._process.children(recursive=True)]

    def settle(self, longest: float = LONGEST_SETTLING) -> float:
        """Wait until the store does nothing; return the processor time that it took until then.

        What it still does must not hinder the next one. ML Metadata puts nothing off.

        Args:
            longest: Seconds after which to wait no longer.
        """
        if not self.variant.is_ours:
            return 0.0
        begun = before = self.cpu_seconds()
        deadline = time.monotonic() + longest
        while time.monotonic() < deadline:
            time.sleep(IDLE_SECONDS)
            now = self.cpu_seconds()
            if now == before:
                break
            before = now
        return before - begun

    def memory_mib(self) -> tuple[float, float]:
        """Return its resident memory now, and at most so far; where that is not told, now."""
        sizes = [_memory_mib(process) for process in self._processes()]
        return sum(now for now, _ in sizes), sum(peak for _, peak in sizes)


def _memory_mib(process: psutil.Process) -> tuple[float, float]:
    now = process.memory_info().rss / MIB
    status = Path(f"/proc/{process.pid}/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return now, int(found.group(1)) / 1024 if found else now


@dataclass(frozen=True)
class Server:
    """A server that is ready."""

    process: "subprocess.Popen[bytes]"
    address: str
    start_seconds: float


@contextmanager
def opened(name: str, directory: Path, checkout: Path = ROOT) -> Iterator[Target]:
    """Start a target on a new database, or on the file that is there, and end it.

    Args:
        name: The target, "ours@postgresql" say.
        directory: Takes the database and the logs.
        checkout: The source tree that runs, with an environment of its own in `.venv`.
    """
    variant, _ = split(name)
    with ExitStack() as stack:
        database, file = stack.enter_context(new_database(name, directory))
        if variant.journal and file:
            with closing(sqlite3.connect(file)) as connection:
                connection.execute(f"PRAGMA journal_mode={variant.journal}")
        kind, where, server = ("ours" if variant.is_ours else "mlmd"), database, None
        if variant.place == "grpc":
            log = directory / f"{name}.log"
            server = stack.enter_context(_server(variant, database, log, checkout))
            kind, where = "grpc", server.address
        python = mlmd_python() if kind == "mlmd" else _python_of(checkout)
        command = [python, str(checkout / CALLER), kind, where]
        log = directory / f"{name}.calls.log"
        caller = stack.enter_context(_running(command, log, checkout, stdin=subprocess.PIPE))
        yield Target(name, caller, server, file)


def _python_of(checkout: Path) -> str:
    return sys.executable if checkout == ROOT else str(checkout / ".venv/bin/python")


@contextmanager
def _running(
    command: list[str], log: Path, directory: Path, **options: Any
) -> "Iterator[subprocess.Popen[bytes]]":
    options |= {"stdout": subprocess.PIPE, "cwd": directory, "env": _environment()}
    with log.open("w") as errors:
        process = subprocess.Popen(command, stderr=errors, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _environment() -> dict[str, str]:
    """Return the environment without settings of ours."""
    return {k: v for k, v in os.environ.items() if not k.startswith("LINEAGE_STORE_")}


@contextmanager
def _server(variant: Variant, database: str, log: Path, checkout: Path) -> Iterator[Server]:
    if variant.is_ours:
        command = [_python_of(checkout), "-m", "lineage_store.cli", "serve"]
        command += ["--database", database, "--grpc", "127.0.0.1:0", *variant.options]
    else:
        command = [mlmd_python(), str(PEER), database, *variant.options]
    begun = time.perf_counter()
    with _running(command, log, checkout) as process:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        found = re.search(r"\bready grpc=(\S+)", line)
        if found is None:
            raise RuntimeError(f"a server did not start: {log.read_text()[-2000:]}")
        yield Server(process, found.group(1), time.perf_counter() - begun)


@contextmanager
def new_database(name: str, directory: Path) -> Iterator[tuple[str, Path | None]]:
    """Give a new database as its store takes it, and its file."""
    variant, backend = split(name)
    if backend == "sqlite":
        file = directory / f"{name}.db"
        yield (f"sqlite:///{file}" if variant.is_ours else str(file)), file
        return
    with _on_server(backend, directory, is_ours=variant.is_ours) as database:
        yield database, None


def _on_server(backend: str, directory: Path, *, is_ours: bool) -> AbstractContextManager[str]:
    from tests.backends import mariadb, postgresql  # noqa: PLC0415 - need drivers

    if backend == "mariadb":
        _durable_mariadb()
    if is_ours:
        stores: dict[str, Callable[[], AbstractContextManager[str]]] = {
            "postgresql": postgresql.new_store,
            "mariadb": mariadb.new_store,
        }
        return stores[backend]()
    return _mlmd_database(backend, directory)


@contextmanager
def _mlmd_database(backend: str, directory: Path) -> Iterator[str]:
    from tests.transfer.mlmd_databases import WAYS  # noqa: PLC0415 - needs drivers

    with WAYS[backend](directory) as database:
        yield database.config


@lru_cache(maxsize=1)
def _durable_mariadb() -> None:
    """Start MariaDB on a disk, and let it sync with each commit, as it does by default."""
    from tests.backends import mariadb  # noqa: PLC0415 - needs its driver

    os.environ.setdefault("LINEAGE_TEST_DATABASES", "/var/tmp")
    with closing(mariadb.connect(mariadb.port())) as connection:
        connection.cursor().execute("SET GLOBAL innodb_flush_log_at_trx_commit = 1")
