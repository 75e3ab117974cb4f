"""TLS, with and without client certificates."""

from contextlib import closing

import pytest
import trustme

from lineage_store import errors
from lineage_store.client.channel import GrpcTransport, Tls
from lineage_store.v1 import metadata_service_pb2 as service
from tests.integration.serving import failing, serving

REQUEST = service.GetArtifactTypesRequest()


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def ca(authority):
    return authority.cert_pem.bytes()


@pytest.fixture
def options(authority, tmp_path):
    """The options with which a server shows a certificate for 127.0.0.1."""
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    chain = b"".join(part.bytes() for part in issued.cert_chain_pems)
    (tmp_path / "certificate.pem").write_bytes(chain)
    files = {"--tls-key": "key.pem", "--tls-certificate": "certificate.pem"}
    return [word for option, name in files.items() for word in (option, str(tmp_path / name))]


@pytest.fixture
def mutual(options, ca, tmp_path):
    (tmp_path / "ca.pem").write_bytes(ca)
    return [*options, "--tls-client-ca", str(tmp_path / "ca.pem")]


def answers(served, tls):
    with closing(GrpcTransport(served.address, timeout=10, tls=tls, retry=False)) as transport:
        transport.call("GetArtifactTypes", REQUEST)
    return True


def pair(authority):
    issued = authority.issue_cert("client@example.org")
    chain = b"".join(part.bytes() for part in issued.cert_chain_pems)
    return {"key": issued.private_key_pem.bytes(), "certificate": chain}


def test_a_client_that_trusts_the_authority(tmp_path, options, ca):
    with serving(tmp_path, *options) as served:
        assert answers(served, Tls(ca=ca))


def test_clients_that_do_not_fit(tmp_path, options):
    with serving(tmp_path, *options) as served:
        for tls in (None, Tls(), Tls(ca=trustme.CA().cert_pem.bytes())):
            with pytest.raises(errors.Unavailable):
                answers(served, tls)


def test_mutual_tls(tmp_path, mutual, authority, ca):
    with serving(tmp_path, *mutual) as served:
        assert answers(served, Tls(ca=ca, **pair(authority)))
        for stranger in ({}, pair(trustme.CA())):
            with pytest.raises(errors.Unavailable):
                answers(served, Tls(ca=ca, **stranger))


@pytest.mark.parametrize("selection", [slice(0, 2), slice(2, 4)], ids=["no certificate", "no key"])
def test_a_key_needs_a_certificate(tmp_path, options, selection):
    database = ["--database", f"sqlite:///{tmp_path}/a.db"]
    code, error = failing(*options[selection], *database, "--grpc", "127.0.0.1:0")
    assert code == 1
    assert "TLS needs both a key and a certificate" in error
    assert not (tmp_path / "a.db").exists()


def test_a_client_authority_needs_both(tmp_path, mutual):
    code, error = failing(*mutual[4:], "--grpc", "127.0.0.1:0")
    assert code == 1
    assert "client CA" in error


def test_files_that_are_no_certificates(tmp_path, options):
    (tmp_path / "key.pem").write_text("nonsense")
    database = ["--database", f"sqlite:///{tmp_path}/a.db"]
    code, error = failing(*options, *database, "--grpc", "127.0.0.1:0")
    assert code == 3
    assert "can't listen on" in error
