"""A database is upgraded once, whoever tries at the same time, and servers of before are fenced."""

import shutil
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import text

from lineage_store import errors
from lineage_store.client.channel import GrpcTransport
from lineage_store.database.checks.checking import check
from lineage_store.database.drivers.urls import driver_for
from lineage_store.database.schema import administration, migrations, upgrading
from lineage_store.database.schema import revisions as schema
from lineage_store.engine import Engine
from lineage_store.v1 import metadata_service_pb2 as service
from tests.backends import galera, mariadb, postgresql
from tests.integration.serving import serving
from tests.real_mlmd import ROOT

OLD, OLD_COMMIT = "0006", "3cc162d"
"""The revision before, and a commit that had it."""

UNDO = (
    *(f"DROP TABLE {table}" for table in ("commits", "type_versions", "artifact_report_versions")),
    *(f"ALTER TABLE {table} DROP COLUMN revision" for table in ("types", "artifact_reports")),
    "ALTER TABLE cache_entries DROP COLUMN invalidation_recorded_at",
    *(f"ALTER TABLE writers DROP COLUMN {column}" for column in ("seq", "name")),
)
"""The additions of the present revision, undone."""


def name_of(backend) -> str:
    return getattr(backend, "__name__", backend).rpartition(".")[2]


@pytest.fixture(params=["sqlite", postgresql, mariadb, galera], ids=name_of)
def url(request, tmp_path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
        return
    with request.param.new_store() as url:
        yield url


def make_old(url: str) -> None:
    """Make a store of the revision before."""
    Engine(url).close()
    driver = driver_for(url)
    with closing(driver.connect()) as raw, driver.core_engine(raw).connect() as connection:
        for statement in UNDO:
            connection.execute(text(statement))
        connection.execute(text(f"UPDATE {schema.REVISION_TABLE} SET version_num = '{OLD}'"))


def test_of_many_that_upgrade_at_once_one_does(url, monkeypatch):
    make_old(url)
    runs = []
    original = migrations.upgrade

    def counted(connection):
        runs.append(schema.current_revision(connection))
        time.sleep(0.2)  # so that the others come while it is under way
        original(connection)

    monkeypatch.setattr(migrations, "upgrade", counted)
    with pytest.raises(errors.SchemaMismatch, match="db upgrade"):
        Engine(url)
    with ThreadPoolExecutor(4) as pool:
        revisions = list(pool.map(lambda _: administration.upgrade(url), range(4)))
    assert {after for _, after in revisions} == {schema.HEAD}
    assert runs.count(OLD) == 1
    Engine(url).close()


@pytest.mark.parametrize("backend", [mariadb, galera], ids=name_of)
def test_an_upgrade_that_was_cut_off_is_finished(backend, monkeypatch):
    monkeypatch.setattr(upgrading, "UPGRADE_WAIT_SECONDS", 0.2)
    with backend.new_store() as url:
        make_old(url)
        driver = driver_for(url)
        with closing(driver.connect()) as raw, driver.core_engine(raw).connect() as connection:
            upgrading._guard.create(connection)  # what a process leaves that was killed here,
            migrations.upgrade(connection)  # or here:
            connection.execute(text(f"UPDATE {schema.REVISION_TABLE} SET version_num = '{OLD}'"))
        with pytest.raises(errors.FailedPrecondition, match="--take-over"):
            administration.upgrade(url)
        assert administration.upgrade(url, take_over=True) == (OLD, schema.HEAD)
        Engine(url).close()
        assert administration.upgrade(url) == (schema.HEAD, schema.HEAD)


@pytest.fixture(scope="module")
def old_sources(tmp_path_factory) -> Path:
    """The sources of the version before, from the history of this repository."""
    command = ["git", "-C", str(ROOT), "archive", OLD_COMMIT, "lineage_store", "server"]
    process = subprocess.run(command, capture_output=True, check=False)
    if process.returncode != 0:
        pytest.skip(f"no history: {OLD_COMMIT} is missing, a shallow clone?")
    target = tmp_path_factory.mktemp("old")
    with tarfile.open(fileobj=BytesIO(process.stdout)) as archive:
        archive.extractall(target, filter="data")
    for generated in (ROOT / "lineage_store/v1").glob("*_pb2*.py"):
        shutil.copy(generated, target / "lineage_store/v1")
    return target


class Writers:
    """Threads that put artifacts through servers until they are stopped."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.addresses: list[str] = []
        self.refused: set[str] = set()
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(8)
        self._running = []

    def add(self, address: str, type_id: int) -> None:
        number = len(self.addresses)
        self.addresses.append(address)
        for who in range(4):
            self._running.append(self._pool.submit(self._run, address, type_id, f"{number}-{who}"))

    def _run(self, address: str, type_id: int, who: str) -> None:
        with closing(GrpcTransport(address, timeout=30, retry=False)) as transport:
            count = 0
            while not self._stopped.is_set():
                try:
                    put(transport, type_id, f"{who}-{count}")
                except (errors.Aborted, errors.Internal):  # MariaDB, by the version before
                    self.refused.add(address)
                    return
                self.names.append(f"{who}-{count}")
                count += 1

    def wait_for_more(self, count: int) -> None:
        goal, deadline = len(self.names) + count, time.monotonic() + 30
        while len(self.names) < goal:
            assert time.monotonic() < deadline, "the writers stand still"
            time.sleep(0.02)

    def stop(self) -> None:
        self._stopped.set()
        for one in self._running:
            one.result()
        self._pool.shutdown()


def put(transport, type_id, name):
    request = service.PutArtifactsRequest()
    request.artifacts.add(type_id=type_id, name=name)
    transport.call("PutArtifacts", request)


@pytest.mark.long
@pytest.mark.parametrize("backend", [postgresql, mariadb], ids=name_of)
def test_a_server_of_before_reads_on_and_is_refused_when_it_writes(backend, old_sources, tmp_path):
    """It would add facts without a commit; nothing that it acknowledged is lost."""
    path = str(old_sources / "server")
    with backend.new_store() as url, ExitStack() as stack:
        stack.callback((writers := Writers()).stop)
        for name in ("old", "new"):
            (tmp_path / name).mkdir()
        database = ("--database", url)
        before = stack.enter_context(
            serving(tmp_path / "old", *database, sources=old_sources, PYTHONPATH=path)
        )
        assert administration.status(url).revision == OLD
        with closing(GrpcTransport(before.address, timeout=30, retry=False)) as transport:
            request = service.PutArtifactTypeRequest()
            request.artifact_type.name = "A"
            type_id = transport.call("PutArtifactType", request).type_id
        writers.add(before.address, type_id)
        writers.wait_for_more(50)
        upgrade = [sys.executable, "-m", "lineage_store.cli", "db", "upgrade", *database]
        process = subprocess.run(upgrade, capture_output=True, text=True, check=False)
        assert process.stdout == f"revision {OLD} -> {schema.HEAD}\n", process.stderr
        now = stack.enter_context(serving(tmp_path / "new", *database))
        writers.add(now.address, type_id)
        writers.wait_for_more(300)
        writers.stop()
        assert writers.refused == {before.address}
        assert stored_names(before.address) == sorted(writers.names)
        assert before.stop() == now.stop() == 0
        assert check(url).findings.kept_findings == []


def stored_names(address: str) -> list[str]:
    """Return the names of all artifacts, as a server reads them."""
    with closing(GrpcTransport(address, timeout=30, retry=False)) as transport:
        response = transport.call("GetArtifacts", service.GetArtifactsRequest())
    return sorted(artifact.name for artifact in response.artifacts)
