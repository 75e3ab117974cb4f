"""Transports, which carry requests to the store: to an engine in this process, or over gRPC.

Both answer `call(method, request)` with the response message, and `stream(method, request)` with
one after the other, and raise the errors of `lineage_store.errors`, so that everything above is
written once.
"""

from collections.abc import Iterator
from typing import Protocol

from google.protobuf.message import Message

from lineage_store.consistency import Consistency


class Transport(Protocol):
    """Carries requests to one store."""

    def call(self, method: str, request: Message) -> Message:
        """Return the response to `request`.

        Args:
            method: The name of an RPC, such as "PutArtifacts".
            request: Its request message.

        Raises:
            LineageError: The error of the store, as the class that the engine raised.
        """

    def stream(self, method: str, request: Message) -> Iterator[Message]:
        """Yield the messages that answer `request`, as they come.

        An iterator that is not used up should be closed, or the store goes on for a while.

        Args:
            method: The name of an RPC that answers a stream, such as "Trace".
            request: Its request message.

        Raises:
            LineageError: The error of the store; here, or while the messages are taken.
        """

    def close(self) -> None:
        """Free the resources of the transport; calls after this raise FailedPrecondition."""


class RevisionTransport(Transport, Protocol):
    """Carries requests to one store, also such as read a revision."""

    @property
    def last_revision(self) -> str:
        """The token of the revision that the last call wrote, or that it read; empty: none yet."""

    def pinned(self, consistency: Consistency) -> "RevisionTransport":
        """Return the same with calls that read a revision; closing it does nothing."""
