"""A transport that opens its store late, in the thread that sends to it."""

import threading
from collections.abc import Iterator
from contextlib import suppress

from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.client.transport import Transport
from lineage_store.recording.diagnostics import warn_once


class LazyTransport:
    """Carries requests to a store that may not be there yet; while it is not, it is away.

    None of this happens in the thread of the tool, not even the import of a database driver.

    Args:
        url: Of the store.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connected: Transport | None = None
        self._lock = threading.Lock()
        self._attempt: threading.Thread | None = None
        self._trying = threading.Lock()

    def call(self, method: str, request: Message) -> Message:
        """Return the response to a request; see `Transport.call`.

        Raises:
            Unavailable: The store can't be opened.
        """
        return self._transport().call(method, request)

    def stream(self, method: str, request: Message) -> Iterator[Message]:
        """Yield the messages that answer a request; see `Transport.stream`.

        Raises:
            Unavailable: The store can't be opened.
        """
        return self._transport().stream(method, request)

    def close(self) -> None:
        """Do nothing: the store is closed with the process."""

    def wait_until_tried(self, seconds: float) -> None:
        """Wait until one attempt to open the store is over, at most for some seconds."""
        with self._trying:
            if self._attempt is None:
                self._attempt = threading.Thread(target=self._try, daemon=True)
                self._attempt.start()
        self._attempt.join(seconds)

    def _try(self) -> None:
        with suppress(errors.LineageError):
            self._transport()

    def _transport(self) -> Transport:
        with self._lock:
            if self._connected is None:
                self._connected = self._open()
            return self._connected

    def _open(self) -> Transport:
        from lineage_store.store import connect  # noqa: PLC0415 - loads the driver of the URL

        try:
            return connect(self._url, connect_timeout=None).fail_fast_transport()
        except errors.Unavailable:
            raise
        except Exception as error:
            # a wrong URL, a driver that is missing, a database of something else: every record
            # is kept, and can be sent to the right store
            reason = error.message if isinstance(error, errors.LineageError) else str(error)
            warn_once(
                f"open {reason}", "the store of LINEAGE_STORE_URL can't be opened: %s", reason
            )
            raise errors.Unavailable(reason) from None
