"""A transport to an engine in this process."""

from collections.abc import Iterator

from google.protobuf.message import Message

from lineage_store.client.pinned import PinnedTransport
from lineage_store.consistency import ANY, Consistency
from lineage_store.engine import Engine
from lineage_store.wire import RESPONSES


class EmbeddedTransport:
    """Carries requests to an engine of its own.

    Args:
        url: A database URL, such as `sqlite:///lineage.db`, or `sqlite://` for one in memory.

    Attributes:
        last_revision: The token of the revision that the last call wrote or read.

    Raises:
        LineageError: The database can't be opened, and why.
    """

    def __init__(self, url: str) -> None:
        self._engine = Engine(url)
        self.last_revision = ""

    def call(self, method: str, request: Message) -> Message:
        """Return the response of the engine to `request`; see `Transport.call`."""
        return self.call_with(method, request, ANY)

    def call_with(self, method: str, request: Message, consistency: Consistency) -> Message:
        """Return the response as of a revision; see `Transport.pinned`."""
        answer = self._engine.answer(method, request, consistency)
        if answer.revision:
            self.last_revision = answer.revision
        response = answer.response
        return RESPONSES[method].FromString(response) if isinstance(response, bytes) else response

    def stream(self, method: str, request: Message) -> Iterator[Message]:
        """Yield the messages of the engine in answer to `request`; see `Transport.stream`."""
        return self.stream_with(method, request, ANY)

    def stream_with(
        self, method: str, request: Message, consistency: Consistency
    ) -> Iterator[Message]:
        """Yield the messages as of a revision; see `Transport.pinned`."""
        parts = self._engine.stream(method, request, consistency)
        return (RESPONSES[method].FromString(part) for part in parts if part)

    def pinned(self, consistency: Consistency) -> "PinnedTransport":
        """Return the same with calls that read a revision; see `Transport.pinned`."""
        return PinnedTransport(self, consistency)

    def close(self) -> None:
        """Close the database."""
        self._engine.close()
