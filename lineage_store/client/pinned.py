"""A transport whose calls read one revision, or one that is not older."""

from collections.abc import Iterator
from typing import Protocol

from google.protobuf.message import Message

from lineage_store.consistency import Consistency


class Pinnable(Protocol):
    """A transport whose calls can say which revision they want."""

    last_revision: str

    def call(self, method: str, request: Message) -> Message:
        """Return the response of the present store."""

    def stream(self, method: str, request: Message) -> Iterator[Message]:
        """Yield the messages of the present store."""

    def close(self) -> None:
        """Free the resources."""

    def call_with(self, method: str, request: Message, consistency: Consistency) -> Message:
        """Return the response as of a revision."""

    def stream_with(
        self, method: str, request: Message, consistency: Consistency
    ) -> Iterator[Message]:
        """Yield the messages as of a revision."""


class PinnedTransport:
    """Carries requests over another transport, which stays open when this one is closed.

    Args:
        transport: The other.
        consistency: The revision that the calls want.
    """

    def __init__(self, transport: Pinnable, consistency: Consistency) -> None:
        self._transport = transport
        self._consistency = consistency

    @property
    def last_revision(self) -> str:
        """The token of the revision that the last call wrote or read."""
        return self._transport.last_revision

    @property
    def present(self) -> Pinnable | None:
        """The other transport, if this one reads an exact revision."""
        return self._transport if self._consistency.at else None

    def call(self, method: str, request: Message) -> Message:
        """Return the response to `request`; see `Transport.call`."""
        return self._transport.call_with(method, request, self._consistency)

    def stream(self, method: str, request: Message) -> Iterator[Message]:
        """Yield the messages that answer `request`; see `Transport.stream`."""
        return self._transport.stream_with(method, request, self._consistency)

    def pinned(self, consistency: Consistency) -> "PinnedTransport":
        """Return one that wants another revision."""
        return PinnedTransport(self._transport, consistency)

    def close(self) -> None:
        """Do nothing: the other transport is closed by its owner."""
