"""One RPC of the store: the handler that answers it, and how the database runs that handler."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from google.protobuf.message import Message

Handler = Callable[..., Any]


class Mode(Enum):
    """The way a handler runs, which decides the arguments that it takes before the request.

    Attributes:
        WRITE: In a transaction shared with other callers; takes the transaction.
        WRITE_ALONE: In a transaction of its own; takes the transaction and a snapshot.
        READ: On a snapshot in a read transaction; takes the snapshot.
        READ_ONCE: As READ, with one query as a rule, so that it needs no transaction.
        WALK: On a snapshot, and with the graph in memory: takes the snapshot, and after the
            request the sources.
        STREAM: On a snapshot for each part of the answer; takes a function that reads, and after
            the request the sources.
        AUDIT: As WALK, with the sources of an audit.
        WAIT: Until somebody announces a change; takes a function that reads, and the announcements.
        HISTORY: On a snapshot; takes the snapshot, and after the request the tokens of the store.
        WATCH: As WAIT, and after the request the tokens of the store.
    """

    WRITE = auto()
    WRITE_ALONE = auto()
    READ = auto()
    READ_ONCE = auto()
    WALK = auto()
    STREAM = auto()
    AUDIT = auto()
    WAIT = auto()
    HISTORY = auto()
    WATCH = auto()


_STREAMS = frozenset({Mode.STREAM, Mode.WAIT, Mode.WATCH})

ABOUT_NOW = frozenset({Mode.WRITE, Mode.WRITE_ALONE, Mode.WAIT, Mode.HISTORY, Mode.WATCH})
"""The modes of RPCs that have no past: they write, wait, or tell of the past themselves."""


@dataclass(frozen=True, slots=True)
class Method:
    """The handler of one RPC and its mode.

    Attributes:
        handler: The function that answers.
        mode: How it runs.
        claiming: The handler of a request that carries a claim, and so writes; None: no request
            of this RPC does.
        writes: Whether it waits for its turn to write.
        streams: Whether it answers with a stream of messages.
    """

    handler: Handler
    mode: Mode
    claiming: Handler | None = None
    writes: bool = field(init=False)
    streams: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "writes", self.mode in {Mode.WRITE, Mode.WRITE_ALONE})
        object.__setattr__(self, "streams", self.mode in _STREAMS)

    def of(self, request: Message) -> "Method":
        """Return the method that answers this request."""
        if self.claiming is None or not request.HasField("claim"):
            return self
        return Method(self.claiming, Mode.WRITE)


def methods(mode: Mode, handlers: Mapping[str, Handler]) -> dict[str, Method]:
    """Return methods that run alike, by the names of their RPCs."""
    return {name: Method(handler, mode) for name, handler in handlers.items()}
