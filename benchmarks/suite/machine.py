"""On what was measured: the machine, the versions, and what the machine allows."""

import importlib.metadata
import os
import platform
import sqlite3
import subprocess
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.suite.measuring import percentile
from benchmarks.suite.targets import mlmd_python

ROOT = Path(__file__).parent.parent.parent
SYNCS, COMMITS, ROWS = 100, 100, 20_000


def description() -> dict[str, Any]:
    """Return what a reader needs to judge the figures."""
    return {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _output("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "processor": _processor(),
        "processors": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 1024**3, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: importlib.metadata.version(name) for name in ("grpcio", "protobuf", "sqlalchemy")},
        "load_average": os.getloadavg()[0],
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def version_of_mlmd() -> str:
    """Return the version of ML Metadata that is measured."""
    script = "import importlib.metadata as m; print(m.version('ml-metadata'))"
    return _output(mlmd_python(), "-c", script)


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def limits(directory: Path) -> dict[str, float]:
    """Return what the disk and SQLite do at most, right now."""
    return {
        **sync_times(directory),
        "commits_per_s_rollback_journal": commits_per_second(directory, "delete"),
        "commits_per_s_wal": commits_per_second(directory, "wal"),
        "rows_per_s_in_one_transaction": rows_per_second(directory),
    }


def sync_times(directory: Path) -> dict[str, float]:
    """Return how long it takes until 4 kB that were appended are on the disk, in ms."""
    taken = []
    with (directory / "sync").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            file.write(b"x" * 4096)
            begun = time.perf_counter()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - begun) * 1e3)
    return {"fsync_p50_ms": percentile(taken, 0.5), "fsync_p99_ms": percentile(taken, 0.99)}


def commits_per_second(directory: Path, journal: str) -> float:
    """Return how many times SQLite makes one row of a node and five of properties durable."""
    with closing(_raw(directory, f"{journal}.sqlite", journal)) as connection:
        begun = time.perf_counter()
        for number in range(COMMITS):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO node VALUES (?, ?)", (number, b"x" * 100))
            connection.executemany("INSERT INTO property VALUES (?, ?, ?)", _properties(number))
            connection.execute("COMMIT")
        return COMMITS / (time.perf_counter() - begun)


def rows_per_second(directory: Path) -> float:
    """Return how many such rows go in within one transaction."""
    with closing(_raw(directory, "bulk.sqlite", "wal")) as connection:
        rows = [row for number in range(ROWS // 5) for row in _properties(number)]
        begun = time.perf_counter()
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO property VALUES (?, ?, ?)", rows)
        connection.execute("COMMIT")
        return len(rows) / (time.perf_counter() - begun)


def _properties(number: int) -> list[tuple[int, str, str]]:
    return [(number, f"p{at}", f"v{number}") for at in range(5)]


def _raw(directory: Path, name: str, journal: str) -> sqlite3.Connection:
    path = directory / name
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode={journal}")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE node (id INTEGER PRIMARY KEY, body BLOB)")
    connection.execute(
        "CREATE TABLE property (node INTEGER, name TEXT, value TEXT, PRIMARY KEY (node, name)) "
        "WITHOUT ROWID"
    )
    return connection
