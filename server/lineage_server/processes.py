"""Several processes that serve one address, for a database that is a server itself.

Python runs one thread of a process at a time, so a machine with more processors answers more calls
with more processes. They share nothing but the database, as servers on several machines do; the
kernel gives each new connection to one of them. If one ends, all end, so that a supervisor can
restart the server.
"""

import logging
import multiprocessing
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from lineage_server import logs
from lineage_server.app import (
    CLOSE_SECONDS,
    POLL_SECONDS,
    Server,
    end_process,
    port_is_taken,
)
from lineage_server.settings import Settings
from lineage_store import errors

GRACE_SECONDS = 1.0
"""Seconds that a process has, beyond its time to drain and to close its database, to end."""

logger = logging.getLogger("lineage_server")
_context = multiprocessing.get_context("spawn")  # gRPC does not outlive a fork


def run(settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is called with the address once all answer.

    Raises:
        LineageError: A process can't start, or has ended of its own accord.
    """
    received: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signal_number, _: received.append(signal_number))
    with _reserved(settings.grpc) as address:
        children = [_Child(replace(settings, grpc=address)) for _ in range(settings.processes)]
        try:
            for child in children:
                child.await_ready(received)
            if not received:
                ready(address)
            while not received:
                _check(children)
                time.sleep(POLL_SECONDS)
        finally:
            logger.info("draining")
            _stop(children, settings.drain_seconds + CLOSE_SECONDS + GRACE_SECONDS)


class _Child:
    """One of the processes; it ends when its end of the pipe says so, or this process is gone."""

    def __init__(self, settings: Settings) -> None:
        self._pipe, theirs = _context.Pipe()
        self.process: BaseProcess = _context.Process(
            target=_serve, args=(settings, theirs), name="lineage-store"
        )
        self.process.start()
        theirs.close()

    def await_ready(self, received: list[int]) -> None:
        """Return when it answers, or when this process has received a signal to stop.

        Raises:
            LineageError: It can't serve, and why.
        """
        while not received:
            if not self._pipe.poll(POLL_SECONDS):
                continue
            try:
                failure = self._pipe.recv()
            except EOFError:
                raise _process_lost(self.process) from None
            if failure is not None:
                raise failure
            return

    def stop(self) -> None:
        self._pipe.close()


def _check(children: list[_Child]) -> None:
    for child in children:
        if not child.process.is_alive():
            raise _process_lost(child.process)


def _process_lost(process: BaseProcess) -> errors.LineageError:
    process.join(1)
    return errors.Internal(
        f"a process of the server ended with exit code {process.exitcode}; its log has the details"
    )


def _stop(children: list[_Child], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for child in children:
        child.stop()
    for child in children:
        child.process.join(max(0.0, deadline - time.monotonic()))
        if child.process.is_alive():
            logger.error("a process of the server does not end; it is killed")
            child.process.kill()
            child.process.join()


def _serve(settings: Settings, pipe: Connection) -> None:
    """Serve in a process of its own until the other end of the pipe is closed."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # a terminal sends it to all; the first tells us
    logs.configure(settings.log_format, settings.log_level)
    try:
        server = Server(settings)
    except errors.LineageError as failure:
        with suppress(OSError):  # another has failed before, and the first waits no more
            pipe.send(failure)
        return
    server.start()
    pipe.send(None)
    end = threading.Event()
    while not end.wait(POLL_SECONDS):
        if pipe.poll():
            end.set()
    end_process(server, settings.drain_seconds)


@contextmanager
def _reserved(address: str) -> Iterator[str]:
    """Hold a port that the processes of this server share and no other server may have."""
    shared, bound_address = _bound(address)
    with shared:
        yield bound_address


def _bound(address: str) -> tuple[socket.socket, str]:
    """Return a socket that holds a port, and the address with this port.

    Raises:
        Unavailable: Another server listens there, or the host is not one of this machine.
    """
    host, _, port = address.rpartition(":")
    try:
        [(family, kind, *_, requested_address), *_] = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM
        )
        with socket.socket(family, kind) as alone:
            alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            alone.bind(
                requested_address
            )  # fails if any other server is there, also one that would share
            socket_address = alone.getsockname()
        shared = socket.socket(family, kind)
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        shared.setsockopt(socket.SOL_SOCKET, _reuse_port(), 1)
        shared.bind(socket_address)
    except OSError:
        raise port_is_taken(address) from None
    return shared, f"{host}:{socket_address[1]}"


def _reuse_port() -> int:
    if not hasattr(socket, "SO_REUSEPORT"):
        raise errors.InvalidArgument("this system can't share a port; serve with one process")
    return socket.SO_REUSEPORT
