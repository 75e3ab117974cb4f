"""Every read that a client can make of a store, asked of two stores and compared."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from google.protobuf import text_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from lineage_store.client.embedded import EmbeddedTransport
from lineage_store.errors import LineageError
from tests.differential.comparison import copy_of, in_unspecified_order
from tests.differential.identities import is_list, messages_in
from tests.differential.operations import compact
from tests.differential.peers import Answer, RealStore, Store, request_of, response_of
from tests.real_mlmd import python
from tests.transfer.mlmd_databases import MlmdDatabase

KINDS = {"artifact": "artifacts", "execution": "executions", "context": "contexts"}
_TYPE_NAMES = ("ArtifactType", "ExecutionType", "ContextType")
FILTERS = {
    "artifact": (
        "uri LIKE '/data/%' AND state = LIVE",
        "custom_properties.int.int_value >= 0",
        "properties.string.string_value = 'plain' OR properties.bool.bool_value = true",
        "events_0.type = INPUT AND events_0.execution_id > 3",
        "contexts_c.name != 'x' AND type = 'Data'",
    ),
    "execution": ("last_known_state = RUNNING", "properties.double.double_value > 0.2"),
    "context": ("parent_contexts_p.id > 1", "child_contexts_q.type = 'Run'"),
}


class ImportedStore:
    """A store of ours that exists."""

    name = "ours"

    def __init__(self, url: str) -> None:
        self._transport = EmbeddedTransport(url)

    def reset(self) -> None:
        raise AssertionError("an imported store stays as it is")

    def call(self, method: str, request: Message) -> Answer:
        try:
            return Answer(0, "", self._transport.call(method, request))
        except LineageError as error:
            return Answer(error.code, error.message, response_of(method))

    def close(self) -> None:
        self._transport.close()


@contextmanager
def real_on(database: MlmdDatabase) -> Iterator[RealStore]:
    """Open a database with the real ML Metadata."""
    with closing(RealStore(python(), database.config)) as store:
        store.reset()
        yield store


def assert_same(one: Store, other: Store, *, ordered: bool = True) -> int:
    """Ask both all that the first knows of; return how many reads that were.

    On PostgreSQL ML Metadata orders few of its answers.
    """
    count = 0
    for method, request in reads(one):
        mine, theirs = (
            comparable(method, store.call(method, request), ordered=ordered)
            for store in (one, other)
        )
        assert mine == theirs, f"{method} {compact(request)}\n{difference(mine, theirs)}"
        count += 1
    return count


def difference(one: tuple, other: tuple) -> str:
    """Return the lines in which two answers differ."""
    if one[0] != other[0]:
        return f"{one[0]} / {other[0]}"
    lines = [text_format.MessageToString(a[1], as_utf8=True).splitlines() for a in (one, other)]
    only = [
        [line for line in mine if line not in set(theirs)] for mine, theirs in (lines, lines[::-1])
    ]
    return "\n".join(["first:", *only[0][:40], "second:", *only[1][:40]])


def comparable(method: str, answer: Answer, *, ordered: bool) -> tuple[int, Message]:
    """Return status and response, without the parts that differ between any two stores."""
    response = copy_of(answer.response)
    names = in_unspecified_order(method)
    if method.startswith("GetEvents"):
        names = ("events",)  # ML Metadata gives them as the indexes of its database have them
    for part in messages_in(response):
        if part.DESCRIPTOR.name in _TYPE_NAMES and not method.endswith("ExternalIds"):
            # ML Metadata leaves it out: of listings everywhere, and on MySQL of all but this.
            part.ClearField("external_id")
        for descriptor, value in part.ListFields():
            is_graph = part.DESCRIPTOR.name == "LineageGraph"
            of_messages = is_list(value) and descriptor.type == FieldDescriptor.TYPE_MESSAGE
            is_loose = not ordered and part is response
            if of_messages and (descriptor.name in names or is_graph or is_loose):
                value.sort(key=lambda item: item.SerializeToString(deterministic=True))
    return answer.code, response


def reads(store: Store) -> Iterator[tuple[str, Message]]:
    """Yield reads that together answer all that a store holds, in every way that it can."""
    nodes = {kind: _listed(store, kind, plural) for kind, plural in KINDS.items()}
    for kind, plural in KINDS.items():
        yield from _of_types(store, kind)
        yield from _of_nodes(kind, plural, nodes[kind])
    yield from _of_edges(nodes)
    yield from _walks(nodes)


def _listed(store: Store, kind: str, plural: str) -> list[Any]:
    method = f"Get{plural.title()}"
    answer = store.call(method, request_of(method))
    assert answer.code == 0, answer.message
    return list(getattr(answer.response, plural))


def _with(method: str, **fields: Any) -> tuple[str, Message]:
    request = request_of(method)
    for name, value in fields.items():
        if isinstance(value, list):
            getattr(request, name).extend(value)
        elif isinstance(value, dict):
            for key, item in value.items():
                setattr(getattr(request, name), key, item)
        else:
            setattr(request, name, value)
    return method, request


def _of_types(store: Store, kind: str) -> Iterator[tuple[str, Message]]:
    title = kind.title()
    yield _with(f"Get{title}Types")
    everyone = list(range(1, 60))
    yield _with(f"Get{title}TypesByID", type_ids=everyone)
    types = store.call(*_with(f"Get{title}TypesByID", type_ids=everyone)).response
    for one in getattr(types, f"{kind}_types"):
        named = {"type_name": one.name, "type_version": one.version}
        yield _with(f"Get{title}Type", **named)
        yield _with(f"Get{title}sByType", **named)
    yield _with(f"Get{title}TypesByExternalIds", external_ids=["type-data", "type-run"])


def _of_nodes(kind: str, plural: str, nodes: list[Any]) -> Iterator[tuple[str, Message]]:
    title = kind.title()
    yield _with(f"Get{title}s")
    yield _with(f"Get{title}sByID", **{f"{kind}_ids": [node.id for node in nodes]})
    external_ids = [node.external_id for node in nodes if node.external_id]
    yield _with(f"Get{title}sByExternalIds", external_ids=external_ids or ["none"])
    for node in nodes[:40]:
        named = {"type_name": node.type, f"{kind}_name": node.name}
        yield _with(f"Get{title}ByTypeAndName", **named)
        if kind == "artifact":
            yield _with("GetArtifactsByURI", uris=[node.uri])
    yield _with(f"Get{title}s", options={"max_result_size": 50})
    for query in FILTERS[kind]:
        yield _with(f"Get{title}s", options={"filter_query": query, "max_result_size": 100})


def _of_edges(nodes: dict[str, list[Any]]) -> Iterator[tuple[str, Message]]:
    ids = {kind: [node.id for node in messages] for kind, messages in nodes.items()}
    yield _with("GetEventsByArtifactIDs", artifact_ids=ids["artifact"])
    yield _with("GetEventsByExecutionIDs", execution_ids=ids["execution"])
    for number in ids["artifact"][:60]:
        yield _with("GetContextsByArtifact", artifact_id=number)
    for number in ids["execution"][:60]:
        yield _with("GetContextsByExecution", execution_id=number)
    for number in ids["context"]:
        for method in (
            *("GetArtifactsByContext", "GetExecutionsByContext"),
            *("GetParentContextsByContext", "GetChildrenContextsByContext"),
        ):
            yield _with(method, context_id=number)


def _walks(nodes: dict[str, list[Any]]) -> Iterator[tuple[str, Message]]:
    for number in [node.id for node in nodes["artifact"]][:10]:
        method, request = _with("GetLineageSubgraph")
        options = request.lineage_subgraph_query_options
        options.starting_artifacts.filter_query = f"id = {number}"
        options.max_num_hops = 3
        yield method, request
