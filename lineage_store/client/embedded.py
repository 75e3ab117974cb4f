"""A transport to an engine in this process."""

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from lineage_store.client.transport import SERVICE
from lineage_store.engine import Engine


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
        return _RESPONSES[method].FromString(answer) if isinstance(answer, bytes) else answer

    def close(self) -> None:
        """Close the database."""
        self._engine.close()


_RESPONSES = {method.name: GetMessageClass(method.output_type) for method in SERVICE.methods}
