"""The log of a file grows ahead of its writer, and a killed writer loses nothing by it."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from lineage_store.database.drivers import write_ahead_log
from lineage_store.engine.engine import Engine
from lineage_store.v1 import metadata_service_pb2 as service

PARTS = write_ahead_log.LENGTH // write_ahead_log.PART + 1

WRITE_AND_DIE = """
import os, signal, sys
from lineage_store.engine.engine import Engine
from lineage_store.v1 import metadata_service_pb2 as service

engine = Engine(sys.argv[1])
type_id = engine.call("PutArtifactType", service.PutArtifactTypeRequest(
    artifact_type={"name": "T"})).type_id
for _ in range(int(sys.argv[2])):
    engine.call("PutArtifacts", service.PutArtifactsRequest(artifacts=[{"type_id": type_id}]))
os.kill(os.getpid(), signal.SIGKILL)
"""


def write_and_die(path, writes: int):
    """Let a process make some writes and be killed; return the log it leaves."""
    command = [sys.executable, "-c", WRITE_AND_DIE, f"sqlite:///{path}", str(writes)]
    process = subprocess.run(command, check=False)
    assert process.returncode == -signal.SIGKILL
    return path.with_name(f"{path.name}-wal")


def artifacts_in(path) -> int:
    """Return how many artifacts a store has, once its file was found whole."""
    with closing(Engine(f"sqlite:///{path}")) as engine:
        answer = engine.call("GetArtifacts", service.GetArtifactsRequest())
        if isinstance(answer, bytes):
            answer = service.GetArtifactsResponse.FromString(answer)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return len(answer.artifacts)


def test_the_log_of_a_process_that_writes_little_has_no_spare_space(tmp_path):
    log = write_and_die(tmp_path / "store.db", 20)
    assert 0 < log.stat().st_size < write_ahead_log.PART
    assert artifacts_in(tmp_path / "store.db") == 20


@pytest.mark.parametrize("after", [3, PARTS + 20])
def test_a_process_killed_with_a_log_of_spare_space_loses_nothing(tmp_path, after):
    writes = write_ahead_log.AFTER_WRITES + after
    log = write_and_die(tmp_path / "store.db", writes)
    if after > PARTS:
        assert log.stat().st_size == write_ahead_log.LENGTH
    else:
        assert write_ahead_log.PART < log.stat().st_size < write_ahead_log.LENGTH
    assert artifacts_in(tmp_path / "store.db") == writes


def test_the_log_beside_the_file_that_a_link_leads_to_grows(tmp_path):
    (tmp_path / "link.db").symlink_to(tmp_path / "store.db")
    write_and_die(tmp_path / "link.db", write_ahead_log.AFTER_WRITES + PARTS + 20)
    assert (tmp_path / "store.db-wal").stat().st_size == write_ahead_log.LENGTH


def test_the_log_goes_when_the_store_is_closed(tmp_path):
    path = tmp_path / "store.db"
    write_and_die(path, write_ahead_log.AFTER_WRITES + PARTS + 20)
    artifacts_in(path)
    assert not path.with_name("store.db-wal").exists()
