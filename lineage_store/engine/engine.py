"""The engine: what every RPC means, for whatever transport brings it."""

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.database.database import Database
from lineage_store.database.queries.bodies import check_answer
from lineage_store.engine.cache.waiting import Announcements, announced_keys, wait
from lineage_store.engine.lineage.adjacency import Adjacency
from lineage_store.engine.lineage.sources import Sources
from lineage_store.engine.methods import (
    LINEAGE,
    READS,
    READS_ONCE,
    STREAMS,
    WRITES_ALONE,
    Write,
    write_of,
    writes,
)
from lineage_store.engine.requests import texts
from lineage_store.limits import Limits


class Engine:
    """Answers requests on one database; safe for many threads.

    Args:
        url: A database URL, such as `sqlite:///lineage.db`, or `sqlite://` for one in memory.
        limits: What may be asked for.

    Raises:
        LineageError: The database can't be opened, and why.
    """

    def __init__(self, url: str, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._max_answer_bytes = limits.max_answer_bytes
        self._database = Database(url, limits)
        self._adjacency = Adjacency(self._database.read, limits.lineage.max_graph_bytes)
        self._sources = Sources(limits.lineage, self._adjacency)
        self._announcements = Announcements()

    @staticmethod
    def writes(method: str, request: Any) -> bool:
        """Whether a request waits for its turn to write, and not only reads."""
        return writes(method, request)

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
        write = write_of(method, request)
        if write is not None:
            return self._write(method, write, request)
        alone = WRITES_ALONE.get(method)
        if alone is not None:
            written: Message = self._database.write_alone(
                lambda tx, snapshot: alone(tx, snapshot, request)
            )
            return written
        read = READS.get(method)
        answer: Message | bytes
        if read is None:
            answer = self._walk(method, request)
        else:
            answer = self._database.read(
                lambda snapshot: read(snapshot, request), once=method in READS_ONCE
            )
        size = len(answer) if isinstance(answer, bytes) else answer.ByteSize()
        if size > self._max_answer_bytes:
            check_answer(size, self._max_answer_bytes, "ask for less at once")
        return answer

    def _walk(self, method: str, request: Any) -> Message | bytes:
        walk = LINEAGE.get(method)
        if walk is None:
            raise errors.Unimplemented(f"{method} is not served")
        self._adjacency.count_query()
        found: Message | bytes = self._database.read(
            lambda snapshot: walk(snapshot, request, self._sources)
        )
        return found

    def _write(self, method: str, write: Write, request: Any) -> Message:
        written: Message = self._database.write(lambda tx: write(tx, request), request.ByteSize())
        self._announcements.announce(announced_keys(method, request))
        return written

    def stream(self, method: str, request: Any) -> Iterator[bytes]:
        """Return the encoded messages that answer a request, each read when it is asked for.

        An empty one is no message: it says that the answer is still being worked on, so that a
        caller that was left alone can stop.

        Raises:
            LineageError: What was wrong with the request, before the first message.
        """
        texts(request)
        if method == "Wait":
            return wait(self._database.read, self._announcements, request)
        answer = STREAMS.get(method)
        if answer is None:
            raise errors.Unimplemented(f"{method} is not served")
        self._adjacency.count_query()
        return answer(self._database.read, request, self._sources)

    def load_graph(self, *, wait: bool = False) -> None:
        """Begin to read the graph into memory, so that lineage is answered from there.

        Args:
            wait: Whether to return only when it is there, or when it is clear that it can't be.
        """
        self._adjacency.load()
        if wait:
            self._adjacency.wait()

    def end_waits(self) -> None:
        """End all waits with Unavailable, those to come as well."""
        self._announcements.close()

    def close(self) -> None:
        """Close the database."""
        self.end_waits()
        self._adjacency.close()
        self._database.close()
