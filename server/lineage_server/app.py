"""The server put together: the only place where the engine meets the network."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import NoReturn

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from lineage_server import access_log
from lineage_server.capacity import Capacity
from lineage_server.readers import Readers
from lineage_server.reflection import add_reflection
from lineage_server.servicer import SERVICE_NAMES, generic_handlers
from lineage_server.settings import Settings
from lineage_server.standard_services import StandardServices
from lineage_server.threads import Threads
from lineage_store import errors
from lineage_store.engine import Engine

POLL_SECONDS = 0.1
"""Seconds for which a signal to stop may go unseen."""

REFUSING_SECONDS = 0.2
"""Seconds for which late calls are still answered before their connection is closed."""

CLOSE_SECONDS = 1.0
"""Seconds that a process has to close its database after its calls had their time."""

STOP_SECONDS = 5.0
"""Seconds that gRPC may take to close the connections of a process that goes on."""

logger = logging.getLogger("lineage_server")


class Server:
    """A gRPC server on one engine.

    Args:
        settings: The settings.

    Attributes:
        address: HOST:PORT that it listens on.

    Raises:
        LineageError: The database can't be opened or the address can't be bound.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        access_log.configure(is_on=settings.access_log)
        credentials = _credentials(settings)
        self._engine = Engine(settings.database, settings.limits)
        self._health = health.HealthServicer()
        self._capacity = Capacity(settings.threads, settings.max_waits, settings.max_queue)
        self._readers = Readers(settings.idle_stream_seconds)
        self._threads = Threads(self._capacity.threads)
        self._grpc = grpc.server(
            self._threads,  # type: ignore[arg-type]  # it takes any that can submit
            handlers=generic_handlers(self._engine, self._capacity, self._readers),
            options=_options(settings),
        )
        standard = StandardServices(self._grpc, self._capacity, self._readers)
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
        self._readers.start()
        self._grpc.start()
        for name in ("", *SERVICE_NAMES):
            self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    def drain(self) -> int:
        """Refuse new calls and let running ones end; return the number that did not in time.

        A health check answers NOT_SERVING from now on. A call that has not begun gets Unavailable,
        so that whoever made it makes it again. The connections stay open for that: gRPC's own way
        to stop would answer CANCELLED to calls that are on their way.
        """
        until = time.monotonic() + self._settings.drain_seconds
        self._health.enter_graceful_shutdown()
        self._capacity.close()
        self._engine.end_waits()
        time.sleep(min(REFUSING_SECONDS, self._settings.drain_seconds))
        self._capacity.running.wait(max(0.0, until - time.monotonic()))
        return self._capacity.running.count

    def close(self) -> None:
        """Close the database, after `drain`."""
        self._engine.close()

    def stop(self) -> None:
        """Drain, close all connections, and close the database, in a process that goes on."""
        self.drain()
        self._readers.stop()
        self._grpc.stop(0).wait(STOP_SECONDS)
        self._threads.end()
        self.close()


def run(settings: Settings, ready: Callable[[str], None]) -> NoReturn:
    """Serve until SIGTERM or SIGINT, then end the process.

    Args:
        settings: The settings.
        ready: Called with the address when the server answers.
    """
    server = Server(settings)
    received: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signal_number, _: received.append(signal_number))
    server.start()
    ready(server.address)
    while not received:  # a lock would not do: a signal just before it blocks does not wake it
        time.sleep(POLL_SECONDS)
    logger.info("draining")
    end_process(server, settings.drain_seconds)


def end_process(server: Server, drain_seconds: float) -> NoReturn:
    """Stop a server and end the process, not much later than `drain_seconds` from now.

    The kernel closes the connections: callers that still wait get Unavailable. Acknowledged writes
    are durable, so a database that is not closed loses nothing.
    """
    watchdog = threading.Timer(drain_seconds + CLOSE_SECONDS, _end_hard)
    watchdog.daemon = True
    watchdog.start()
    unfinished = server.drain()
    if unfinished:
        logger.warning("the time to drain is over", extra={"calls": unfinished})
    else:
        server.close()
    logging.shutdown()
    os._exit(0)


def _end_hard() -> NoReturn:
    logger.warning("the database can't be closed in time; the process ends without")
    os._exit(0)


def _options(settings: Settings) -> list[tuple[str, int]]:
    return [
        # A second server on the port must fail, not share it; processes of this one do.
        ("grpc.so_reuseport", int(settings.processes > 1)),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        ("grpc.max_metadata_size", settings.max_metadata_bytes),
        ("grpc.absolute_max_metadata_size", settings.max_metadata_bytes),
        # Pings of the server find clients that are gone, so that their resources are freed.
        ("grpc.keepalive_time_ms", _milliseconds(settings.keepalive_seconds)),
        ("grpc.keepalive_timeout_ms", _milliseconds(settings.keepalive_timeout_seconds)),
        # Pings of clients: gRPC closes connections that ping oftener, 5 minutes by default.
        ("grpc.keepalive_permit_without_calls", 1),
        (
            "grpc.http2.min_ping_interval_without_data_ms",
            _milliseconds(settings.keepalive_min_client_seconds),
        ),
    ]


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


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
