"""Health and reflection, the services that come with gRPC, held to the rules of our own.

gRPC ends a call whose request can't be parsed with INTERNAL, and writes a stack trace for it: two
lines that anyone could fill a disk with. So these services, too, get the bytes of a request, and
what can't be parsed is INVALID_ARGUMENT and one line in the log.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from lineage_server.capacity import Call, Capacity
from lineage_server.failures import fail
from lineage_server.readers import Readers, receive_request
from lineage_store import errors

Handler = Any
"""A grpc.RpcMethodHandler: the stubs lack its attributes."""


class StandardServices:
    """Takes the handlers of a service as a `grpc.Server` does, and hands them on.

    Args:
        server: The server that answers.
        capacity: Has room for the calls.
        readers: Ends the calls whose other side does nothing.
    """

    def __init__(self, server: grpc.Server, capacity: Capacity, readers: Readers) -> None:
        self._server = server
        self._capacity = capacity
        self._readers = readers

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """Do nothing: the same handlers come once more by their names."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        """Add the methods of a service."""
        checked_handlers = {
            name: self._checked(name, handler) for name, handler in handlers.items()
        }
        generic = grpc.method_handlers_generic_handler(service, checked_handlers)
        self._server.add_generic_rpc_handlers((generic,))

    def _checked(self, method: str, handler: Handler) -> Handler:
        """Return a handler that receives and parses requests itself."""
        if handler.request_streaming:
            answer, kind = self._of_many(method, handler), grpc.stream_stream_rpc_method_handler
        elif handler.response_streaming:
            answer, kind = self._later(method, handler), grpc.stream_stream_rpc_method_handler
        else:
            answer, kind = self._of_one(method, handler), grpc.stream_unary_rpc_method_handler
        return kind(answer, response_serializer=handler.response_serializer)

    def _of_one(self, method: str, handler: Handler) -> Callable[..., Any]:
        def answer(requests: Iterator[bytes], context: grpc.ServicerContext) -> Any:
            with _failing(method, context):
                return handler.unary_unary(self._request(handler, requests, context), context)

        return answer

    def _later(self, method: str, handler: Handler) -> Callable[..., Any]:
        """Return what answers in a stream that holds no thread, as that of health does."""

        def answer(
            requests: Iterator[bytes], context: grpc.ServicerContext, send_response_callback: object
        ) -> Any:
            with _failing(method, context):
                request = self._request(handler, requests, context)
            return handler.unary_stream(request, context, send_response_callback)

        answer.experimental_non_blocking = True  # type: ignore[attr-defined]
        return answer

    def _of_many(self, method: str, handler: Handler) -> Callable[..., Any]:
        def answer(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[Any]:
            with _failing(method, context), self._capacity.reflections.of(Call(context)):
                yield from handler.stream_stream(
                    self._parsed_one_by_one(handler, requests, context), context
                )

        return answer

    def _request(
        self, handler: Handler, requests: Iterator[bytes], context: grpc.ServicerContext
    ) -> Any:
        encoded = receive_request(requests, Call(context), self._capacity.checks, self._readers)
        return _parsed(handler, encoded)

    def _parsed_one_by_one(
        self, handler: Handler, requests: Iterator[bytes], context: grpc.ServicerContext
    ) -> Iterator[Any]:
        while True:
            self._readers.begin(context)
            try:
                encoded = next(requests, None)
            finally:
                self._readers.end(context)
            if encoded is None:
                return
            yield _parsed(handler, encoded)


def _parsed(handler: Handler, encoded: bytes) -> Any:
    try:
        return handler.request_deserializer(encoded)
    except (DecodeError, UnicodeDecodeError):
        raise errors.InvalidArgument("the bytes are not a request of this method") from None


@contextmanager
def _failing(method: str, context: grpc.ServicerContext) -> Iterator[None]:
    """End the call with the status of an error that is raised in this block."""
    started_at = time.monotonic()
    try:
        yield
    except errors.LineageError as error:
        fail(method, context, error, started_at)
    except NotImplementedError:  # described by the service, lacking in its servicer
        fail(method, context, errors.Unimplemented(f"{method} is not served"), started_at)
