"""From a URL to a store."""

from pathlib import Path

from lineage_store import errors
from lineage_store.client.channel import GrpcTransport, Tls, parse_target
from lineage_store.client.embedded import EmbeddedTransport
from lineage_store.client.store import LineageStore
from lineage_store.client.transport import Transport

Pem = bytes | str | Path
"""TLS material: PEM bytes, or the path of a file that has them."""


def connect(
    url: str,
    *,
    timeout: float | None = 60.0,
    connect_timeout: float = 10.0,
    ca: Pem | None = None,
    key: Pem | None = None,
    certificate: Pem | None = None,
) -> LineageStore:
    """Open a store.

    Args:
        url: sqlite:///PATH opens a file in this process, and makes it if it is missing; sqlite://
            is a store in memory; grpc://HOST:PORT is a server, grpcs://HOST:PORT one with TLS.
        timeout: Seconds that a call to a server may take; None: no limit.
        connect_timeout: Seconds to wait for a server.
        ca: The authorities that may vouch for the server; None: those of the system.
        key: The private key of the client, for a server that asks for one.
        certificate: The certificate chain of the client.

    Raises:
        InvalidArgument: The URL has another form, or a TLS file can't be read.
        Unavailable: The server does not answer, or the database can't be opened.
        SchemaMismatch: The database was made by another revision of this software.
        NotOurDatabase: The database holds something else.
    """
    tls = Tls(ca=_pem(ca), key=_pem(key), certificate=_pem(certificate))
    scheme = url.partition(":")[0]
    if scheme != "grpcs" and tls != Tls():
        raise errors.InvalidArgument("TLS material needs a URL of the form grpcs://HOST:PORT")
    if scheme in {"grpc", "grpcs"}:
        return LineageStore(_channel(url, tls, timeout, connect_timeout))
    if scheme == "sqlite":
        return LineageStore(EmbeddedTransport(url))
    raise errors.InvalidArgument(
        f"a store URL begins with sqlite:///PATH, sqlite:// (in memory), grpc://HOST:PORT or "
        f"grpcs://HOST:PORT, not with {scheme!r}"
    )


def _channel(url: str, tls: Tls, timeout: float | None, connect_timeout: float) -> Transport:
    target, wants_tls = parse_target(url)
    transport = GrpcTransport(target, timeout=timeout, tls=tls if wants_tls else None)
    try:
        transport.wait_until_ready(connect_timeout)
    except BaseException:
        transport.close()
        raise
    return transport


def _pem(given: Pem | None) -> bytes | None:
    if given is None or isinstance(given, bytes):
        return given
    try:
        return Path(given).read_bytes()
    except OSError as error:
        raise errors.InvalidArgument(f"a TLS file can't be read: {error}") from None
