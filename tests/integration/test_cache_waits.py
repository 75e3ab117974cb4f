"""Waits on a server: many at once, beside other calls; and how they end."""

import threading
import time
from contextlib import closing

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from lineage_store import errors
from lineage_store.client.channel import GrpcTransport
from lineage_store.client.embedded import EmbeddedTransport
from lineage_store.v1 import cache_pb2
from lineage_store.wire import CACHE
from tests.integration.serving import serving
from tests.integration.test_lineage_streams import served

KEY = bytes(32)
WAITS, MAX_WAITS = 40, 53
"""What one host may have of all waits, and all."""


def claim(transport, holder="a", lease=60_000):
    request = cache_pb2.ClaimRequest(digest=KEY, holder=holder, lease_milliseconds=lease)
    return transport.call("Claim", request).claim


def release(transport, held_claim) -> None:
    transport.call("Release", cache_pb2.ReleaseRequest(claims=[held_claim]))


def wait(transport, **fields):
    return transport.stream("Wait", cache_pb2.WaitRequest(digests=[KEY], **fields))


class Waiter(threading.Thread):
    """Waits for the key; keeps the outcome, or the error."""

    def __init__(self, transport) -> None:
        super().__init__()
        self.transport = transport
        self.outcome: object = None
        self.start()

    def run(self) -> None:
        try:
            [answer] = wait(self.transport)
            self.outcome = answer.event
        except errors.LineageError as error:
            self.outcome = error


def until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def waiter_count(server) -> int:
    return sum(map(len, server._engine._announcements._events_by_key.values()))


def test_many_wait_and_other_calls_go_on(tmp_path):
    with served(tmp_path, threads=2, max_waits=MAX_WAITS) as (server, transport):
        held_claim = claim(transport)
        waiters = [Waiter(transport) for _ in range(WAITS)]
        until(lambda: waiter_count(server) == WAITS)
        with pytest.raises(
            errors.ResourceExhausted, match=f"{MAX_WAITS} waits at once, {WAITS} of them"
        ):
            list(wait(transport))
        start = time.monotonic()
        release(transport, held_claim)
        for waiter in waiters:
            waiter.join()
        assert time.monotonic() - start < 5
        assert {waiter.outcome for waiter in waiters} == {cache_pb2.WaitResponse.RELEASED}
        assert waiter_count(server) == 0


def test_a_wait_that_is_given_up_frees_its_place(tmp_path):
    with served(tmp_path, max_waits=1) as (server, transport):
        claim(transport)
        answers = transport._calls["Wait"](cache_pb2.WaitRequest(digests=[KEY]))
        until(lambda: waiter_count(server) == 1)
        answers.cancel()
        until(lambda: waiter_count(server) == 0)
        assert [a.event for a in wait(transport, max_milliseconds=0)] == [
            cache_pb2.WaitResponse.STILL_IN_FLIGHT
        ]


def test_a_server_that_stops_ends_its_waits_at_once(tmp_path):
    with serving(tmp_path, "--drain-seconds", "20") as process:
        with closing(GrpcTransport(process.address, timeout=60, retry=False)) as transport:
            claim(transport)
            waiter = Waiter(transport)
            time.sleep(0.5)
            start = time.monotonic()
            assert process.stop() == 0
            assert time.monotonic() - start < 5
            waiter.join()
        assert isinstance(waiter.outcome, errors.Unavailable)
        assert "defect" not in process.log()
        assert "Traceback" not in process.log()


def test_what_another_process_does_is_seen_within_a_second_or_so(tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    with served(tmp_path) as (server, transport), closing(EmbeddedTransport(url)) as other:
        held_claim = claim(transport)
        waiter = Waiter(transport)
        until(lambda: waiter_count(server) == 1)
        start = time.monotonic()
        release(other, held_claim)
        waiter.join()
        assert time.monotonic() - start < 5
    assert waiter.outcome == cache_pb2.WaitResponse.RELEASED


def test_the_service_is_described_and_healthy(tmp_path):
    name = CACHE.full_name
    with served(tmp_path) as (server, _), grpc.insecure_channel(server.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        answer = health.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        database = ProtoReflectionDescriptorDatabase(channel)
        assert name in database.get_services()
        described = DescriptorPool(database).FindServiceByName(name)
        streams = [method.name for method in described.methods if method.server_streaming]
    assert streams == ["Wait"]
    assert len(described.methods) == len(CACHE.methods)
