"""From a URL to a store."""

import os
from functools import partial
from pathlib import Path
from typing import TypeVar

from lineage_store import errors
from lineage_store.client.addresses import (
    SERVERS,
    TLS_VARIABLES,
    Location,
    check_url,
    located,
    parse_target,
    store_url,
)
from lineage_store.client.channel import GrpcTransport, Tls
from lineage_store.client.store import ClientStore

Pem = bytes | str | Path
"""TLS material: PEM bytes, or the path of a file that has them."""

S = TypeVar("S", bound=ClientStore)

HASTY_SECONDS = 10.0
"""Seconds that a call may take over the transport that must not wait."""

_QUICK_TO_RECONNECT = [
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]


def open_store(
    cls: type[S],
    location: Location,
    *,
    timeout: float | None,
    connect_timeout: float | None,
    ca: Pem | None = None,
    key: Pem | None = None,
    certificate: Pem | None = None,
) -> S:
    """Open a store of a class; the rest is said at `lineage_store.connect`."""
    url = store_url(location)
    check_url(url)
    scheme = url.partition(":")[0]
    if scheme == "grpcs":
        ca = ca or os.environ.get(TLS_VARIABLES["ca"])
        key = key or os.environ.get(TLS_VARIABLES["key"])
        certificate = certificate or os.environ.get(TLS_VARIABLES["certificate"])
    if (key is None) != (certificate is None):
        raise errors.InvalidArgument("a client certificate and its private key go together")
    tls = Tls(ca=_pem(ca), key=_pem(key), certificate=_pem(certificate))
    if scheme != "grpcs" and tls != Tls():
        raise errors.InvalidArgument("TLS material needs a URL of the form grpcs://HOST:PORT")
    if scheme in SERVERS:
        return _over_grpc(cls, url, tls, timeout, connect_timeout)
    # Only now: a client of a server needs no database, and starts three times as fast.
    from lineage_store.client.embedded import EmbeddedTransport  # noqa: PLC0415

    return cls(EmbeddedTransport(url), url=located(url))


def _over_grpc(
    cls: type[S], url: str, tls: Tls, timeout: float | None, connect_timeout: float | None
) -> S:
    target, wants_tls = parse_target(url)
    material = tls if wants_tls else None
    fail_fast = partial(
        GrpcTransport,
        target,
        timeout=HASTY_SECONDS,
        tls=material,
        retry=False,
        options=_QUICK_TO_RECONNECT,
    )
    transport = GrpcTransport(target, timeout=timeout, tls=material)
    try:
        if connect_timeout is not None:
            transport.wait_until_ready(connect_timeout)
    except BaseException:
        transport.close()
        raise
    return cls(transport, url=url, fail_fast=fail_fast)


def _pem(material: Pem | None) -> bytes | None:
    if material is None or isinstance(material, bytes):
        return material
    try:
        return Path(material).read_bytes()
    except OSError as error:
        raise errors.InvalidArgument(f"a TLS file can't be read: {error}") from None
