"""Reads that together answer all that a store holds."""

from collections.abc import Iterator

from google.protobuf.message import Message

from tests.differential.identities import Identities
from tests.differential.peers import request_of
from tests.differential.writes import PLURAL


def everything(identities: Identities) -> Iterator[tuple[str, Message]]:
    """Yield reads, with symbols for ids, whose answers show the whole state of a store."""
    for kind, plural in PLURAL.items():
        for method in (f"Get{kind.capitalize()}Types", f"Get{plural.capitalize()}"):
            yield method, request_of(method)
        by_id = f"Get{kind.capitalize()}TypesByID"
        yield _with(by_id, "type_ids", identities.symbols("type"))
    yield _with("GetEventsByArtifactIDs", "artifact_ids", identities.symbols("artifact"))
    yield _with("GetEventsByExecutionIDs", "execution_ids", identities.symbols("execution"))
    for symbol in identities.symbols("artifact"):
        yield _with("GetContextsByArtifact", "artifact_id", symbol)
    for symbol in identities.symbols("execution"):
        yield _with("GetContextsByExecution", "execution_id", symbol)
    for symbol in identities.symbols("context"):
        yield _with("GetArtifactsByContext", "context_id", symbol)
        yield _with("GetExecutionsByContext", "context_id", symbol)
        yield _with("GetParentContextsByContext", "context_id", symbol)
        yield _with("GetChildrenContextsByContext", "context_id", symbol)


def _with(method: str, field: str, value: int | range) -> tuple[str, Message]:
    """Return a call with one field set."""
    request = request_of(method)
    if isinstance(value, range):
        getattr(request, field).extend(value)
    else:
        setattr(request, field, value)
    return method, request
