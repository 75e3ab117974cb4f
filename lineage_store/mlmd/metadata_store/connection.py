"""From a configuration to the transport of a store."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from urllib.request import url2pathname

from lineage_store.client.channel import GrpcTransport, Tls
from lineage_store.client.transport import Transport
from lineage_store.errors import LineageError
from lineage_store.mlmd.metadata_store.messages import own, stands_for
from lineage_store.v1.metadata_pb2 import (
    ConnectionConfig,
    MetadataStoreClientConfig,
    MySQLDatabaseConfig,
    PostgreSQLDatabaseConfig,
    SqliteMetadataSourceConfig,
)

SERVICE = "ml_metadata.MetadataStoreService"
"""The name under which both our server and ML Metadata's own serve the calls."""

DEFAULT_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Connection:
    """An open transport, and how often an aborted call is made over it, in all."""

    transport: Transport
    attempts: int = DEFAULT_ATTEMPTS


def connect(
    config: ConnectionConfig | MetadataStoreClientConfig, *, upgrade: bool = False
) -> Connection:
    """Open the database, or the channel to the server, that `config` describes.

    Raises:
        ValueError: It is no configuration, or asks to upgrade the database of a server.
        RuntimeError: The database can't be opened.
    """
    if stands_for(ConnectionConfig, config):
        return _embedded(own(ConnectionConfig, config))
    if not stands_for(MetadataStoreClientConfig, config):
        raise ValueError("config must be a ConnectionConfig or a MetadataStoreClientConfig")
    if upgrade:
        raise ValueError("a client can't upgrade the database of a server; upgrade it there")
    # gRPC's own retries stay off: they would multiply ours, and gRPC gives them up for requests
    # that outgrow its retry buffer (256 KiB).
    return Connection(_channel(own(MetadataStoreClientConfig, config)))


def _channel(config: MetadataStoreClientConfig) -> GrpcTransport:
    tls, ssl = None, config.ssl_config
    if config.HasField("ssl_config"):
        tls = Tls(
            ca=_pem(ssl.custom_ca), key=_pem(ssl.client_key), certificate=_pem(ssl.server_cert)
        )
    arguments = config.channel_arguments
    names = {
        "max_receive_message_length": "grpc.max_receive_message_length",
        "http2_max_ping_strikes": "grpc.http2.max_ping_strikes",
    }
    return GrpcTransport(
        f"{config.host}:{config.port}",
        timeout=config.client_timeout_sec if config.HasField("client_timeout_sec") else None,
        tls=tls,
        options=[(names[field.name], value) for field, value in arguments.ListFields()],
        service=SERVICE,
        retry=False,
    )


def _pem(text: str) -> bytes | None:
    return text.encode() or None


def _embedded(config: ConnectionConfig) -> Connection:
    from lineage_store.client.embedded import EmbeddedTransport  # noqa: PLC0415 - slow, not for clients

    try:
        transport = EmbeddedTransport(database_url(config))
    except LineageError as error:
        # ML Metadata raises no more than this when it opens a database, and callers catch it.
        raise RuntimeError(error.message) from error
    if not config.HasField("retry_options"):
        return Connection(transport)
    return Connection(transport, max(1, config.retry_options.max_num_retries))


def database_url(config: ConnectionConfig) -> str:
    """Return the URL of the database that `config` describes.

    Raises:
        RuntimeError: It describes none.
    """
    kind = config.WhichOneof("config")
    if kind is None:
        raise RuntimeError("Unset: the configuration names no database")
    if kind == "fake_database":
        return "sqlite://"
    if kind == "sqlite":
        return _sqlite_url(config.sqlite)
    return _mysql_url(config.mysql) if kind == "mysql" else _postgresql_url(config.postgresql)


def _mysql_url(config: MySQLDatabaseConfig) -> str:
    options = {"unix_socket": config.socket}
    options |= {name: getattr(config.ssl_options, name) for name in ("ca", "cert", "key")}
    host = config.host or "localhost"
    return _server_url("mysql", host, str(config.port or ""), config, config.database, options)


def _postgresql_url(config: PostgreSQLDatabaseConfig) -> str:
    tls = ("sslmode", "sslcert", "sslkey", "sslpassword", "sslrootcert")
    options = {name: getattr(config.ssloption, name) for name in tls}
    options |= {"hostaddr": config.hostaddr, "passfile": config.passfile}
    host = config.host or config.hostaddr
    if host.startswith("/"):  # the directory of a socket
        host, options = "", options | {"host": host}
    return _server_url("postgresql", host, config.port, config, config.dbname, options)


def _server_url(
    scheme: str,
    host: str,
    port: str,
    login: Any,  # noqa: ANN401 - a message of ML Metadata
    database: str,
    options: dict[str, str],
) -> str:
    user, password = quote(login.user, safe=""), quote(login.password, safe="")
    who = f"{user}:{password}@" if password else f"{user}@" if user else ""
    place = f"[{host}]" if ":" in host else host
    where = f"{place}:{port}" if port else place
    query = urlencode({name: value for name, value in options.items() if value})
    return f"{scheme}://{who}{where}/{quote(database, safe='')}" + (f"?{query}" if query else "")


def _sqlite_url(config: SqliteMetadataSourceConfig) -> str:
    path, modes = config.filename_uri, {_mode(config)}
    if path.startswith("file:"):
        parts = urlsplit(path)
        path = url2pathname(parts.path)
        modes.update(parse_qs(parts.query).get("mode", []))
    if path in {"", ":memory:"} or "memory" in modes:
        return "sqlite://"
    # The URI and the mode may each forbid something; what one forbids, the other can't allow.
    strictest = next(mode for mode in ("ro", "rw", "rwc") if mode in modes)
    return f"sqlite:///{quote(path)}?mode={strictest}"


def _mode(config: SqliteMetadataSourceConfig) -> str:
    modes = {config.READONLY: "ro", config.READWRITE: "rw"}
    return modes.get(config.connection_mode, "rwc")
