"""A proxy before a database that takes less at once than the database does."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def proxy(port: int, most: int) -> Iterator[tuple[int, list[int]]]:
    """Give the port of a proxy that cuts a connection whose client sends so many bytes at once."""
    cut: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=_accept, args=(listener, port, most, cut), daemon=True)
        accepting.start()
        yield listener.getsockname()[1], cut
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join(10)


def _accept(listener: socket.socket, port: int, most: int, cut: list[int]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        server = socket.create_connection(("127.0.0.1", port))
        sent_bytes = [0]
        for pair in ((client, server), (server, client)):
            arguments = (*pair, client, sent_bytes, most, cut)
            threading.Thread(target=_carry, args=arguments, daemon=True).start()


def _carry(source, target, client, sent_bytes, most, cut) -> None:
    """Carry bytes; `sent_bytes` counts those of the client since the server last answered."""
    with source:
        with suppress(OSError):
            while data := source.recv(65_536):
                sent_bytes[0] = sent_bytes[0] + len(data) if source is client else 0
                if sent_bytes[0] > most:
                    cut.append(sent_bytes[0])
                    break
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
