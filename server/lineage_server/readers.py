"""Ends calls whose client neither takes its answer nor sends its request.

gRPC holds the thread of a stream for as long as its reader leaves the window of the connection
full, and nothing but a cancellation wakes it.
"""

import logging
import time
from collections.abc import Iterator

import grpc

from lineage_server.capacity import Call, CallSlots
from lineage_store import errors
from lineage_store.worker import Worker

LARGE_BYTES = 256 * 1024
"""An answer in one message that is worth a look: a smaller one fits the buffers of a connection."""

SLOWEST_BYTES_A_SECOND = 256 * 1024
"""The least rate at which a client must take an answer in one message, whose progress is unseen."""

logger = logging.getLogger("lineage_server")


class Readers:
    """Cancels the calls that wait too long for their client.

    Args:
        patience: The seconds that they may wait.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._until: dict[grpc.ServicerContext, float] = {}
        self._worker = Worker("readers", self._cancel_overdue)

    def start(self) -> None:
        """Begin to look."""
        self._worker.wake()

    def stop(self) -> None:
        """End the thread that looks."""
        self._worker.stop(0.0)

    def begin(self, context: grpc.ServicerContext) -> None:
        """Note that a call waits for its client from now on."""
        self._until[context] = time.monotonic() + self._patience

    def end(self, context: grpc.ServicerContext) -> None:
        """Note that it no longer does."""
        self._until.pop(context, None)

    def answered(self, context: grpc.ServicerContext, size: int) -> None:
        """Note that a call waits for its client to take its one answer of `size` bytes."""
        if size < LARGE_BYTES:
            return
        self._until[context] = time.monotonic() + self._patience + size / SLOWEST_BYTES_A_SECOND
        if not context.add_callback(lambda: self.end(context)):
            self.end(context)

    def _cancel_overdue(self) -> float:
        """Cancel calls that have waited too long; return the seconds until the next look."""
        now = time.monotonic()
        for context, until in list(self._until.items()):
            if until < now and self._until.pop(context, None) is not None:
                logger.warning(
                    "a call was ended: its other side neither sends nor takes anything",
                    extra={"peer": context.peer()},
                )
                context.cancel()
        return min(1.0, self._patience / 4)


def receive_request(
    requests: Iterator[bytes], call: Call, arriving: CallSlots, readers: Readers
) -> bytes:
    """Return the one request of a call.

    Raises:
        InvalidArgument: There is none.
        Unavailable: Too many calls wait for theirs, or the server is about to stop.
        grpc.RpcError: The caller has gone.
    """
    with arriving.of(call):
        readers.begin(call.context)
        try:
            encoded = next(requests, None)
        finally:
            readers.end(call.context)
    if encoded is None:
        raise errors.InvalidArgument("the call has no request")
    return encoded
