"""MetadataStore: it reads a configuration, and repeats an aborted call as often as that says."""

import gc
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
import trustme
from google.protobuf.message import Message
from psycopg.conninfo import conninfo_to_dict

from lineage_store import errors, mlmd
from lineage_store.mlmd.metadata_store.calls import Calls
from lineage_store.mlmd.metadata_store.connection import connect, database_url
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as rpc
from tests.backends import mariadb, postgresql


def sqlite(path: str, mode: int | None = None) -> pb.ConnectionConfig:
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = path
    if mode is not None:
        config.sqlite.connection_mode = mode  # type: ignore[assignment]
    return config


@pytest.mark.parametrize(
    ("config", "url"),
    [
        (sqlite(""), "sqlite://"),
        (sqlite(":memory:"), "sqlite://"),
        (sqlite("file::memory:"), "sqlite://"),
        (sqlite("file:shared?mode=memory&cache=shared"), "sqlite://"),
        (pb.ConnectionConfig(fake_database=pb.FakeDatabaseConfig()), "sqlite://"),
        (sqlite("x.db"), "sqlite:///x.db?mode=rwc"),
        (sqlite("/tmp/x.db"), "sqlite:////tmp/x.db?mode=rwc"),
        (sqlite("/tmp/50%?#.db"), "sqlite:////tmp/50%25%3F%23.db?mode=rwc"),
        (sqlite("x.db", 0), "sqlite:///x.db?mode=rwc"),
        (sqlite("x.db", pb.SqliteMetadataSourceConfig.READONLY), "sqlite:///x.db?mode=ro"),
        (sqlite("x.db", pb.SqliteMetadataSourceConfig.READWRITE), "sqlite:///x.db?mode=rw"),
        (sqlite("file:x.db"), "sqlite:///x.db?mode=rwc"),
        (sqlite("file:a%20b.db?mode=ro"), "sqlite:///a%20b.db?mode=ro"),
        (sqlite("file:///tmp/x.db?mode=rw", 1), "sqlite:////tmp/x.db?mode=ro"),
        (sqlite("file://localhost/tmp/x.db?mode=rwc", 2), "sqlite:////tmp/x.db?mode=rw"),
    ],
)
def test_a_database_configuration_is_a_url(config: pb.ConnectionConfig, url: str) -> None:
    assert database_url(config) == url


def test_a_file_is_created_with_its_name_to_the_letter(tmp_path: Path) -> None:
    for name in ("x.db", "50%20?mode=ro#.db"):
        mlmd.MetadataStore(sqlite(str(tmp_path / name)))
        assert (tmp_path / name).exists()


def test_a_mode_may_forbid_to_create_and_to_write(tmp_path: Path) -> None:
    path = str(tmp_path / "x.db")
    for mode in (pb.SqliteMetadataSourceConfig.READONLY, pb.SqliteMetadataSourceConfig.READWRITE):
        with pytest.raises(RuntimeError):
            mlmd.MetadataStore(sqlite(path, mode))
    mlmd.MetadataStore(sqlite(path)).put_artifact_type(pb.ArtifactType(name="T"))
    store = mlmd.MetadataStore(sqlite(path, pb.SqliteMetadataSourceConfig.READONLY))
    assert store.get_artifact_type("T").name == "T"
    with pytest.raises(mlmd.errors.StatusError):
        store.put_artifact_type(pb.ArtifactType(name="U"))


def test_a_database_of_mysql_in_this_process() -> None:
    with mariadb.new_store() as url:
        config = pb.ConnectionConfig()
        config.mysql.host, config.mysql.port = "127.0.0.1", mariadb.port()
        config.mysql.user, config.mysql.database = "root", url.rpartition("/")[2]
        store = mlmd.MetadataStore(config)
        assert store.put_artifact_type(pb.ArtifactType(name="T")) == 10
        config.mysql.password = "wrong: @/"
        with pytest.raises(RuntimeError, match="user or the password"):
            mlmd.MetadataStore(config)


def test_a_database_of_postgresql_in_this_process() -> None:
    parts = conninfo_to_dict(postgresql.server_uri())
    config = pb.ConnectionConfig()
    config.postgresql.host, config.postgresql.user = str(parts["host"]), str(parts["user"])
    config.postgresql.port = str(parts.get("port", ""))
    config.postgresql.dbname = "named: @/"
    with closing(psycopg.connect(postgresql.server_uri(), autocommit=True)) as admin:
        admin.execute('CREATE DATABASE "named: @/"')
        store = mlmd.MetadataStore(config)
        assert store.put_artifact_type(pb.ArtifactType(name="T")) == 10
        store._transport.close()
        admin.execute('DROP DATABASE "named: @/"')
    config.postgresql.dbname = "nowhere"
    with pytest.raises(RuntimeError, match="does not exist"):
        mlmd.MetadataStore(config)


def test_a_database_of_ours_is_not_downgraded() -> None:
    with pytest.raises(RuntimeError, match="can't be downgraded"):
        mlmd.downgrade_schema(sqlite(""), 9)


def test_a_store_that_is_dropped_is_closed() -> None:
    store = mlmd.MetadataStore(sqlite(""))
    transport = store._transport
    del store
    gc.collect()
    with pytest.raises(errors.FailedPrecondition):
        transport.call("GetArtifacts", rpc.GetArtifactsRequest())


class Conflicts:
    """A transport on which the first calls end in an error."""

    def __init__(self, count: int, error: errors.LineageError) -> None:
        self.failures_left, self.error, self.calls = count, error, 0

    def call(self, method: str, request: Message) -> Message:
        assert (method, type(request)) == ("GetArtifactTypes", rpc.GetArtifactTypesRequest)
        self.calls += 1
        self.failures_left -= 1
        if self.failures_left >= 0:
            raise self.error
        return rpc.GetArtifactTypesResponse()

    def close(self) -> None: ...


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds: list[float] = []
    monkeypatch.setattr(time, "sleep", seconds.append)
    return seconds


def get_types(transport: Conflicts) -> object:
    request = rpc.GetArtifactTypesRequest()
    return Calls(transport, attempts=5)._call(request, rpc.GetArtifactTypesResponse)


def test_an_aborted_call_is_repeated_after_a_pause(pauses: list[float]) -> None:
    transport = Conflicts(4, errors.Aborted("busy"))
    assert get_types(transport) == rpc.GetArtifactTypesResponse()
    assert (transport.calls, len(pauses)) == (5, 4)
    assert len(set(pauses)) == 4  # jitter, so that rivals part


def test_the_fifth_abortion_is_raised(pauses: list[float]) -> None:
    transport = Conflicts(9, errors.Aborted("busy"))
    with pytest.raises(mlmd.errors.AbortedError, match="busy") as caught:
        get_types(transport)
    assert isinstance(caught.value.__cause__, errors.Aborted)
    assert (transport.calls, len(pauses)) == (5, 4)


@pytest.mark.parametrize(
    "error", [errors.Unavailable("x"), errors.Internal("x"), errors.SchemaMismatch("x")]
)
def test_no_other_error_is_repeated(error: errors.LineageError, pauses: list[float]) -> None:
    transport = Conflicts(1, error)
    with pytest.raises(mlmd.errors.StatusError) as caught:
        get_types(transport)
    assert (caught.value.error_code, transport.calls, pauses) == (error.code, 1, [])


@pytest.mark.parametrize(("option", "attempts"), [(None, 5), (1, 1), (7, 7), (0, 1), (-3, 1)])
def test_retry_options_say_how_often_a_call_is_made(option: int | None, attempts: int) -> None:
    config = sqlite("")
    if option is not None:
        config.retry_options.max_num_retries = option
    connection = connect(config)
    connection.transport.close()
    assert connection.attempts == attempts


class Handler(grpc.GenericRpcHandler):
    """A service whose every call answers the same bytes, or is aborted if there are none."""

    def __init__(self, answer: bytes | None) -> None:
        self.calls: list[str] = []
        self._answer = answer

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        def call(request: bytes, context: grpc.ServicerContext) -> bytes:
            self.calls.append(details.method)
            if self._answer is None:
                context.abort(grpc.StatusCode.ABORTED, "busy")
            return self._answer or b""

        return grpc.unary_unary_rpc_method_handler(call)


@contextmanager
def serving(
    handler: Handler, credentials: grpc.ServerCredentials | None = None
) -> Iterator[pb.MetadataStoreClientConfig]:
    server = grpc.server(ThreadPoolExecutor(1), handlers=[handler])
    address = "localhost:0"
    port = (
        server.add_secure_port(address, credentials)
        if credentials
        else server.add_insecure_port(address)
    )
    server.start()
    yield pb.MetadataStoreClientConfig(host="localhost", port=port, client_timeout_sec=30)
    server.stop(None).wait()


def test_a_server_gets_an_aborted_call_five_times(pauses: list[float]) -> None:
    busy = Handler(None)
    with serving(busy) as config, pytest.raises(mlmd.errors.AbortedError, match="busy"):
        mlmd.MetadataStore(config).get_artifact_types()
    assert busy.calls == ["/ml_metadata.MetadataStoreService/GetArtifactTypes"] * 5
    assert len(pauses) == 4


def test_channel_arguments_limit_what_is_received() -> None:
    response = rpc.GetArtifactTypesResponse(artifact_types=[pb.ArtifactType(name="T" * 2000)])
    with serving(Handler(response.SerializeToString())) as config:
        (stored_type,) = mlmd.MetadataStore(config).get_artifact_types()
        assert stored_type == response.artifact_types[0]
        config.channel_arguments.max_receive_message_length = 1000
        with pytest.raises(mlmd.errors.ResourceExhaustedError):
            mlmd.MetadataStore(config).get_artifact_types()


def test_certificates_are_given_as_text() -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    ours, theirs = authority.issue_cert("client"), authority.issue_cert("localhost")
    chain = theirs.cert_chain_pems[0].bytes()
    credentials = grpc.ssl_server_credentials(
        [(theirs.private_key_pem.bytes(), chain)],
        authority.cert_pem.bytes(),
        require_client_auth=True,
    )
    with serving(Handler(b""), credentials) as config:
        config.ssl_config.custom_ca = authority.cert_pem.bytes().decode()
        config.ssl_config.client_key = ours.private_key_pem.bytes().decode()
        config.ssl_config.server_cert = ours.cert_chain_pems[0].bytes().decode()
        assert mlmd.MetadataStore(config).get_artifact_types() == []
        config.ssl_config.custom_ca = stranger.cert_pem.bytes().decode()
        with pytest.raises(mlmd.errors.UnavailableError):
            mlmd.MetadataStore(config).get_artifact_types()
