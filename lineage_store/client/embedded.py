"""A transport to an engine in this process."""

from collections.abc import Iterator

from google.protobuf.message import Message

from lineage_store.engine import Engine
from lineage_store.wire import RESPONSES


class EmbeddedTransport:
    """Carries requests to an engine of its own.

    Args:
        url: A database URL, such as `sqlite:///lineage.db`, or `sqlite://` for one in memory.

    Raises:
        LineageError: The database can't be opened, and why.
    """

    def __init__(self, url: str) -> None:
        self._engine = Engine(url)

    def call(self, method: str, request: Message) -> Message:
        """Return the response of the engine to `request`; see `Transport.call`."""
        answer = self._engine.call(method, request)
        return RESPONSES[method].FromString(answer) if isinstance(answer, bytes) else answer

    def stream(self, method: str, request: Message) -> Iterator[Message]:
        """Yield the messages of the engine in answer to `request`; see `Transport.stream`."""
        parts = self._engine.stream(method, request)
        return (RESPONSES[method].FromString(part) for part in parts if part)

    def close(self) -> None:
        """Close the database."""
        self._engine.close()
