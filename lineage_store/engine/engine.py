"""The engine: what every RPC means, for whatever transport brings it."""

from typing import Any

from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.database.database import Database
from lineage_store.engine.methods import READS, WRITES


class Engine:
    """Answers requests on one database; safe for many threads.

    Args:
        url: A database URL, such as `sqlite:///lineage.db`, or `sqlite://` for one in memory.

    Raises:
        LineageError: The database can't be opened, and why.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    def call(self, method: str, request: Any) -> Message | bytes:
        """Return the response to a request: a message, or its encoded bytes.

        A call is one transaction: when it fails, it leaves nothing behind; when it returns, what
        it wrote is durable.

        Raises:
            LineageError: What was wrong.
        """
        read = READS.get(method)
        if read is not None:
            answer: Message | bytes = self._database.read(lambda snapshot: read(snapshot, request))
            return answer
        write = WRITES.get(method)
        if write is None:
            raise errors.Unimplemented(f"{method} is not served")
        return self._database.write(lambda tx: write(tx, request))

    def close(self) -> None:
        """Close the database."""
        self._database.close()
