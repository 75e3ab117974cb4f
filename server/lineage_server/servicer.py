"""The gRPC handlers: one generic handler for each name of a service."""

import time
from collections.abc import Iterator
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from lineage_server.access_log import log_answer
from lineage_server.capacity import Call, Capacity
from lineage_server.consistency import consistency_of
from lineage_server.failures import fail
from lineage_server.readers import Readers, receive_request
from lineage_store.callers import set_caller
from lineage_store.engine import Engine
from lineage_store.engine.decoding import decoder_of
from lineage_store.wire import AUDIT, CACHE, HISTORY, LINEAGE, REVISION_KEY, SERVICE

SERVICES = (
    (SERVICE.full_name, SERVICE),
    ("ml_metadata.MetadataStoreService", SERVICE),
    (LINEAGE.full_name, LINEAGE),
    (CACHE.full_name, CACHE),
    (HISTORY.full_name, HISTORY),
    (AUDIT.full_name, AUDIT),
)
"""Services by the names they are called by; ML Metadata's clients call the second, whose messages
are the same on the wire."""

SERVICE_NAMES = tuple(name for name, _ in SERVICES)


def generic_handlers(
    engine: Engine, capacity: Capacity, readers: Readers
) -> list[grpc.GenericRpcHandler]:
    """Return the handlers of each service under each of its names."""
    return [
        grpc.method_handlers_generic_handler(
            name,
            {
                method.name: _Method(engine, capacity, readers, method).handler()
                for method in service.methods
            },
        )
        for name, service in SERVICES
    ]


class _Method:
    """Answers the calls of one RPC.

    It is given the bytes of requests: gRPC would parse them in the one thread that serves all
    connections, and end a call with INTERNAL whose bytes are no request. It takes each from a
    stream, though there is but one: that is the same on the wire, and only so can a call be ended
    whose request does not come.

    Args:
        engine: Answers.
        capacity: Has room for the calls.
        readers: Ends the calls whose other side does nothing.
        method: The descriptor of the RPC.
    """

    def __init__(
        self, engine: Engine, capacity: Capacity, readers: Readers, method: MethodDescriptor
    ) -> None:
        self._engine = engine
        self._capacity = capacity
        self._readers = readers
        self._name: str = method.name
        self._is_stream: bool = method.server_streaming
        self._decode = decoder_of(method.input_type)

    def handler(self) -> "grpc.RpcMethodHandler[Any, Any]":
        """Return what gRPC calls."""
        if self._is_stream:
            return grpc.stream_stream_rpc_method_handler(self._answer_in_parts)
        return grpc.stream_unary_rpc_method_handler(self._answer)

    def _answer(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        started_at = time.monotonic()
        try:
            call = Call(context)
            request = self._received(requests, call)
            writes = self._engine.writes(self._name, request)
            slots = self._capacity.writes if writes else self._capacity.reads
            with slots.of(call):
                answer = self._engine.answer(self._name, request, consistency_of(context))
            response = answer.response
            encoded = response if isinstance(response, bytes) else response.SerializeToString()
            if answer.revision:
                context.set_trailing_metadata(((REVISION_KEY, answer.revision),))
            self._readers.answered(context, len(encoded))
            log_answer(self._name, context, started_at)
        except grpc.RpcError:  # gRPC's own: the caller has gone
            raise
        except Exception as error:
            fail(self._name, context, error, started_at)
        return encoded

    def _answer_in_parts(
        self, requests: Iterator[bytes], context: grpc.ServicerContext
    ) -> Iterator[bytes]:
        started_at = time.monotonic()
        try:
            call = Call(context)
            request = self._received(requests, call)
            with self._capacity.streams[self._name].of(call):
                for part in self._engine.stream(self._name, request, consistency_of(context)):
                    if not context.is_active():  # the client went away, or the server ends
                        return
                    if part:
                        self._readers.begin(context)
                        try:
                            yield part
                        finally:
                            self._readers.end(context)
            log_answer(self._name, context, started_at)
        except grpc.RpcError:
            raise
        except Exception as error:
            fail(self._name, context, error, started_at)

    def _received(self, requests: Iterator[bytes], call: Call) -> Message:
        """Return the request of a call, which counts as running from then on."""
        encoded = receive_request(requests, call, self._capacity.arriving, self._readers)
        self._capacity.running.begin(call.context)
        set_caller(call.context.is_active)
        return self._decode(encoded)
