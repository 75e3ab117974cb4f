"""Stores to record steps in, and helpers for all tests of steps."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lineage_server.app import Server
from lineage_server.settings import Settings

from lineage_store import Execution, LineageStore, connect
from lineage_store.fingerprints import register
from lineage_store.recording import RecordingOptions

WAYS = ("embedded", "grpc")


@contextmanager
def opened(way: str, directory: Path, **options: Any) -> Iterator[LineageStore]:
    """Open a store on an SQLite file, in this process or behind a server.

    Args:
        way: "embedded" or "grpc".
        directory: Holds the database and the spool.
        options: Fields of `RecordingOptions`.
    """
    database = f"sqlite:///{directory / 'lineage.db'}"
    recording = RecordingOptions(spool=directory / "spool", **options)
    if way == "embedded":
        with connect(database, recording=recording) as store:
            yield store
        return
    server = Server(Settings(database=database, grpc="127.0.0.1:0", drain_seconds=0))
    server.start()
    try:
        with connect(f"grpc://{server.address}", recording=recording) as store:
            yield store
    finally:
        server.stop()


def steps_of(store: LineageStore, run_id: str | None = None) -> list[Execution]:
    """Return the executions of steps, in the order in which they were recorded."""
    store.flush_recording()
    return [
        each
        for each in store.iter_executions()
        if each.type != "PipelineRun"
        and (run_id is None or each.custom_properties["run_id"] == run_id)
    ]


class Count:
    """Counts its calls; the digest of the code that calls it does not see the count.

    Attributes:
        calls: The number of calls.
    """

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        return self.calls


register(Count, lambda _: "the number of calls is no part of the code")
