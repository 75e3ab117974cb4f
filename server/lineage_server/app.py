"""The server put together: the only place where the engine meets the network."""

import logging
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from lineage_server.reflection import add_reflection
from lineage_server.servicer import SERVICE_NAMES, Capacity, generic_handlers
from lineage_server.settings import Settings
from lineage_server.standard_services import StandardServices
from lineage_store import errors
from lineage_store.engine import Engine

POLL_SECONDS = 0.1
"""How long a signal to stop may go unseen."""

logger = logging.getLogger("lineage_server")


class Server:
    """A gRPC server on one engine.

    Args:
        settings: What to serve, and where.

    Attributes:
        address: HOST:PORT that it listens on.

    Raises:
        LineageError: The database can't be opened or the address can't be bound.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        credentials = _credentials(settings)
        self._engine = Engine(settings.database, settings.limits)
        self._health = health.HealthServicer()
        capacity = Capacity(settings.threads, settings.max_waits)
        self._grpc = grpc.server(
            ThreadPoolExecutor(capacity.threads, thread_name_prefix="grpc"),
            handlers=generic_handlers(self._engine, capacity),
            options=_options(settings),
        )
        standard = StandardServices(self._grpc)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, standard)
        add_reflection(standard)
        try:
            port = _bind(self._grpc, settings.grpc, credentials)
        except BaseException:
            self._engine.close()
            raise
        self.address = f"{settings.grpc.rpartition(':')[0]}:{port}"

    def start(self) -> None:
        """Begin to answer."""
        self._engine.load_graph()
        self._grpc.start()
        for name in ("", *SERVICE_NAMES):
            self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    def stop(self) -> None:
        """Refuse new calls, let running ones end, and close the database."""
        self._health.enter_graceful_shutdown()
        self._engine.end_waits()
        self._grpc.stop(self._settings.drain_seconds).wait()
        self._engine.close()


def run(settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is called with the address when the server answers."""
    server = Server(settings)
    received: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda which, _: received.append(which))
    server.start()
    ready(server.address)
    while not received:  # a lock would not do: a signal just before it blocks does not wake it
        time.sleep(POLL_SECONDS)
    logger.info("draining")
    server.stop()


def _options(settings: Settings) -> list[tuple[str, int]]:
    return [
        # A second server on the port must fail, not share it; processes of this one do.
        ("grpc.so_reuseport", int(settings.processes > 1)),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        ("grpc.max_metadata_size", settings.max_metadata_bytes),
        ("grpc.absolute_max_metadata_size", settings.max_metadata_bytes),
    ]


def _credentials(settings: Settings) -> grpc.ServerCredentials | None:
    if settings.tls_key is None or settings.tls_certificate is None:
        return None
    try:
        pair = (settings.tls_key.read_bytes(), settings.tls_certificate.read_bytes())
        roots = settings.tls_client_ca.read_bytes() if settings.tls_client_ca else None
    except OSError as error:
        raise errors.InvalidArgument(f"a TLS file can't be read: {error}") from None
    return grpc.ssl_server_credentials(
        [pair], root_certificates=roots, require_client_auth=roots is not None
    )


def _bind(server: grpc.Server, address: str, credentials: grpc.ServerCredentials | None) -> int:
    try:
        if credentials is None:
            port = server.add_insecure_port(address)
        else:
            port = server.add_secure_port(address, credentials)
    except RuntimeError:
        port = 0
    if not port:
        raise port_is_taken(address)
    return port


def port_is_taken(address: str) -> errors.Unavailable:
    """Return the error of a server that can't listen where it is to."""
    return errors.Unavailable(f"can't listen on {address}: is another server on this port?")
