"""The server as a process: its start, its messages, and its end."""

import json
import signal
import sqlite3
import time
from contextlib import closing

import grpc
import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from lineage_store import errors
from lineage_store.client.channel import GrpcTransport
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service
from lineage_store.wire import REASON_KEY
from tests.integration.serving import failing, serving

NAMES = ("lineage_store.v1.MetadataStoreService", "ml_metadata.MetadataStoreService")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_in_order(tmp_path, number):
    with serving(tmp_path) as served, closing(GrpcTransport(served.address)) as transport:
        put_type(transport, "T")
        assert served.stop(number) == 0
    assert not (tmp_path / "store.db-wal").exists()
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        rows = connection.execute("SELECT count(*) FROM types WHERE name = 'T'")
        assert rows.fetchone() == (1,)


def put_type(transport, name):
    request = service.PutArtifactTypeRequest(artifact_type=pb.ArtifactType(name=name))
    return transport.call("PutArtifactType", request).type_id


def test_a_port_that_is_taken(tmp_path):
    with serving(tmp_path) as served:
        other = f"sqlite:///{tmp_path}/other.db"
        code, error = failing("--database", other, "--grpc", served.address)
    assert code == 3
    assert f"error: can't listen on {served.address}" in error


def test_a_host_that_is_not_ours(tmp_path):
    code, error = failing("--database", f"sqlite:///{tmp_path}/a.db", "--grpc", "192.0.2.1:0")
    assert code == 3
    assert "error: can't listen on 192.0.2.1:0" in error


def test_a_database_that_is_not_ours(tmp_path):
    (tmp_path / "store.db").write_bytes(b"not a database, but quite long " * 100)
    code, error = failing("--database", f"sqlite:///{tmp_path}/store.db", "--grpc", "127.0.0.1:0")
    assert code == 3
    assert error == "error: the file is not an SQLite database [NOT_OUR_DATABASE]\n"


@pytest.mark.parametrize("name", NAMES)
def test_both_names_of_the_service_answer(tmp_path, name):
    with (
        serving(tmp_path) as served,
        closing(GrpcTransport(served.address, service=name)) as transport,
    ):
        assert put_type(transport, "T") == 10


def test_health_of_the_server_and_of_both_services(tmp_path):
    with serving(tmp_path) as served, grpc.insecure_channel(served.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for name in ("", *NAMES):
            answer = health.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as caught:
            health.Check(health_pb2.HealthCheckRequest(service="nope"))
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_call_can_be_made_from_what_reflection_tells(tmp_path):
    with serving(tmp_path) as served, grpc.insecure_channel(served.address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert {*NAMES, "grpc.health.v1.Health"} <= set(database.get_services())
        pool = DescriptorPool(database)
        for name in NAMES:
            described = pool.FindServiceByName(name)
            assert len(described.methods) == 52
            method = described.methods_by_name["GetArtifactTypesByID"]
            request, response = (
                GetMessageClass(method.input_type),
                GetMessageClass(method.output_type),
            )
            answer = channel.unary_unary(
                f"/{name}/{method.name}",
                request_serializer=request.SerializeToString,
                response_deserializer=response.FromString,
            )(request(type_ids=[2]))
            assert [each.name for each in answer.artifact_types] == ["mlmd.Model"]


def test_reflection_describes_ml_metadata_under_its_own_names(tmp_path):
    with serving(tmp_path) as served, grpc.insecure_channel(served.address) as channel:
        pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        artifact = pool.FindMessageTypeByName("ml_metadata.Artifact")
    described = descriptor_pb2.FileDescriptorProto()
    artifact.file.CopyToProto(described)
    assert described.name == "ml_metadata/proto/metadata_store.proto"
    assert b"lineage_store" not in described.SerializeToString()


SECRET = "s3cret-payload"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_failed_call_is_one_line_in_the_log_without_its_payload(tmp_path, log_format):
    with serving(tmp_path, "--log-format", log_format) as served:
        with closing(GrpcTransport(served.address)) as transport:
            put_type(transport, "fine")
            artifact = pb.Artifact(name=SECRET, uri=SECRET)
            artifact.custom_properties[SECRET].string_value = SECRET
            with pytest.raises(errors.InvalidArgument):
                transport.call("PutArtifacts", service.PutArtifactsRequest(artifacts=[artifact]))
        served.stop()
        [line] = [line for line in served.log().splitlines() if "call failed" in line]
        assert SECRET not in served.log()
    if log_format == "json":
        entry = json.loads(line)
        assert (entry["level"], entry["method"]) == ("WARNING", "PutArtifacts")
        assert (entry["reason"], "peer" in entry) == ("INVALID_ARGUMENT", True)
    else:
        assert " WARNING call failed method=PutArtifacts peer=" in line
        assert " reason=INVALID_ARGUMENT ms=" in line


def test_the_reason_of_a_failure_is_in_the_trailing_metadata(tmp_path):
    with serving(tmp_path) as served, grpc.insecure_channel(served.address) as channel:
        call = channel.unary_unary(f"/{NAMES[1]}/GetArtifactType")
        with pytest.raises(grpc.RpcError) as caught:
            call(service.GetArtifactTypeRequest(type_name="nope").SerializeToString())
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        assert (REASON_KEY, "NOT_FOUND") in [
            tuple(pair) for pair in caught.value.trailing_metadata()
        ]
        assert "nope" in caught.value.details()


@pytest.mark.parametrize("character", ["x", "é", "\U0001f600", "%", "\n"])
def test_a_long_error_text_fits_the_trailers(tmp_path, character):
    with (
        serving(tmp_path) as served,
        closing(GrpcTransport(served.address, retry=False)) as transport,
    ):
        put_type(transport, "T")
        artifact = pb.Artifact(type_id=10)
        artifact.properties[character * 100_000].int_value = 1
        for _ in range(20):  # a peer refuses metadata over its soft limit now and then
            with pytest.raises(errors.InvalidArgument, match="Found unknown property"):
                transport.call("PutArtifacts", service.PutArtifactsRequest(artifacts=[artifact]))


def test_a_call_that_there_is_not(tmp_path):
    with serving(tmp_path) as served, grpc.insecure_channel(served.address) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(f"/{NAMES[0]}/NoSuchCall")(b"")
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_request_over_the_limit_is_refused_and_the_server_goes_on(tmp_path):
    with (
        serving(tmp_path, "--max-message-bytes", "10000") as served,
        closing(GrpcTransport(served.address)) as transport,
    ):
        put_type(transport, "T")

        def put(length):
            artifact = pb.Artifact(type_id=10, uri="u" * length)
            transport.call("PutArtifacts", service.PutArtifactsRequest(artifacts=[artifact]))

        with pytest.raises(errors.TooLarge):
            put(10_000)
        put(9_000)


def test_a_request_over_the_limit_of_the_client_itself(tmp_path):
    bound = [("grpc.max_send_message_length", 1_000)]
    with (
        serving(tmp_path) as served,
        closing(GrpcTransport(served.address, options=bound)) as transport,
        pytest.raises(errors.TooLarge),
    ):
        put_type(transport, "T" * 2_000)


def test_a_client_waits_for_a_server_that_comes_late(tmp_path):
    with serving(tmp_path) as served:
        address = served.address
        served.stop()
    with closing(GrpcTransport(address, timeout=1, retry=False)) as impatient:
        start = time.monotonic()
        with pytest.raises(errors.Unavailable):
            impatient.call("GetArtifactTypes", service.GetArtifactTypesRequest())
        assert time.monotonic() - start < 1
    with closing(GrpcTransport(address, timeout=30)) as patient:
        with pytest.raises(errors.Unavailable, match=r"0\.2 s"):
            patient.wait_until_ready(0.2)
        with serving(tmp_path, "--grpc", address):
            patient.call("GetArtifactTypes", service.GetArtifactTypesRequest())
