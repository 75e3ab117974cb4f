"""The gRPC handlers: one generic handler for each name of a service."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import grpc
from google.protobuf.message import Message

from lineage_server.failures import fail
from lineage_store import errors
from lineage_store.client.transport import CACHE, LINEAGE, SERVICE
from lineage_store.engine import Engine
from lineage_store.engine.decoding import decoder_of

SERVICES = (
    (SERVICE.full_name, SERVICE),
    ("ml_metadata.MetadataStoreService", SERVICE),
    (LINEAGE.full_name, LINEAGE),
    (CACHE.full_name, CACHE),
)
"""Names and what they stand for; ML Metadata's clients call the second, whose messages are the
same on the wire."""

SERVICE_NAMES = tuple(name for name, _ in SERVICES)


class Places:
    """How many may be in the `with` block at once; others wait.

    The places are in a queue, which is written in C: a semaphore of `threading` is written in
    Python, and many threads that want it hand each other the interpreter at each of its steps.

    Args:
        count: How many.
    """

    def __init__(self, count: int) -> None:
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(count):
            self._free.put(None)

    def __enter__(self) -> None:
        self._free.get()

    def __exit__(self, *_: object) -> None:
        self._free.put(None)


class Streams:
    """How many streams are answered at once: each holds a thread for as long as it lasts.

    Args:
        most: How many there may be.
        what: What they are called, in the plural.
    """

    def __init__(self, most: int, what: str = "streams") -> None:
        self._most = most
        self._what = what
        self._free = threading.BoundedSemaphore(most)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count a stream while it lasts.

        Raises:
            ResourceExhausted: There are too many.
        """
        if not self._free.acquire(blocking=False):
            raise errors.ResourceExhausted(
                f"the server answers {self._most} {self._what} at once and all are taken; try again"
            )
        try:
            yield
        finally:
            self._free.release()


class Capacity:
    """How many calls are worked on at once, by what they need.

    Most are over soon and take turns. A stream works for as long as its reader takes, a wait only
    holds its thread: neither may keep the others from having one.

    Args:
        threads: Calls that are over soon; half as many streams.
        waits: Waits.

    Attributes:
        threads: The threads that all of them need.
        calls: Has room for the calls that are over soon.
        streams: Counts the others, by method.
    """

    def __init__(self, threads: int, waits: int) -> None:
        streams = max(1, threads // 2)
        self.threads = threads + streams + waits
        self.calls = Places(threads)
        self.streams = {"Trace": Streams(streams), "Wait": Streams(waits, "waits")}


def generic_handlers(engine: Engine, capacity: Capacity) -> list[grpc.GenericRpcHandler]:
    """Return the handlers of each service under each of its names."""
    return [
        grpc.method_handlers_generic_handler(
            name, {method.name: _handler(engine, capacity, method) for method in service.methods}
        )
        for name, service in SERVICES
    ]


def _handler(engine: Engine, capacity: Capacity, method: Any) -> "grpc.RpcMethodHandler[Any, Any]":
    """Return what answers a method, from the bytes of a request.

    gRPC would parse them in the one thread that serves all connections, and end a call with
    INTERNAL whose bytes are no request.
    """
    decode = decoder_of(method.input_type)
    if method.server_streaming:
        streams = capacity.streams[method.name]
        return grpc.unary_stream_rpc_method_handler(
            _answer_in_parts(engine, streams, method.name, decode)
        )
    return grpc.unary_unary_rpc_method_handler(_answer(engine, capacity, method.name, decode))


def _answer(
    engine: Engine, capacity: Capacity, method: str, decode: Callable[[bytes], Message]
) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    def answer(encoded: bytes, context: grpc.ServicerContext) -> bytes:
        begun = time.monotonic()
        try:
            request = decode(encoded)
            with capacity.calls:
                response = engine.call(method, request)
            return response if isinstance(response, bytes) else response.SerializeToString()
        except Exception as error:
            fail(method, context, error, begun)

    return answer


def _answer_in_parts(
    engine: Engine, streams: Streams, method: str, decode: Callable[[bytes], Message]
) -> Callable[[bytes, grpc.ServicerContext], Iterator[bytes]]:
    def answer(encoded: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        begun = time.monotonic()
        try:
            request = decode(encoded)
            with streams.one():
                for part in engine.stream(method, request):
                    if not context.is_active():  # the client went away, or the server ends
                        return
                    if part:
                        yield part
        except Exception as error:
            fail(method, context, error, begun)

    return answer
