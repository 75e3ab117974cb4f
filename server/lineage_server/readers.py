"""Ends calls whose other side neither takes what it asked for nor says what it wants.

gRPC holds the thread of a stream for as long as its reader leaves the window of the connection
full, and nothing but a cancellation wakes it.
"""

import logging
import threading
import time
from collections.abc import Iterator

import grpc

from lineage_server.capacity import Call, Places
from lineage_store import errors

LARGE_BYTES = 256 * 1024
"""An answer in one message that is worth a look: a smaller one fits the buffers of a connection."""

SLOWEST_BYTES_A_SECOND = 256 * 1024
"""What a reader must take of an answer in one message, whose progress can't be seen."""

logger = logging.getLogger("lineage_server")


class Readers:
    """Cancels the calls that wait for their other side for too long.

    Args:
        patience: How many seconds they may.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._until: dict[grpc.ServicerContext, float] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="readers", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread that looks."""
        self._stopped.set()

    def begin(self, context: grpc.ServicerContext) -> None:
        """Say that a call waits for its other side from now on."""
        self._until[context] = time.monotonic() + self._patience

    def end(self, context: grpc.ServicerContext) -> None:
        """Say that it no longer does."""
        self._until.pop(context, None)

    def answered(self, context: grpc.ServicerContext, size: int) -> None:
        """Say that a call waits for its one answer of `size` bytes to be taken."""
        if size < LARGE_BYTES:
            return
        self._until[context] = time.monotonic() + self._patience + size / SLOWEST_BYTES_A_SECOND
        if not context.add_callback(lambda: self.end(context)):
            self.end(context)

    def _watch(self) -> None:
        while not self._stopped.wait(min(1.0, self._patience / 4)):
            self._cancel_overdue(time.monotonic())

    def _cancel_overdue(self, now: float) -> None:
        for context, until in list(self._until.items()):
            if until < now and self._until.pop(context, None) is not None:
                logger.warning(
                    "a call was ended: its other side neither sends nor takes anything",
                    extra={"peer": context.peer()},
                )
                context.cancel()


def received(requests: Iterator[bytes], call: Call, arriving: Places, readers: Readers) -> bytes:
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
