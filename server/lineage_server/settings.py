"""The settings of the server, checked before anything is opened."""

from dataclasses import dataclass
from pathlib import Path

from lineage_store import errors

MIB = 1024 * 1024
MAX_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `lineage-store serve` was told.

    Attributes:
        database: A database URL.
        grpc: HOST:PORT to listen on; port 0 picks a free one.
        threads: Calls that are worked on at the same time.
        max_message_bytes: The largest request, and the largest response.
        max_metadata_bytes: The largest metadata of a call.
        drain_seconds: How long running calls may take after SIGTERM.
        tls_key: PEM file with the private key of the server; with `tls_certificate`: use TLS.
        tls_certificate: PEM file with the certificate chain of the server.
        tls_client_ca: PEM file with the authority whose certificates clients must show.
        log_format: "json" or "text".
    """

    database: str
    grpc: str
    threads: int = 16
    max_message_bytes: int = 100 * MIB
    max_metadata_bytes: int = 16 * 1024
    drain_seconds: float = 10.0
    tls_key: Path | None = None
    tls_certificate: Path | None = None
    tls_client_ca: Path | None = None
    log_format: str = "text"

    def __post_init__(self) -> None:
        host, _, port = self.grpc.rpartition(":")
        if not host or not port.isdigit() or int(port) > MAX_PORT:
            raise errors.InvalidArgument(f"grpc address {self.grpc!r} is not of the form HOST:PORT")
        if (self.tls_key is None) != (self.tls_certificate is None):
            raise errors.InvalidArgument("TLS needs both a key and a certificate")
        if self.tls_client_ca is not None and self.tls_key is None:
            raise errors.InvalidArgument("a client CA needs a key and a certificate of the server")
