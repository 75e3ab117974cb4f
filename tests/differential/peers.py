"""The two stores that are compared, behind one small interface."""

import struct
import subprocess
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from google.protobuf import text_format
from google.protobuf.message import Message

from lineage_store.errors import BY_CODE, LineageError
from lineage_store.v1 import metadata_pb2
from lineage_store.v1 import metadata_service_pb2 as service

ORACLE = Path(__file__).with_name("oracle.py")
NAMES = {0: "OK"} | {code: cls.reason for code, cls in BY_CODE.items()}
# Beside the canonical codes: the process that served the call is gone, or raised what no client
# may ever see.
DIED, RAISED = -1, -2
NAMES |= {DIED: "the process died", RAISED: "an unexpected exception"}


def request_of(method: str) -> Message:
    """Return an empty request of an RPC."""
    return getattr(service, method + "Request")()


def response_of(method: str) -> Message:
    """Return an empty response of an RPC."""
    return getattr(service, method + "Response")()


@dataclass(frozen=True)
class Answer:
    """The answer of a store to one request. The response of a failed call is empty."""

    code: int
    message: str
    response: Message = field(compare=False)

    @property
    def status(self) -> str:
        return NAMES.get(self.code, str(self.code))


class Store(Protocol):
    """One of the two stores."""

    name: str

    def reset(self) -> None:
        """Start over with an empty store."""

    def call(self, method: str, request: Message) -> Answer:
        """Answer one request."""

    def close(self) -> None:
        """Free the resources of the store."""


class RealStore:
    """The published ML Metadata, in a process of its own.

    Args:
        python: The interpreter that has it.
        config: The database, as a ConnectionConfig in the text format; empty: one in memory.
    """

    name = "real"

    def __init__(self, python: Path, config: str = "") -> None:
        self._python = python
        self._config = text_format.Parse(config, metadata_pb2.ConnectionConfig())
        self._process: subprocess.Popen[bytes] | None = None

    def _start(self) -> subprocess.Popen[bytes]:
        # Open as long as the process lives.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        command = [self._python, ORACLE]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors
        )

    def reset(self) -> None:
        if self._process is None:
            self._process = self._start()
        died = self._exchange("", self._config.SerializeToString()) is None
        assert not died, f"the real store does not start: {self._last_words()}"

    def call(self, method: str, request: Message) -> Answer:
        answer = self._exchange(method, request.SerializeToString())
        response = response_of(method)
        if answer is None:
            return Answer(DIED, self._last_words(), response)
        code, message, encoded = answer
        # What a failed call had filled in before it failed reaches no client.
        if code == 0:
            response.ParseFromString(encoded)
        return Answer(code, message, response)

    def close(self) -> None:
        if self._process is None:
            return
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=10)
        self._process = None
        self._errors.close()

    def _exchange(self, method: str, request: bytes) -> tuple[int, str, bytes] | None:
        """Return code, message and response, or None when the process died over the request."""
        for part in (method.encode(), request):
            self._process.stdin.write(struct.pack(">I", len(part)) + part)
        self._process.stdin.flush()
        header = self._process.stdout.read(4)
        if not header:
            return None
        message = self._read_frame().decode(errors="replace")
        return struct.unpack(">i", header)[0], message, self._read_frame()

    def _read_frame(self) -> bytes:
        return self._process.stdout.read(struct.unpack(">I", self._process.stdout.read(4))[0])

    def _last_words(self) -> str:
        """Return the end of the output of the dead process, and make way for a new one."""
        self._process.wait(timeout=10)
        self._errors.seek(0)
        words = self._errors.read()[-2000:].decode(errors="replace")
        self.close()
        return words


class OurStore:
    """The embedded engine over a database in memory, or over a server.

    Args:
        backend: A module of tests.backends; None: a database in memory.
    """

    name = "ours"

    def __init__(self, backend: Any = None) -> None:
        self._backend = backend
        self._open = ExitStack()
        self._transport = None

    def reset(self) -> None:
        # Imported here so that the harness can be tried without an engine.
        from lineage_store.client.embedded import EmbeddedTransport  # noqa: PLC0415

        self.close()
        url = self._open.enter_context(self._backend.new_store()) if self._backend else "sqlite://"
        self._transport = EmbeddedTransport(url)
        self._open.callback(self._transport.close)

    def call(self, method: str, request: Message) -> Answer:
        try:
            return Answer(0, "", self._transport.call(method, request))
        except LineageError as error:
            return Answer(error.code, error.message, response_of(method))
        except Exception as error:
            return Answer(RAISED, f"{type(error).__name__}: {error}", response_of(method))

    def close(self) -> None:
        self._open.close()
        self._transport = None
