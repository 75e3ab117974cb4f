"""A cluster of three nodes loses one under load, and its quorum: the view of clients of servers."""

import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest

from lineage_store import errors
from lineage_store.client.channel import GrpcTransport
from lineage_store.engine import Engine
from lineage_store.limits import Limits
from lineage_store.v1 import metadata_service_pb2 as service
from tests.backends import galera, mariadb
from tests.integration.serving import serving

WRITERS = 16
QUICK_SECONDS = 20
"""Until an answer that there is no quorum; the nodes take 4 s to notice, and a call waits 5 s."""

pytestmark = [pytest.mark.long, pytest.mark.timeout(240), pytest.mark.xdist_group("galera")]


@pytest.fixture(scope="module")
def cluster() -> Iterator[galera.Cluster]:
    with galera.new_cluster() as cluster:
        yield cluster


@pytest.fixture
def database(cluster, request) -> Iterator[str]:
    name = f"db_{request.node.name}"[:60]
    execute(cluster.nodes[0], f"CREATE DATABASE {name}")
    return name


def execute(node, statement):
    with closing(mariadb.connect(node.port)) as connection:
        cursor = connection.cursor()
        cursor.execute(statement)
        return cursor.fetchall()


def put_type(transport):
    request = service.PutArtifactTypeRequest()
    request.artifact_type.name = "A"
    return transport.call("PutArtifactType", request).type_id


def put(transport, type_id, name):
    request = service.PutArtifactsRequest()
    request.artifacts.add(type_id=type_id, name=name)
    return transport.call("PutArtifacts", request).artifact_ids[0]


def names(transport):
    answer = transport.call("GetArtifacts", service.GetArtifactsRequest())
    if isinstance(answer, bytes):
        answer = service.GetArtifactsResponse.FromString(answer)
    return [node.name for node in answer.artifacts]


class Load:
    """Writers that put artifacts one by one; a name written twice would be ALREADY_EXISTS."""

    def __init__(self, transports, type_id) -> None:
        self._transports = transports
        self._type_id = type_id
        self._stopped = threading.Event()
        self.seconds: list[float] = []
        self.failures: list[errors.LineageError] = []
        self.names: list[str] = []

    def run(self, who: int) -> None:
        count = 0
        while not self._stopped.is_set():
            name, began = f"w{who}-{count}", time.monotonic()
            try:
                put(self._transports[who % len(self._transports)], self._type_id, name)
                self.names.append(name)
            except errors.LineageError as error:
                self.failures.append(error)
            self.seconds.append(time.monotonic() - began)
            count += 1

    def stop(self) -> None:
        self._stopped.set()

    def wait_for_more(self, count: int) -> None:
        """Wait until so many more calls were answered."""
        goal, deadline = len(self.seconds) + count, time.monotonic() + 60
        while len(self.seconds) < goal:
            assert time.monotonic() < deadline, "the writers stand still"
            time.sleep(0.05)

    def figures(self) -> str:
        ordered = sorted(self.seconds)
        p50, p99 = statistics.median(ordered), ordered[int(len(ordered) * 0.99)]
        return f"p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms, longest {ordered[-1]:.1f} s"


def test_a_node_that_is_killed_and_joins_again_fails_no_call(cluster, database, tmp_path):
    with ExitStack() as stack:
        transports = []
        for number in (0, 1):  # two servers, each with a node of its own
            directory = tmp_path / str(number)
            directory.mkdir()
            url = cluster.url(database, first=number)
            patience = ("--database-patience-seconds", "30")
            served = stack.enter_context(serving(directory, "--database", url, *patience))
            transport = GrpcTransport(served.address, timeout=60, retry=False)
            transports.append(stack.enter_context(closing(transport)))
        load = Load(transports, put_type(transports[0]))
        with ThreadPoolExecutor(WRITERS) as pool:
            stack.callback(load.stop)
            running = [pool.submit(load.run, who) for who in range(WRITERS)]
            load.wait_for_more(500)
            cluster.nodes[1].kill()
            load.wait_for_more(1000)
            cluster.nodes[1].start()
            cluster.nodes[1].wait()
            load.wait_for_more(500)
            load.stop()
            for one in running:
                one.result()
        stored = names(transports[0])
        assert names(transports[1]) == stored
    print(f"{len(load.names)} written, {len(load.failures)} failed, {load.figures()}")
    assert load.failures == []
    assert sorted(stored) == sorted(load.names)
    contents = [mariadb.rows_at(node.port, database) for node in cluster.nodes]
    assert contents[0]["artifacts"]
    assert contents[1] == contents[0]
    assert contents[2] == contents[0]


def test_what_one_server_acknowledged_the_other_sees(cluster, database):
    with (
        closing(Engine(cluster.url(database, first=0))) as first,
        closing(Engine(cluster.url(database, first=1))) as there,
    ):
        type_id = put_type(first)
        for number in range(50):
            put(first, type_id, f"n{number}")
            assert names(there)[-1] == f"n{number}"


def test_without_quorum_calls_are_unavailable_and_with_it_they_work_again(cluster, database):
    quick = Limits(patience_seconds=1)
    with closing(Engine(cluster.url(database), quick)) as engine:
        type_id = put_type(engine)
        put(engine, type_id, "before")
        for node in cluster.nodes[1:]:
            node.kill()
        for call in (lambda: put(engine, type_id, "lost"), lambda: names(engine)):
            began = time.monotonic()
            with pytest.raises(errors.Unavailable):
                call()
            assert time.monotonic() - began < QUICK_SECONDS
        # What an operator does when the others are gone for good.
        execute(cluster.nodes[0], "SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'")
        cluster.nodes[0].wait()
        put(engine, type_id, "after")
        stored_names = names(engine)
        assert stored_names[0] == "before"
        assert stored_names[-1] == "after"
        for node in cluster.nodes[1:]:
            node.start()
            node.wait()
        put(engine, type_id, "all")
        assert names(engine)[-1] == "all"
