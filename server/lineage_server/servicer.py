"""The gRPC handlers: one generic handler for all RPCs under both names of the service."""

import logging
import time
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from lineage_store import errors
from lineage_store.client.channel import REASON_KEY
from lineage_store.client.transport import SERVICE
from lineage_store.engine import Engine

SERVICE_NAMES = (SERVICE.full_name, "ml_metadata.MetadataStoreService")
"""Ours, and the one that ML Metadata's clients call; the messages are the same on the wire."""

MAX_TEXT = 4_000
"""Bytes of a status text on the wire; it travels in trailers, which peers bound at 8 KiB."""

logger = logging.getLogger("lineage_server.calls")
_CODES = {code.value[0]: code for code in grpc.StatusCode}


def generic_handlers(engine: Engine) -> list[grpc.GenericRpcHandler]:
    """Return the handlers of MetadataStoreService under each of its names."""
    methods = {method.name: _handler(engine, method) for method in SERVICE.methods}
    return [grpc.method_handlers_generic_handler(name, methods) for name in SERVICE_NAMES]


def _handler(engine: Engine, method: Any) -> "grpc.RpcMethodHandler[Any, Any]":
    return grpc.unary_unary_rpc_method_handler(
        _answer(engine, method.name),
        request_deserializer=GetMessageClass(method.input_type).FromString,
        response_serializer=_encoded,
    )


def _encoded(response: Message | bytes) -> bytes:
    return response if isinstance(response, bytes) else response.SerializeToString()


def _answer(engine: Engine, method: str) -> Callable[[Any, grpc.ServicerContext], Any]:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        begun = time.monotonic()
        try:
            return engine.call(method, request)
        except errors.LineageError as error:
            failure = error
        except Exception:
            logger.exception("a call failed with a defect", extra={"method": method})
            failure = errors.Internal("the server failed; its log has the details")
        _log_failure(method, context.peer(), failure, time.monotonic() - begun)
        context.set_trailing_metadata(((REASON_KEY, failure.reason),))
        return context.abort(_CODES[failure.code], _bounded(failure.message))

    return answer


def _bounded(text: str) -> str:
    """Return as much of a text as fits: all but printable ASCII is percent-encoded on the wire."""
    size = 0
    for at, character in enumerate(text):
        plain = " " <= character <= "~" and character != "%"
        size += 1 if plain else 3 * len(character.encode())
        if size > MAX_TEXT:
            return text[:at]
    return text


def _log_failure(method: str, peer: str, error: errors.LineageError, seconds: float) -> None:
    """Write one line; the text of the error may quote the request, so it is left out."""
    logger.warning(
        "call failed",
        extra={
            "method": method,
            "peer": peer,
            "reason": error.reason,
            "ms": round(seconds * 1000, 1),
        },
    )
