"""A server of several processes on one port."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager

import psutil
import pytest

from lineage_store.client.channel import GrpcTransport
from lineage_store.v1 import metadata_service_pb2 as service
from tests.backends import mariadb, postgresql
from tests.integration.serving import failing, serving

PROCESSES, CONNECTIONS = 2, 16


@contextmanager
def served_by_many(path, database):
    with serving(
        path, "--processes", str(PROCESSES), "--database", database, "--drain-seconds", "2"
    ) as served:
        yield served


@pytest.fixture(params=[postgresql, mariadb], ids=["postgresql", "mariadb"])
def database(request):
    with request.param.new_store() as url:
        yield url


def workers(served) -> list[psutil.Process]:
    """Return the processes that listen on the port."""
    children = psutil.Process(served.process.pid).children()
    return [child for child in children if sockets(served, child, "LISTEN")]


def sockets(served, process, status) -> int:
    """Return how many sockets of a process are on the port, in a status."""
    port = int(served.address.rpartition(":")[2])
    connections = process.net_connections()
    return sum(c.laddr.port == port and c.status == status for c in connections)


def put_type(transport, name) -> int:
    request = service.PutArtifactTypeRequest()
    request.artifact_type.name = name
    return transport.call("PutArtifactType", request).type_id


def test_all_processes_answer_and_end_together(tmp_path, database):
    with served_by_many(tmp_path, database) as served, ExitStack() as stack:
        ports = [
            stack.enter_context(
                closing(
                    GrpcTransport(served.address, options=[("grpc.use_local_subchannel_pool", 1)])
                )
            )
            for _ in range(CONNECTIONS)
        ]
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            ids = list(pool.map(put_type, ports, ["T"] * CONNECTIONS))
        assert len(set(ids)) == 1
        processes = workers(served)
        assert len(processes) == PROCESSES
        assert all(sockets(served, process, "ESTABLISHED") for process in processes)
        assert served.stop(signal.SIGTERM) == 0
    assert not any(process.is_running() for process in processes)


def test_the_end_of_one_is_the_end_of_all(tmp_path):
    with postgresql.new_store() as database, served_by_many(tmp_path, database) as served:
        processes = workers(served)
        processes[0].kill()
        assert served.process.wait(30) == 1
        assert "ended with exit code -9" in served.log()
        assert not any(process.is_running() for process in processes)


def test_they_end_with_the_first_process(tmp_path):
    with postgresql.new_store() as database, served_by_many(tmp_path, database) as served:
        processes = workers(served)
        os.kill(served.process.pid, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while any(process.is_running() for process in processes) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(process.is_running() for process in processes)


def test_their_port_is_their_own(tmp_path):
    with postgresql.new_store() as database, served_by_many(tmp_path, database) as served:
        for count in ("1", "2"):
            code, error = failing(
                "--database", database, "--grpc", served.address, "--processes", count
            )
            assert code == 3
            assert f"can't listen on {served.address}" in error


def test_a_file_has_one_process(tmp_path):
    code, error = failing("--database", f"sqlite:///{tmp_path}/a.db", "--processes", "2")
    assert code == 1
    assert "an SQLite file is served by one process" in error
    assert not (tmp_path / "a.db").exists()


def test_a_database_that_is_away(tmp_path):
    away = "postgresql://nobody@127.0.0.1:1/none"
    code, error = failing("--database", away, "--grpc", "127.0.0.1:0", "--processes", "2")
    assert code == 3
    assert error.endswith("is the URL right? [UNAVAILABLE]\n")
