"""Streams of a server: how many there are at once, and how they end."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from lineage_server.app import Server
from lineage_server.settings import Settings

from lineage_store import errors
from lineage_store.client.channel import GrpcTransport
from lineage_store.v1 import lineage_pb2
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service
from tests.integration.serving import serving

COUNT, SIZE = 200, 100_000
"""Artifacts and their bytes: an answer that no buffer between server and client holds."""


@contextmanager
def served(directory, **settings) -> Iterator[tuple[Server, GrpcTransport]]:
    database = f"sqlite:///{directory}/store.db"
    server = Server(
        Settings(database=database, grpc="127.0.0.1:0", **{"drain_seconds": 0, **settings})
    )
    server.start()
    try:
        with closing(GrpcTransport(server.address, timeout=60, retry=False)) as transport:
            yield server, transport
    finally:
        server.stop()


def fill(transport) -> None:
    request = service.PutArtifactTypeRequest(artifact_type=pb.ArtifactType(name="T"))
    type_id = transport.call("PutArtifactType", request).type_id
    artifacts = [pb.Artifact(type_id=type_id, uri="u" * SIZE)] * COUNT
    transport.call("PutArtifacts", service.PutArtifactsRequest(artifacts=artifacts))


def trace(transport, **budget):
    request = lineage_pb2.TraceRequest(budget=lineage_pb2.LineageBudget(**budget))
    request.walk.start.kind = lineage_pb2.ARTIFACT
    request.walk.start.named.type = "T"
    return transport.stream("Trace", request)


def test_half_of_the_threads_may_stream_and_the_others_go_on(tmp_path):
    with served(tmp_path, threads=4) as (server, transport):
        fill(transport)
        slow = trace(transport)
        assert next(slow).artifacts
        with (
            closing(GrpcTransport(server.address, timeout=0.5, retry=False)) as hasty,
            pytest.raises(errors.DeadlineExceeded),
        ):
            list(trace(hasty))
        transport.call("GetArtifactTypes", service.GetArtifactTypesRequest())
        put = service.PutArtifactTypeRequest(artifact_type=pb.ArtifactType(name="more"))
        transport.call("PutArtifactType", put)  # a slow reader is not in the way of a writer
        slow.close()
        assert [*trace(transport)][-1].verdict.node_count == COUNT


def test_a_stream_that_is_read_slowly_is_whole(tmp_path):
    with served(tmp_path, threads=1) as (_, transport):
        fill(transport)
        count = 0
        for part in trace(transport):
            time.sleep(0.005)
            count += len(part.artifacts)
        assert count == part.verdict.node_count == COUNT


def test_the_limits_of_the_server_hold_for_all(tmp_path):
    with served(tmp_path, max_lineage_nodes=7) as (_, transport):
        fill(transport)
        for budget in ({}, {"max_nodes": 100}):
            *_, last = trace(transport, **budget)
            assert last.verdict.reason == lineage_pb2.Verdict.MAX_NODES
            assert last.verdict.node_count == 7
        request = service.GetLineageSubgraphRequest()
        options = request.lineage_subgraph_query_options
        options.starting_artifacts.filter_query = "type = 'T'"
        with pytest.raises(errors.ResourceExhausted, match="more than 7 nodes"):
            transport.call("GetLineageSubgraph", request)


def test_a_server_that_stops_ends_its_streams(tmp_path):
    with serving(tmp_path, "--drain-seconds", "0.2") as process:
        with closing(GrpcTransport(process.address, timeout=60, retry=False)) as transport:
            fill(transport)
            stream = trace(transport)
            next(stream)
            start = time.monotonic()
            assert process.stop() == 0
            assert time.monotonic() - start < 5
            with pytest.raises(errors.LineageError) as caught:
                list(stream)
        assert isinstance(caught.value, (errors.Unavailable, errors.Cancelled))
        assert "defect" not in process.log()
        assert "Traceback" not in process.log()


def test_the_service_is_described_and_healthy(tmp_path):
    name = "lineage_store.v1.LineageService"
    with served(tmp_path) as (server, _), grpc.insecure_channel(server.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        answer = health.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        database = ProtoReflectionDescriptorDatabase(channel)
        assert name in database.get_services()
        described = DescriptorPool(database).FindServiceByName(name)
        methods = {method.name: method.server_streaming for method in described.methods}
    assert methods == {"Trace": True, "FindPaths": False, "Summarize": False, "Compare": False}
