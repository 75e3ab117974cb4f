"""The engine, which answers every RPC, over any transport."""

from collections.abc import Iterator

from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.database.database import Database
from lineage_store.database.queries.bodies import check_answer
from lineage_store.engine.cache.waiting import Announcements, announced_keys
from lineage_store.engine.lineage.adjacency import Adjacency
from lineage_store.engine.lineage.sources import GraphSources
from lineage_store.engine.method import Method, Mode
from lineage_store.engine.methods import method_of
from lineage_store.engine.requests import texts
from lineage_store.limits import Limits


class Engine:
    """Answers requests on one database; safe for many threads.

    Args:
        url: A database URL, such as `sqlite:///lineage.db`, or `sqlite://` for one in memory.
        limits: The most that a request may ask for.

    Raises:
        LineageError: The database can't be opened, and why.
    """

    def __init__(self, url: str, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._max_answer_bytes = limits.max_answer_bytes
        self._database = Database(url, limits)
        self._adjacency = Adjacency(self._database.read, limits.lineage.max_graph_bytes)
        self._sources = GraphSources(limits.lineage, self._adjacency)
        self._announcements = Announcements()

    @staticmethod
    def writes(method: str, request: Message) -> bool:
        """Return whether a request waits for its turn to write, and not only reads."""
        return method_of(method, request).writes

    def call(self, method: str, request: Message) -> Message | bytes:
        """Return the response to a request: a message, or its encoded bytes.

        A call is one transaction: when it fails, it leaves nothing behind; when it returns, what
        it wrote is durable.

        Raises:
            LineageError: The request could not be answered; the class says why.
        """
        try:
            return self._call(method, request)
        except UnicodeDecodeError:  # raised by a map of proto2 whose key is not UTF-8
            raise errors.InvalidArgument("a key in the request is not valid UTF-8") from None

    def _call(self, name: str, request: Message) -> Message | bytes:
        texts(request)
        method = method_of(name, request)
        if method.writes:
            return self._write(name, method, request)
        answer = self._read(method, request)
        size = len(answer) if isinstance(answer, bytes) else answer.ByteSize()
        if size > self._max_answer_bytes:
            check_answer(size, self._max_answer_bytes, "ask for less at once")
        return answer

    def _write(self, name: str, method: Method, request: Message) -> Message:
        handler = method.handler
        response: Message
        if method.mode is Mode.WRITE_ALONE:
            response = self._database.write_alone(
                lambda tx, snapshot: handler(tx, snapshot, request)
            )
        else:
            response = self._database.write(lambda tx: handler(tx, request), request.ByteSize())
        self._announcements.announce(announced_keys(name, request))
        return response

    def _read(self, method: Method, request: Message) -> Message | bytes:
        answer: Message | bytes
        if method.mode is Mode.WALK:
            self._adjacency.count_query()
            answer = self._database.read(method.handler, request, self._sources)
        else:
            once = method.mode is Mode.READ_ONCE
            answer = self._database.read(method.handler, request, once=once)
        return answer

    def stream(self, name: str, request: Message) -> Iterator[bytes]:
        """Return the encoded messages that answer a request, each read when it is asked for.

        An empty one is no message: it says that the answer is still being worked on, so that a
        caller that was left alone can stop.

        Raises:
            LineageError: The error of the request, before the first message.
        """
        texts(request)
        method = method_of(name, request, streams=True)
        parts: Iterator[bytes]
        if method.mode is Mode.WAIT:
            parts = method.handler(self._database.read, self._announcements, request)
        else:
            self._adjacency.count_query()
            parts = method.handler(self._database.read, request, self._sources)
        return parts

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
