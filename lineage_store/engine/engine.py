"""The engine, which answers every RPC, over any transport."""

from collections.abc import Iterator

from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.consistency import ANY, Answer, Consistency
from lineage_store.database.commits import last_stamp
from lineage_store.database.database import Database
from lineage_store.database.queries.bodies import check_answer
from lineage_store.database.transaction import Transaction
from lineage_store.engine.audit.sources import AuditSources
from lineage_store.engine.cache.waiting import Announcements, announced_keys
from lineage_store.engine.history.revisions import Tokens
from lineage_store.engine.history.waiting import checked_stamp, stamp_by, wait_for_revision
from lineage_store.engine.lineage.adjacency import Adjacency
from lineage_store.engine.lineage.known_then import recorded_bound_of_values
from lineage_store.engine.lineage.sources import GraphSources
from lineage_store.engine.method import ABOUT_NOW, Method, Mode
from lineage_store.engine.methods import method_of
from lineage_store.engine.past import PastStores
from lineage_store.engine.requests import texts
from lineage_store.limits import Limits

AT = "at"
"""The name of the token in errors."""


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
        self._tokens = Tokens()
        self._limits = limits
        self._past = PastStores(self._store_at)

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

    def answer(self, name: str, request: Message, consistency: Consistency = ANY) -> Answer:
        """Return the response to a request, and the revision that it wrote or read.

        Args:
            name: The name of the RPC.
            request: Its request message.
            consistency: The revision that it wants to read.

        Raises:
            InvalidArgument: A token is malformed, or the RPC writes and wants to read the past.
            FailedPrecondition: A token is of another store, or so much can't be read as of it.
            OutOfRange: The store has not reached a revision.
            LineageError: As `call` raises.
        """
        try:
            return self._answer(name, request, consistency)
        except UnicodeDecodeError:
            raise errors.InvalidArgument("a key in the request is not valid UTF-8") from None

    def _answer(self, name: str, request: Message, consistency: Consistency) -> Answer:
        texts(request)
        method = method_of(name, request)
        self._wait_for(consistency.at_least)
        if consistency.at:
            return Answer(self._call_at(method, name, request, consistency.at), consistency.at)
        if method.writes:
            response, stamp = self._written(name, method, request)
            return Answer(response, self._token(stamp))
        if not consistency.wants_revision:
            return Answer(self._call(name, request))
        # Before the read: the answer may be newer than its revision, and is never older.
        token = self._token(self._last_stamp())
        return Answer(self._call(name, request), token)

    def _call_at(self, method: Method, name: str, request: Message, token: str) -> Message | bytes:
        """Return the response to a request as of a revision."""
        stamp = self._stamp_of(method, name, token)
        if stamp == self._last_stamp():
            answer = self._call(name, request)
            if stamp == self._last_stamp():  # nothing came meanwhile that it may contain
                return answer
        return self._past.at(stamp).call(name, request)

    def _stamp_of(self, method: Method, name: str, token: str) -> int:
        if method.mode in ABOUT_NOW:
            raise errors.InvalidArgument(f"{name} can't be called as of a revision")
        stamp: int = self._database.read(checked_stamp, self._tokens, token, AT)
        return stamp

    def _past_of_values(self, request: Message) -> "Engine | None":
        """Return the store as of the time that a walk names, if it needs the values of then."""
        bound = recorded_bound_of_values(request)
        if bound is None:
            return None
        stamp: int = self._database.read(stamp_by, bound)
        return None if stamp == self._last_stamp() else self._past.at(stamp)

    def _store_at(self, stamp: int) -> "Engine":
        store = Engine("sqlite://", self._limits)
        store._database.fill(self._database.rows_at(stamp, self._limits.max_past_rows))
        return store

    def _wait_for(self, token: str) -> None:
        """Wait until the store has reached a revision, as another node of a cluster may have."""
        if token:
            wait_for_revision(self._database.read, self._tokens, token)

    def _last_stamp(self) -> int:
        stamp: int = self._database.read(
            lambda snapshot: last_stamp(snapshot.connection), once=True
        )
        return stamp

    def _token(self, stamp: int) -> str:
        token: str = self._database.read(
            lambda snapshot: self._tokens.token(snapshot.connection, stamp), once=True
        )
        return token

    def _call(self, name: str, request: Message) -> Message | bytes:
        texts(request)
        method = method_of(name, request)
        if method.writes:
            return self._written(name, method, request)[0]
        past = self._past_of_values(request) if method.mode in {Mode.WALK, Mode.AUDIT} else None
        answer = self._read(method, request) if past is None else past.call(name, request)
        size = len(answer) if isinstance(answer, bytes) else answer.ByteSize()
        if size > self._max_answer_bytes:
            check_answer(size, self._max_answer_bytes, "ask for less at once")
        return answer

    def _written(self, name: str, method: Method, request: Message) -> tuple[Message, int]:
        """Return the response to a request that writes, and the stamp of its commit."""
        handler = method.handler
        tx: Transaction
        response: Message
        if method.mode is Mode.WRITE_ALONE:
            response, tx = self._database.write_alone(
                lambda tx, snapshot: (handler(tx, snapshot, request), tx)
            )
        else:
            response, tx = self._database.write(
                lambda tx: (handler(tx, request), tx), request.ByteSize()
            )
        self._announcements.announce(announced_keys(name, request))
        return response, tx.revision

    def _read(self, method: Method, request: Message) -> Message | bytes:
        answer: Message | bytes
        if method.mode is Mode.HISTORY:
            return self._history(method, request)
        if method.mode is Mode.AUDIT:
            self._adjacency.count_query()
            return self._audit(method, request)
        if method.mode is Mode.WALK:
            self._adjacency.count_query()
            answer = self._database.read(method.handler, request, self._sources)
        else:
            once = method.mode is Mode.READ_ONCE
            answer = self._database.read(method.handler, request, once=once)
        return answer

    def _audit(self, method: Method, request: Message) -> Message:
        sources = AuditSources(self._sources, self._tokens)
        response: Message = self._database.read(method.handler, request, sources)
        return response

    def _history(self, method: Method, request: Message) -> Message:
        response: Message = self._database.read(method.handler, request, self._tokens)
        return response

    def stream(
        self, name: str, request: Message, consistency: Consistency = ANY
    ) -> Iterator[bytes]:
        """Return the encoded messages that answer a request, each read when it is asked for.

        An empty one is no message: it says that the answer is still being worked on, so that a
        caller that was left alone can stop.

        Raises:
            LineageError: The error of the request, before the first message.
        """
        texts(request)
        method = method_of(name, request, streams=True)
        self._wait_for(consistency.at_least)
        if consistency.at:
            stamp = self._stamp_of(method, name, consistency.at)
            return self._past.at(stamp).stream(name, request)
        past = self._past_of_values(request)
        if past is not None:
            return past.stream(name, request)
        parts: Iterator[bytes]
        if method.mode is Mode.WAIT:
            parts = method.handler(self._database.read, self._announcements, request)
        elif method.mode is Mode.WATCH:
            parts = method.handler(self._database.read, self._announcements, request, self._tokens)
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
        self._past.close()
        self._adjacency.close()
        self._database.close()
