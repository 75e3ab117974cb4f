"""The deliberate differences from ML Metadata 1.17.1: one list, each with its reason.

An entry is narrow: it names MLMD's behaviour and why ours differs, and recognises just that. Each
has a case in test_deliberate_differences.py that pins down the behaviour of both stores.
"""

from collections.abc import Iterator

from google.protobuf.message import Message

from lineage_store.v1 import metadata_pb2
from tests.differential.comparison import Exchange, copy_of
from tests.differential.difference import Difference
from tests.differential.filters.differences import FILTER_DIFFERENCES
from tests.differential.identities import is_literal, messages_in
from tests.differential.lineage.differences import LINEAGE_DIFFERENCES
from tests.differential.pages import BY_UPDATE_TIME
from tests.differential.peers import NAMES, Answer
from tests.differential.update_times import IDLE_UPDATE

_CODES = {name: code for code, name in NAMES.items()}
_INTERNAL, _ALREADY_EXISTS = _CODES["INTERNAL"], _CODES["ALREADY_EXISTS"]
_INVALID_ARGUMENT = _CODES["INVALID_ARGUMENT"]
_NODES = (metadata_pb2.Artifact, metadata_pb2.Execution, metadata_pb2.Context)
_TYPES = (metadata_pb2.ArtifactType, metadata_pb2.ExecutionType, metadata_pb2.ContextType)


def _nodes_in(request: Message) -> Iterator[metadata_pb2.Artifact]:
    return (part for part in messages_in(request) if isinstance(part, _NODES))


def _is_clash(real: Answer) -> bool:
    """Return True if the real store met a unique index; no other INTERNAL answer is excused."""
    return real.code == _INTERNAL and "UNIQUE constraint failed" in real.message


def _clash_on_update(exchange: Exchange) -> bool:
    """Return True if both stores say that a name or external id is taken, in different words."""
    return (
        exchange.method.startswith("Put")
        and exchange.ours.code == _ALREADY_EXISTS
        and _is_clash(exchange.real)
    )


def _types_without_external_id(exchange: Exchange) -> bool:
    """Return True if our answer is the real one plus external ids of types."""
    if exchange.method not in ("GetArtifactTypes", "GetExecutionTypes", "GetContextTypes"):
        return False
    bare = copy_of(exchange.ours.response)
    for part in messages_in(bare):
        if isinstance(part, _TYPES):
            part.ClearField("external_id")
    return bare == exchange.real.response


def _events_by_index(exchange: Exchange) -> bool:
    """Return True if the same events come in the order of the real store's index, and in ours
    artifact by artifact.
    """
    if exchange.method != "GetEventsByArtifactIDs":
        return False
    real, ours = list(exchange.real.response.events), list(exchange.ours.response.events)
    artifacts = [event.artifact_id for event in ours]

    def by_index(event: metadata_pb2.Event) -> tuple[int, int, int]:
        return event.artifact_id, event.execution_id, event.type

    return artifacts == sorted(artifacts) and real == sorted(ours, key=by_index)


def _explicit_empty_external_id(_: str, request: Message) -> bool:
    return any(
        part.HasField("external_id") and not part.external_id
        for part in messages_in(request)
        if isinstance(part, _NODES + _TYPES)
    )


def _empty_custom_value(_: str, request: Message) -> bool:
    return any(
        value.WhichOneof("value") is None
        for node in _nodes_in(request)
        for value in node.custom_properties.values()
    )


def _name_in_both_maps(_: str, request: Message) -> bool:
    """Return True if types declare the name of a custom property."""
    return any("undeclared" in node.custom_properties for node in _nodes_in(request)) or any(
        name in node.properties for node in _nodes_in(request) for name in node.custom_properties
    )


def _locked_twice(method: str, request: Message) -> bool:
    """Return True if a first update of an artifact may make the lock refuse a second one."""
    if method != "PutArtifacts" or not request.options.abort_if_latest_updated_time_changed:
        return False
    ids = [artifact.id for artifact in request.artifacts if artifact.HasField("id")]
    return len(ids) > len(set(ids))


def _dangling_event(method: str, request: Message) -> bool:
    """Return True if an event names a node that neither exists nor is part of the request."""
    if method == "PutExecution":
        return any(
            pair.HasField("event")
            and not pair.HasField("artifact")
            # Without an artifact id the pair is refused by both stores.
            and pair.event.HasField("artifact_id")
            and is_literal(pair.event.artifact_id)
            for pair in request.artifact_event_pairs
        )
    if method != "PutLineageSubgraph":
        return False
    return any(
        edge.event.HasField(field) and is_literal(getattr(edge.event, field))
        for edge in request.event_edges
        for field in ("artifact_id", "execution_id")
    )


def _context_of_nothing(method: str, request: Message) -> bool:
    """Return True if a context would be attributed to the artifact -1 of an empty pair."""
    return (
        method == "PutExecution"
        and len(request.contexts) > 0
        and any(
            not pair.HasField("artifact") and not pair.HasField("event")
            for pair in request.artifact_event_pairs
        )
    )


DIFFERENCES = (
    Difference(
        "clash on update",
        "An update that would give a node or type an external id or a context a name that is "
        "taken is INTERNAL in MLMD, with the SQL text; a creation says ALREADY_EXISTS. Both say "
        "ALREADY_EXISTS here.",
        explains=_clash_on_update,
    ),
    Difference(
        "external id of listed types",
        "GetArtifactTypes, GetExecutionTypes and GetContextTypes leave out the external ids of the "
        "types in MLMD; here they answer them as all other reads do.",
        explains=_types_without_external_id,
    ),
    Difference(
        "events of an artifact",
        "GetEventsByArtifactIDs answers in the order of an index in MLMD: artifact, execution, "
        "type. Here the events of one artifact come as they were recorded, as those of an "
        "execution do in both.",
        explains=_events_by_index,
    ),
    Difference(
        IDLE_UPDATE,
        "MLMD compares the request with the stored node, output-only fields included, so the same "
        "put without the name of the type moves last_update_time_since_epoch although nothing "
        "changed. Here it moves when stored state changes, or when force_update_time asks for it. "
        "The optimistic lock feels that when one request updates an artifact twice.",
        avoids=_locked_twice,
    ),
    Difference(
        BY_UPDATE_TIME,
        "The pages of a listing by LAST_UPDATE_TIME repeat for ever in MLMD when more nodes share "
        "a millisecond than fit a page. Here the key is (time, id). The times of the two stores "
        "are not the same, so each listing is compared with the times of its own store.",
    ),
    Difference(
        "empty external id",
        'An explicit "" is a value in MLMD, so that only one node may have it; here it is unset.',
        avoids=_explicit_empty_external_id,
    ),
    Difference(
        "custom property without a value",
        "The MLMD process aborts; here it is INVALID_ARGUMENT, as for declared properties.",
        avoids=_empty_custom_value,
    ),
    Difference(
        "one name in both property maps",
        "MLMD addresses a stored property by node and name alone, so that an update or deletion "
        "in one map damages the other. Here the maps are independent.",
        avoids=_name_in_both_maps,
    ),
    Difference(
        "dangling event",
        "The combined puts store events whose artifact or execution does not exist in MLMD; here "
        "they are INVALID_ARGUMENT, as in PutEvents.",
        avoids=_dangling_event,
    ),
    Difference(
        "attribution to nothing",
        "For an empty pair PutExecution answers -1, and MLMD attributes each context to the "
        "artifact -1, after which GetArtifactsByContext is INTERNAL for ever. Here -1 is skipped.",
        avoids=_context_of_nothing,
    ),
    Difference(
        "page size above 100",
        "MLMD answers 101 nodes and no token, so the rest is lost, and INT32_MAX is "
        "INVALID_ARGUMENT. Here the page has 100 nodes and a token.",
    ),
    Difference(
        "doubles",
        "MLMD writes six decimals and reads fifteen digits, and NaN and infinities are INTERNAL. "
        "Here a double is kept.",
    ),
    Difference(
        "strings that look like its encoding",
        "MLMD can't read back the string __MLMD_NULL__, reads one that starts with mlmd-struct:: "
        "as a struct or not at all, and cuts a string at a NUL. Here a string is kept.",
    ),
    Difference(
        "message without a type url",
        "MLMD stores an Any without type_url and can never read the node again (INTERNAL), which "
        "spoils every listing that includes it. Here it is kept.",
    ),
    *FILTER_DIFFERENCES,
    *LINEAGE_DIFFERENCES,
)
