"""A planned stop: new calls get UNAVAILABLE, and the drain takes as long as it may."""

import json
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from lineage_server.app import CLOSE_SECONDS

from lineage_store import errors
from lineage_store.client.channel import GrpcTransport
from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service
from tests.backends import postgresql
from tests.integration.serving import Served, serving
from tests.integration.test_lineage_streams import COUNT, fill, trace

pytestmark = pytest.mark.long

SLACK = 3.0
"""Seconds that a busy machine may take beyond the bound."""


def put_type(transport: GrpcTransport, name: str) -> int:
    request = service.PutArtifactTypeRequest(artifact_type=pb.ArtifactType(name=name))
    return transport.call("PutArtifactType", request).type_id


@contextmanager
def locked(path) -> Iterator[None]:
    """Hold the write lock of an SQLite file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


def stopped(served: Served) -> float:
    """Stop a server; return how many seconds it took."""
    start = time.monotonic()
    assert served.stop() == 0
    return time.monotonic() - start


def is_cut(stream) -> bool:
    """Return True if a stream ended with Unavailable; one buffered to its end is whole."""
    try:
        *_, last = stream
    except errors.Unavailable:
        return True
    assert last.verdict.node_count == COUNT
    return False


class Caller(threading.Thread):
    """Writes without a pause, whatever comes of it."""

    def __init__(self, address: str, statuses: Counter, acknowledged: list[str]) -> None:
        super().__init__()
        self.stop = threading.Event()
        self._address = address
        self._statuses = statuses
        self._acknowledged = acknowledged

    def run(self) -> None:
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(self._address, options) as channel:
            put = channel.unary_unary("/ml_metadata.MetadataStoreService/PutArtifacts")
            at = 0
            while not self.stop.is_set():
                name = f"{self.name}-{at}"
                at += 1
                request = service.PutArtifactsRequest()
                request.artifacts.add(type_id=10, name=name)
                try:
                    put(request.SerializeToString(), timeout=20)
                except grpc.RpcError as error:
                    self._statuses[error.code().name] += 1
                    time.sleep(0.005)
                else:
                    self._statuses["OK"] += 1
                    self._acknowledged.append(name)


def stop_again_and_again(directory, database: str, *options: str) -> tuple[Counter, set[str]]:
    """Restart a server under load; return the statuses of calls, and the names acknowledged."""
    statuses: Counter = Counter()
    acknowledged: list[str] = []
    callers: list[Caller] = []
    address = "127.0.0.1:0"
    try:
        for _ in range(3):
            with serving(directory, "--grpc", address, "--database", database, *options) as served:
                address = served.address
                if not callers:
                    with closing(GrpcTransport(address)) as transport:
                        assert put_type(transport, "T") == 10
                    callers = [Caller(address, statuses, acknowledged) for _ in range(8)]
                    for caller in callers:
                        caller.start()
                time.sleep(1)
                served.stop()
                assert "Traceback" not in served.log()
    finally:
        for caller in callers:
            caller.stop.set()
        for caller in callers:
            caller.join()
    return statuses, set(acknowledged)


def stored(directory, database: str) -> set[str]:
    with (
        serving(directory, "--database", database) as served,
        closing(GrpcTransport(served.address)) as transport,
    ):
        answer = transport.call("GetArtifacts", service.GetArtifactsRequest())
        return {artifact.name for artifact in answer.artifacts}


def test_a_stop_under_load_answers_unavailable_alone_and_loses_nothing(tmp_path):
    database = f"sqlite:///{tmp_path}/store.db"
    statuses, acknowledged = stop_again_and_again(tmp_path, database)
    assert set(statuses) == {"OK", "UNAVAILABLE"}, statuses
    assert acknowledged <= stored(tmp_path, database)


def test_processes_stop_alike(tmp_path):
    with postgresql.new_store() as database:
        options = ("--processes", "2")
        statuses, acknowledged = stop_again_and_again(tmp_path, database, *options)
        assert set(statuses) == {"OK", "UNAVAILABLE"}, statuses
        assert acknowledged <= stored(tmp_path, database)


def test_while_a_call_runs_others_are_refused_and_health_says_so(tmp_path):
    with (
        serving(tmp_path, "--drain-seconds", "30") as served,
        closing(GrpcTransport(served.address, timeout=60, retry=False)) as transport,
        grpc.insecure_channel(served.address) as channel,
    ):
        fill(transport)
        stream = trace(transport)
        next(stream)
        health = health_pb2_grpc.HealthStub(channel)
        assert health.Check(health_pb2.HealthCheckRequest()).status == 1
        served.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 10
        while health.Check(health_pb2.HealthCheckRequest()).status == 1:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        for _ in range(20):
            with pytest.raises(errors.Unavailable, match="about to stop"):
                put_type(transport, "late")
        *_, last = stream
        assert last.verdict.node_count == COUNT
        assert served.process.wait(10) == 0


def test_the_bound_holds_with_a_lock_of_another_process(tmp_path):
    with (
        serving(tmp_path, "--drain-seconds", "1", "--database-patience-seconds", "60") as served,
        closing(GrpcTransport(served.address, timeout=60, retry=False)) as transport,
    ):
        put_type(transport, "T")
        caught: list[Exception] = []

        def write() -> None:
            try:
                put_type(transport, "late")
            except errors.LineageError as error:
                caught.append(error)

        with locked(tmp_path / "store.db"):
            writers = [threading.Thread(target=write) for _ in range(20)]
            for writer in writers:
                writer.start()
            time.sleep(0.5)
            assert stopped(served) < 1 + CLOSE_SECONDS + SLACK
            for writer in writers:
                writer.join()
        assert {type(error) for error in caught} <= {errors.Unavailable, errors.NotBegun}
        assert "the time to drain is over" in served.log()


def test_the_bound_holds_with_long_filters(tmp_path):
    text = " OR ".join(f"(name = 'x{i}' AND uri LIKE '%{i}%')" for i in range(2_400))
    options = pb.ListOperationOptions(filter_query=text, max_result_size=5)
    with (
        serving(tmp_path, "--drain-seconds", "0.5") as served,
        closing(GrpcTransport(served.address, timeout=60, retry=False)) as transport,
    ):
        request = service.GetArtifactsRequest(options=options)

        def ask() -> None:
            with suppress(errors.LineageError):
                while True:
                    transport.call("GetArtifacts", request)

        askers = [threading.Thread(target=ask, daemon=True) for _ in range(12)]
        for asker in askers:
            asker.start()
        time.sleep(0.5)
        assert stopped(served) < 0.5 + CLOSE_SECONDS + SLACK
        for asker in askers:
            asker.join(10)
            assert not asker.is_alive()


def test_the_bound_holds_with_streams_that_nobody_reads_and_with_waits(tmp_path):
    with (
        serving(tmp_path, "--drain-seconds", "1") as served,
        closing(GrpcTransport(served.address, timeout=60, retry=False)) as transport,
        ExitStack() as stack,
    ):
        fill(transport)
        unread = []
        for _ in range(6):
            opened = stack.enter_context(
                closing(GrpcTransport(served.address, timeout=60, retry=False))
            )
            unread.append(trace(opened))
            next(unread[-1])
        claim = cache_pb2.ClaimRequest(digest=bytes(32), holder="a", lease_milliseconds=60_000)
        transport.call("Claim", claim)
        wait = transport.stream("Wait", cache_pb2.WaitRequest(digests=[bytes(32)]))
        threading.Timer(0.5, served.process.send_signal, [signal.SIGTERM]).start()
        start = time.monotonic()
        with pytest.raises(errors.Unavailable):
            list(wait)
        assert served.process.wait(30) == 0
        assert time.monotonic() - start < 0.5 + 1 + CLOSE_SECONDS + SLACK
        assert True in [is_cut(stream) for stream in unread]
        assert "Traceback" not in served.log()


def test_an_idle_server_stops_at_once(tmp_path):
    with (
        serving(tmp_path, "--log-format", "json") as served,
        closing(GrpcTransport(served.address)) as transport,
    ):
        put_type(transport, "T")
        assert stopped(served) < SLACK
        assert all(json.loads(line) for line in served.log().splitlines())
        assert not (tmp_path / "store.db-wal").exists()


def test_a_cancellation_that_nobody_asked_for_is_unavailable():
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((_Cancelling(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with closing(GrpcTransport(f"127.0.0.1:{port}", timeout=10)) as transport:
            with pytest.raises(errors.Unavailable, match="the server ended the call"):
                put_type(transport, "T")
            answer = transport.call("GetArtifactTypes", service.GetArtifactTypesRequest())
            assert not answer.artifact_types
    finally:
        server.stop(0).wait()
    with closing(GrpcTransport(f"127.0.0.1:{port}", timeout=10)) as transport:
        threading.Timer(0.2, transport.close).start()
        with pytest.raises(errors.Cancelled):
            transport.call("GetArtifactTypes", service.GetArtifactTypesRequest())


class _Cancelling(grpc.GenericRpcHandler):
    """Ends each call with CANCELLED; a read, from the third time on, well."""

    def __init__(self) -> None:
        self._reads = 0

    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(
            self._read if details.method.endswith("GetArtifactTypes") else self._write
        )

    def _read(self, _: bytes, context: grpc.ServicerContext) -> bytes:
        self._reads += 1
        if self._reads < 3:
            context.abort(grpc.StatusCode.CANCELLED, "CANCELLED")
        return b""

    def _write(self, _: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(grpc.StatusCode.CANCELLED, "CANCELLED")
        raise AssertionError
