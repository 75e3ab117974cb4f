"""Reads of every kind that together answer all that a store holds."""

from collections.abc import Iterator, Sequence

from google.protobuf.message import Message

from tests.differential.identities import Identities
from tests.differential.peers import request_of
from tests.differential.values import EXTERNAL_IDS, NODE_NAMES, URIS
from tests.differential.writes import PLURAL


def everything(identities: Identities) -> Iterator[tuple[str, Message]]:
    """Yield reads, with symbols for ids, whose answers show the whole state of a store."""
    for kind, plural in PLURAL.items():
        yield from _of_kind(kind, plural, identities)
    yield _with("GetArtifactsByURI", "uris", URIS)
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


def _of_kind(kind: str, plural: str, identities: Identities) -> Iterator[tuple[str, Message]]:
    """Yield the reads that there are for each kind of node."""
    title, titles = kind.capitalize(), plural.capitalize()
    yield f"Get{title}Types", request_of(f"Get{title}Types")
    yield f"Get{titles}", request_of(f"Get{titles}")
    yield _with(f"Get{title}TypesByID", "type_ids", identities.symbols("type"))
    yield _with(f"Get{titles}ByID", f"{kind}_ids", identities.symbols(kind))
    for things in (f"{title}Types", titles):
        yield _with(f"Get{things}ByExternalIds", "external_ids", EXTERNAL_IDS)
    for name in ("Rich", "Bare"):
        yield _with(f"Get{title}Type", "type_name", name)
        yield _with(f"Get{titles}ByType", "type_name", name)
        for node_name in NODE_NAMES[kind]:
            method, by_name = _with(f"Get{title}ByTypeAndName", "type_name", name)
            setattr(by_name, f"{kind}_name", node_name)
            yield method, by_name


def _with(method: str, field: str, value: int | str | Sequence) -> tuple[str, Message]:
    """Return a call with one field set."""
    request = request_of(method)
    if isinstance(value, int | str):
        setattr(request, field, value)
    else:
        getattr(request, field).extend(value)
    return method, request
