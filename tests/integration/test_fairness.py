"""No caller is in the way of others: locks, unread streams, open calls, pings."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import grpc
import psycopg
import pymysql
import pytest
from lineage_server.command import serve

from lineage_store import errors
from lineage_store.client.channel import GrpcTransport
from lineage_store.database.connection import TAKE_TURN
from lineage_store.v1 import metadata_service_pb2 as service
from tests.backends import mariadb, postgresql
from tests.integration.serving import serving
from tests.integration.test_lineage_streams import COUNT, fill, served, trace
from tests.integration.test_planned_stops import is_cut, locked, put_type

pytestmark = pytest.mark.long

PATIENCE = 5.0
"""Seconds in which another caller must be answered, on a machine that is busy with other tests."""


def put(transport: GrpcTransport, name: str) -> str:
    """Put an artifact; return how it ended."""
    request = service.PutArtifactsRequest()
    request.artifacts.add(type_id=10, name=name)
    try:
        transport.call("PutArtifacts", request)
    except errors.LineageError as error:
        return type(error).__name__
    return "OK"


def names(transport: GrpcTransport) -> set[str]:
    answer = transport.call("GetArtifacts", service.GetArtifactsRequest())
    return {artifact.name for artifact in answer.artifacts}


def seconds_of_a_read(transport: GrpcTransport) -> float:
    start = time.monotonic()
    transport.call("GetArtifactTypes", service.GetArtifactTypesRequest())
    return time.monotonic() - start


def test_reads_go_on_while_writes_wait_for_a_lock_and_those_given_up_are_not_made(tmp_path):
    with (
        serving(tmp_path, "--database-patience-seconds", "3") as server,
        closing(GrpcTransport(server.address, timeout=30, retry=False)) as transport,
        closing(GrpcTransport(server.address, timeout=1, retry=False)) as hasty,
        ThreadPoolExecutor(40) as pool,
    ):
        put_type(transport, "T")
        with locked(tmp_path / "store.db"):
            writes = [
                pool.submit(lambda w: [put(hasty, f"{w}-{at}") for at in range(4)], writer)
                for writer in range(40)
            ]
            waits = [seconds_of_a_read(transport) for _ in range(20)]
            while not all(write.done() for write in writes):
                waits.append(seconds_of_a_read(transport))
            outcomes = Counter(status for write in writes for status in write.result())
        print(f"{len(waits)} reads, the slowest after {max(waits):.2f} s; writes ended {outcomes}")
        assert max(waits) < PATIENCE
        assert set(outcomes) <= {"DeadlineExceeded", "Unavailable"}
        assert put(transport, "last") == "OK"
        assert names(transport) == {"last"}


def test_a_lock_is_waited_for_as_long_as_patience_says(tmp_path):
    with (
        serving(tmp_path, "--database-patience-seconds", "1") as server,
        closing(GrpcTransport(server.address, timeout=30, retry=False)) as transport,
    ):
        put_type(transport, "T")
        with locked(tmp_path / "store.db"):
            start = time.monotonic()
            with pytest.raises(errors.Aborted, match="keeps the database locked"):
                put_type(transport, "late")
            assert 0.9 < time.monotonic() - start < 1 + PATIENCE
        put_type(transport, "late")


def _locked_postgresql(url: str, stack: ExitStack) -> None:
    connection = stack.enter_context(closing(psycopg.connect(url)))
    connection.execute(TAKE_TURN)


def _locked_mariadb(url: str, stack: ExitStack) -> None:
    port, _, name = url.rpartition(":")[2].partition("/")
    connection = pymysql.connect(host="127.0.0.1", port=int(port), user="root", database=name)
    stack.callback(connection.close)
    cursor = connection.cursor()
    cursor.execute("START TRANSACTION")
    cursor.execute(TAKE_TURN)


@pytest.mark.parametrize(
    ("backend", "lock"),
    [(postgresql, _locked_postgresql), (mariadb, _locked_mariadb)],
    ids=["postgresql", "mariadb"],
)
def test_a_lock_on_a_server_is_waited_for_as_long_as_patience_says(tmp_path, backend, lock):
    with (
        backend.new_store() as url,
        serving(tmp_path, "--database", url, "--database-patience-seconds", "2") as server,
        closing(GrpcTransport(server.address, timeout=60, retry=False)) as transport,
    ):
        put_type(transport, "T")
        with ExitStack() as stack:
            lock(url, stack)
            start = time.monotonic()
            with pytest.raises(errors.Aborted):
                put_type(transport, "late")
            assert 0.9 < time.monotonic() - start < 2 + PATIENCE
        put_type(transport, "late")


def test_a_queue_is_bounded_and_a_full_one_is_unavailable(tmp_path):
    with (
        # Less than the client's: a write that waits for the lock ends before its call does.
        serving(
            tmp_path, "--threads=2", "--max-queue=4", "--database-patience-seconds=1"
        ) as server,
        closing(GrpcTransport(server.address, timeout=30, retry=False)) as transport,
        ThreadPoolExecutor(20) as pool,
    ):
        put_type(transport, "T")
        with locked(tmp_path / "store.db"):
            outcomes = list(pool.map(lambda at: put(transport, str(at)), range(20)))
        assert Counter(outcomes) == {"NotBegun": 14, "Aborted": 6}
        assert names(transport) == set()


def test_streams_that_nobody_reads_are_ended_and_never_all_of_them_are_of_one_host(tmp_path):
    with (
        served(tmp_path, threads=8, idle_stream_seconds=2) as (server, transport),
        ExitStack() as stack,
    ):
        fill(transport)
        unread = []
        for _ in range(3):
            opened = stack.enter_context(closing(GrpcTransport(server.address, retry=False)))
            unread.append(trace(opened))
            next(unread[-1])
        assert server._capacity.streams["Trace"]._free == 1
        start = time.monotonic()
        assert [*trace(transport)][-1].verdict.node_count == COUNT  # it waited for its turn
        assert 0.5 < time.monotonic() - start < 10
        assert True in [is_cut(stream) for stream in unread]


def test_calls_whose_requests_do_not_come_are_ended(tmp_path):
    with served(tmp_path, idle_stream_seconds=1.5) as (server, transport):
        put_type(transport, "T")
        stop = threading.Event()

        def nothing():
            stop.wait(30)
            yield b""

        with grpc.insecure_channel(server.address) as channel:
            paths = ("ml_metadata.MetadataStoreService/GetArtifacts", "grpc.health.v1.Health/Check")
            calls = [channel.stream_unary(f"/{path}").future(nothing()) for path in paths * 200]
            statuses = Counter(call.exception(timeout=20).code().name for call in calls)
            # 192 and 48 of one host are received at once; they are given up, the others refused.
            assert statuses == {"CANCELLED": 192 + 48, "UNAVAILABLE": 400 - 192 - 48}
            stop.set()
        assert seconds_of_a_read(transport) < PATIENCE


def test_an_answer_that_is_taken_is_not_ended(tmp_path):
    with served(tmp_path, idle_stream_seconds=1) as (server, transport):
        fill(transport)
        options = [("grpc.max_receive_message_length", -1)]
        with grpc.insecure_channel(server.address, options) as channel:
            method = "/ml_metadata.MetadataStoreService/GetArtifacts"
            answer = channel.unary_unary(method)(b"", timeout=20)
            assert len(answer) > COUNT * 100_000
        deadline = time.monotonic() + PATIENCE
        while server._readers._until:  # one that was taken is not looked after any more
            assert time.monotonic() < deadline
            time.sleep(0.01)


PINGS = [
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.use_local_subchannel_pool", 1),
]


def connectivity(address: str, every_ms: int, seconds: float) -> set[grpc.ChannelConnectivity]:
    """Return the states of a connection that pings and makes no call."""
    options = [*PINGS, ("grpc.keepalive_time_ms", every_ms)]
    with grpc.insecure_channel(address, options) as channel:
        states: list[grpc.ChannelConnectivity] = []
        grpc.channel_ready_future(channel).result(10)
        channel.subscribe(states.append)
        time.sleep(seconds)
        return set(states)


def test_clients_may_ping_as_often_as_they_do_in_the_field(tmp_path):
    ready = {grpc.ChannelConnectivity.READY}
    with serving(tmp_path, "--keepalive-min-client-seconds", "0.5") as server:
        assert connectivity(server.address, 1_000, 6) == ready
    with serving(tmp_path, "--keepalive-min-client-seconds", "300") as server:
        assert connectivity(server.address, 1_000, 6) > ready
    default = next(
        option for option in serve.params if option.name == "keepalive_min_client_seconds"
    )
    assert default.default <= 10


def test_our_client_makes_a_call_again_that_was_not_begun(tmp_path):
    with (
        serving(tmp_path, "--threads", "1", "--max-queue", "1") as server,
        closing(GrpcTransport(server.address, timeout=30)) as transport,
        ThreadPoolExecutor(12) as pool,
    ):
        put_type(transport, "T")
        with locked(tmp_path / "store.db"):
            puts = [pool.submit(put, transport, str(at)) for at in range(12)]
            time.sleep(1)
        assert {each.result() for each in puts} == {"OK"}
        assert names(transport) == {str(at) for at in range(12)}
        assert "reason=NOT_BEGUN" in server.log()
