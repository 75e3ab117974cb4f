"""Failed calls: each ends with a status, a reason in the trailers, and one line in the log."""

import logging
import time
from typing import NoReturn

import grpc

from lineage_store import errors
from lineage_store.wire import REASON_KEY

MAX_TEXT = 4_000
"""Bytes of a status text on the wire; it travels in trailers, which peers bound at 8 KiB."""

logger = logging.getLogger("lineage_server.calls")
_CODES = {code.value[0]: code for code in grpc.StatusCode}


def fail(
    method: str, context: grpc.ServicerContext, error: Exception, started_at: float
) -> NoReturn:
    """End a call with the status of an error.

    Args:
        method: The name of the RPC.
        context: The context of the call.
        error: Why it fails; any but a LineageError is a defect.
        started_at: When the call came, on the monotonic clock.
    """
    if isinstance(error, errors.LineageError):
        failure = error
    else:
        logger.error("a call failed with a defect", extra={"method": method}, exc_info=error)
        failure = errors.Internal("the server failed; its log has the details")
    _log_failure(method, context.peer(), failure, time.monotonic() - started_at)
    context.set_trailing_metadata(((REASON_KEY, failure.reason),))
    context.abort(_CODES[failure.code], _bounded(failure.message))


def _bounded(text: str) -> str:
    """Return as much of a text as fits: all but printable ASCII is percent-encoded on the wire."""
    size = 0
    for at, character in enumerate(text):
        plain = " " <= character <= "~" and character != "%"
        size += 1 if plain else 3 * len(character.encode(errors="surrogatepass"))
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
