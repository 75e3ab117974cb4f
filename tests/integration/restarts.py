"""A server that can be killed, and started again on the same port and database."""

import signal
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

from tests.integration.serving import Served, serving


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


class Restartable:
    """A server that can be killed, and started again on the same port and database.

    Args:
        directory: Where its database is.
        log: The directory for its log; None: the same.
    """

    def __init__(self, directory: Path, log: Path | None = None) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self._directory = directory
        self._log = log or directory
        self._stack = ExitStack()
        self._served: Served | None = None

    @property
    def url(self) -> str:
        return f"grpc://{self.address}"

    @property
    def process(self) -> "subprocess.Popen[str]":
        assert self._served is not None
        return self._served.process

    def start(self, mode: str = "rwc") -> None:
        database = f"sqlite:///{self._directory}/store.db?mode={mode}"
        served = serving(
            self._log, LINEAGE_STORE_GRPC=self.address, LINEAGE_STORE_DATABASE=database
        )
        self._served = self._stack.enter_context(served)

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        assert self._served is not None
        self._served.stop(signal.SIGKILL)
        self._stack.close()
