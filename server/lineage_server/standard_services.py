"""Health and reflection, the services that come with gRPC, held to the rules of our own.

gRPC ends a call whose request can't be parsed with INTERNAL, and writes a stack trace for it: two
lines that anyone could fill a disk with. So these services, too, get the bytes of a request, and
what can't be parsed is INVALID_ARGUMENT and one line in the log.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from lineage_server.failures import fail
from lineage_store import errors

Handler = Any
"""A grpc.RpcMethodHandler: the stubs lack its attributes."""


class StandardServices:
    """Takes the handlers of a service as a `grpc.Server` does, and hands them on.

    Args:
        server: The server that answers.
    """

    def __init__(self, server: grpc.Server) -> None:
        self._server = server

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        """Do nothing: the same handlers come once more by their names."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        """Add the methods of a service."""
        checked = {name: _checked(name, handler) for name, handler in handlers.items()}
        generic = grpc.method_handlers_generic_handler(service, checked)
        self._server.add_generic_rpc_handlers((generic,))


def _checked(method: str, handler: Handler) -> Handler:
    """Return a handler that parses requests itself."""
    if handler.request_streaming:
        return grpc.stream_stream_rpc_method_handler(
            _of_many(method, handler), response_serializer=handler.response_serializer
        )
    if handler.response_streaming:
        return grpc.unary_stream_rpc_method_handler(
            _of_one(method, handler, handler.unary_stream),
            response_serializer=handler.response_serializer,
        )
    return grpc.unary_unary_rpc_method_handler(
        _of_one(method, handler, handler.unary_unary),
        response_serializer=handler.response_serializer,
    )


def _of_one(method: str, handler: Handler, behavior: Any) -> Callable[..., Any]:
    def answer(encoded: bytes, context: grpc.ServicerContext, *callback: Any) -> Any:
        return behavior(_parsed(method, handler, encoded, context), context, *callback)

    def answer_later(
        encoded: bytes, context: grpc.ServicerContext, send_response_callback: Any
    ) -> Any:
        request = _parsed(method, handler, encoded, context)
        return behavior(request, context, send_response_callback=send_response_callback)

    if not getattr(behavior, "experimental_non_blocking", False):
        return answer
    answer_later.experimental_non_blocking = True  # type: ignore[attr-defined]
    return answer_later


def _of_many(method: str, handler: Handler) -> Callable[..., Any]:
    def answer(encoded: Iterator[bytes], context: grpc.ServicerContext) -> Any:
        requests = (_parsed(method, handler, one, context) for one in encoded)
        return handler.stream_stream(requests, context)

    return answer


def _parsed(method: str, handler: Handler, encoded: bytes, context: grpc.ServicerContext) -> Any:
    begun = time.monotonic()
    try:
        return handler.request_deserializer(encoded)
    except (DecodeError, UnicodeDecodeError):
        fault = errors.InvalidArgument("the bytes are not a request of this method")
        fail(method, context, fault, begun)
