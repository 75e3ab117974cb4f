"""The engine: what every RPC means, for whatever transport brings it."""

from typing import Any

from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.database.database import Database
from lineage_store.engine.methods import READS, WRITES
from lineage_store.engine.requests import texts


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
        try:
            return self._call(method, request)
        except UnicodeDecodeError:  # raised by a map of proto2 whose key is not UTF-8
            raise errors.InvalidArgument("a key in the request is not valid UTF-8") from None

    def _call(self, method: str, request: Any) -> Message | bytes:
        texts(request)
        read = READS.get(method)
        if read is not None:
            answer: Message | bytes = self._database.read(lambda snapshot: read(snapshot, request))
            return answer
        write = WRITES.get(method)
        if write is None:
            raise errors.Unimplemented(f"{method} is not served")
        written: Message = self._database.write(lambda tx: write(tx, request))
        return written

    def close(self) -> None:
        """Close the database."""
        self._database.close()
