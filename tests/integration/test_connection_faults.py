"""A server that can't be used is told from one that is not there, and why is said."""

import http.server
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import trustme

from lineage_store import connect, errors
from lineage_store.client.addresses import TLS_VARIABLES
from lineage_store.client.channel import GrpcTransport
from lineage_store.v1 import metadata_service_pb2 as service
from tests.integration.serving import serving


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    """PEM files: of the authority, and of a client."""
    client = authority.issue_cert("client@example.org")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    client.private_key_pem.write_to_path(str(tmp_path / "client.key"))
    chain = b"".join(part.bytes() for part in client.cert_chain_pems)
    (tmp_path / "client.pem").write_bytes(chain)
    names = {"ca": "ca.pem", "key": "client.key", "certificate": "client.pem"}
    return {name: str(tmp_path / file) for name, file in names.items()}


@contextmanager
def tls_server(
    authority: trustme.CA, directory: Path, *options: str, host: str = "127.0.0.1"
) -> Iterator[str]:
    """Serve with TLS; yield HOST:PORT."""
    directory.mkdir()
    issued = authority.issue_cert(host)
    issued.private_key_pem.write_to_path(str(directory / "key.pem"))
    chain = b"".join(part.bytes() for part in issued.cert_chain_pems)
    (directory / "chain.pem").write_bytes(chain)
    tls = ["--tls-key", str(directory / "key.pem"), "--tls-certificate", f"{directory}/chain.pem"]
    with serving(directory, *tls, *options) as served:
        yield served.address


def refusal(url: str, seconds: float = 1.0, **options: str) -> str:
    """Return why a store can't be opened."""
    with pytest.raises(errors.Unavailable) as caught:
        connect(url, connect_timeout=seconds, **options).close()
    return caught.value.message


def unused_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def test_nothing_listens() -> None:
    port = unused_port()
    for scheme in ("grpc", "grpcs"):
        message = refusal(f"{scheme}://127.0.0.1:{port}")
        assert message == (
            f"no server answered at 127.0.0.1:{port} within 1 s: "
            "nothing listens there (connection refused)"
        )


def test_a_host_that_does_not_exist() -> None:
    assert "host name" in refusal("grpc://nosuchhost.invalid:8080")


def test_what_accepts_and_says_nothing() -> None:
    with closing(socket.socket()) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        assert refusal(f"grpc://{place}").startswith(f"no server answered at {place} within 1 s")


def test_another_program_listens() -> None:
    class Quiet(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Quiet) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        assert "no gRPC server" in refusal(f"grpc://127.0.0.1:{other.server_port}", 2.0)
        other.shutdown()


def test_tls_that_does_not_fit_is_told_at_once(
    authority: trustme.CA, files: dict[str, str], tmp_path: Path
) -> None:
    """Waiting does not help, so nobody waits for the whole of the time."""
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "stranger.pem"))
    start = time.monotonic()
    with tls_server(authority, tmp_path / "a") as address:
        message = refusal(f"grpcs://{address}", 60.0, ca=str(tmp_path / "stranger.pem"))
        assert "no authority known here signed it; name the authority with --ca" in message
        assert "no authority known here" in refusal(f"grpcs://{address}", 60.0)
    with tls_server(authority, tmp_path / "b", host="example.org") as address:
        assert "another host name" in refusal(f"grpcs://{address}", 60.0, ca=files["ca"])
    with serving(tmp_path) as served:
        assert "use grpc://" in refusal(f"grpcs://{served.address}", 60.0, ca=files["ca"])
    assert time.monotonic() - start < 40


def test_plain_text_against_tls_and_a_missing_client_certificate(
    authority: trustme.CA, files: dict[str, str], tmp_path: Path
) -> None:
    with tls_server(authority, tmp_path / "a", "--tls-client-ca", files["ca"]) as address:
        assert "want TLS (grpcs://)" in refusal(f"grpc://{address}", 2.0)
        assert "client certificate (--cert and --key" in refusal(
            f"grpcs://{address}", 2.0, ca=files["ca"]
        )
        connect(f"grpcs://{address}", **files).close()


def test_tls_files_from_the_command_line_and_the_environment(
    authority: trustme.CA, files: dict[str, str], tmp_path: Path
) -> None:
    options = {"ca": "--ca", "key": "--key", "certificate": "--cert"}
    with tls_server(authority, tmp_path / "a", "--tls-client-ca", files["ca"]) as address:
        url = f"grpcs://{address}"
        words = [word for name, path in files.items() for word in (options[name], path)]
        assert listing(url, *words).returncode == 0
        assert (
            listing(url, **{TLS_VARIABLES[name]: path for name, path in files.items()}).returncode
            == 0
        )
        half = listing(url, "--ca", files["ca"], "--key", files["key"])
        assert half.returncode == 1
        assert half.stderr == (
            "error: a client certificate and its private key go together [INVALID_ARGUMENT]\n"
        )


def listing(url: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `lineage-store artifacts list`."""
    command = [sys.executable, "-m", "lineage_store.cli", "artifacts", "list", "--store", url]
    return subprocess.run(
        [*command, *options],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_line_prints_one_line(authority: trustme.CA, tmp_path: Path) -> None:
    with tls_server(authority, tmp_path / "a") as address:
        result = listing(f"grpcs://{address}")
    assert result.returncode == 3
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith(
        f"error: the server at {address} can't be used: its certificate"
    )


def test_a_call_says_it_too() -> None:
    port = unused_port()
    with (
        closing(GrpcTransport(f"127.0.0.1:{port}", timeout=5, retry=False)) as transport,
        pytest.raises(errors.Unavailable, match="connection refused") as caught,
    ):
        transport.call("GetArtifactTypes", service.GetArtifactTypesRequest())
    assert f"127.0.0.1:{port}" in caught.value.message


def test_what_is_too_large_says_so(tmp_path: Path) -> None:
    request = service.PutArtifactsRequest()
    request.artifacts.add(type_id=10, uri="u" * 10_000)
    with (
        serving(tmp_path, "--max-message-bytes", "4096") as served,
        closing(GrpcTransport(served.address, timeout=5)) as transport,
        pytest.raises(errors.TooLarge, match="the request or the answer is too large"),
    ):
        transport.call("PutArtifacts", request)
