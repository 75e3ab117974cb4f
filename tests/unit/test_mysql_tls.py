"""Connections to MySQL hold the certificate of the server against those that the URL names."""

import ssl
from pathlib import Path

import trustme

from lineage_store.database.drivers.mysql_tls import TlsConnection, encryption_only


def context_of(**options: object) -> ssl.SSLContext:
    """Return the context of a connection that is not opened yet."""
    connection = TlsConnection(defer_connect=True, **options)
    assert connection.ssl  # it encrypts if the server can
    return connection.ctx


def test_without_certificates_all_connections_share_a_context_that_loads_none() -> None:
    context = context_of()
    assert context is context_of() is encryption_only()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)
    assert context.cert_store_stats()["x509_ca"] == 0


def test_a_certificate_of_the_url_is_compared(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    context = context_of(ssl_ca=str(tmp_path / "ca.pem"), ssl_verify_cert=True)
    assert context is not encryption_only()
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.cert_store_stats()["x509_ca"] == 1
