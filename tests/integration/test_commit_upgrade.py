"""Facts from before there were commits get commits, and a file in use is not upgraded."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from lineage_store import connect, errors
from lineage_store.database import tables
from lineage_store.database.bulk import store_contents as contents
from lineage_store.database.bulk.store_contents import Contents
from lineage_store.database.checks.checking import check
from lineage_store.database.drivers.sqlite import SqliteDriver
from lineage_store.database.facts import count_of, decoded_facts
from lineage_store.database.schema import administration
from lineage_store.engine import Engine
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service
from tests.integration.test_upgrades import OLD, make_old
from tests.transfer.stores import BACKENDS, fill, new_store


@pytest.fixture(params=BACKENDS)
def url(request, tmp_path):
    with new_store(request.param, tmp_path) as store_url:
        fill(store_url)
        make_old(store_url)
        yield store_url


def commits(url):
    with Contents(url) as store:
        return [row for page in contents.pages(store.connection, tables.commits) for row in page]


def test_everything_from_before_is_in_a_commit(url):
    assert administration.upgrade(url)[0] == OLD
    assert check(url).findings.kept_findings == []
    backfill = commits(url)
    assert [row[1] for row in backfill] == list(range(1, len(backfill) + 1))
    assert {row[2] for row in backfill} == {tables.BACKFILL}
    with Contents(url) as store:
        event_count = contents.count(store.connection, tables.events)
    facts = [decoded_facts(row[4]) for row in backfill]
    assert sum(count_of(one) for one in facts) > event_count > 0
    with closing(Engine(url)) as engine:
        put = service.PutArtifactTypeRequest(artifact_type=pb.ArtifactType(name="After"))
        engine.call("PutArtifactType", put)
    *_, last = commits(url)
    assert (last[1], last[0] > backfill[-1][0]) == (len(backfill) + 1, True)
    assert check(url).findings.kept_findings == []


def test_the_time_before_the_commits_is_not_called_empty(url):
    administration.upgrade(url)
    with connect(url) as store:
        upgraded_at = next(store.history.changes()).revision.recorded_at
        with pytest.raises(errors.FailedPrecondition, match=r"has commits since 20.* and is older"):
            store.at(upgraded_at - timedelta(microseconds=1))
        with pytest.raises(errors.NotFound, match="nothing was known then"):
            store.at("2020-01-01T00:00:00+00:00")
        [node, *_] = store.artifacts.list().items
        lineage = store.lineage(node).upstream(
            recorded_as_of=upgraded_at - timedelta(microseconds=1)
        )
        assert node.id in [one.id for one in lineage.nodes]


def test_many_facts_make_several_commits(tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    with closing(Engine(url)) as engine:
        put = service.PutArtifactTypeRequest(artifact_type=pb.ArtifactType(name="T"))
        type_id = engine.call("PutArtifactType", put).type_id
        nodes = [pb.Artifact(type_id=type_id) for _ in range(9_000)]
        engine.call("PutArtifacts", service.PutArtifactsRequest(artifacts=nodes))
    make_old(url)
    administration.upgrade(url)
    sizes = [count_of(decoded_facts(row[4])) for row in commits(url)]
    assert sorted(sizes) == [10, 808, 4_096, 4_096]
    assert check(url).findings.kept_findings == []


def test_a_file_that_another_process_has_open_is_not_upgraded(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/store.db"
    monkeypatch.setattr("lineage_store.database.drivers.sqlite.BUSY_TIMEOUT_S", 0.2)
    fill(url, 2)
    make_old(url)
    with closing(sqlite3.connect(tmp_path / "store.db")) as other:
        other.execute("SELECT COUNT(*) FROM artifacts").fetchone()
        with pytest.raises(
            errors.FailedPrecondition, match="another process has the database open"
        ):
            administration.upgrade(url)
    assert administration.upgrade(url)[0] == OLD


SHARE = """
import fcntl, sys
with open(sys.argv[1]) as file:
    fcntl.lockf(file, fcntl.LOCK_SH, 510, 0x40000002)  # the bytes of SQLite's shared lock
    print("locked", flush=True)
    sys.stdin.read()
"""


@contextmanager
def shared_lock(path: Path) -> Iterator[None]:
    """Let another process hold the lock of a reader."""
    command = [sys.executable, "-c", SHARE, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield
        process.communicate("")


def test_those_who_wait_to_be_alone_do_not_wait_for_each_other(tmp_path):
    path = tmp_path / "store.db"
    Engine(f"sqlite:///{path}").close()

    def be_alone(_: int) -> None:
        driver = SqliteDriver(path)
        driver.close(driver.connect_alone())

    with ThreadPoolExecutor(3) as pool:
        with shared_lock(path):
            tries = [pool.submit(be_alone, number) for number in range(3)]
            time.sleep(0.5)  # so that each of them has met the lock
            assert not any(each.done() for each in tries)
        for each in tries:
            each.result(10)
