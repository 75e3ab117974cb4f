"""Random reads: every Get RPC but the lineage walks, without filters."""

from google.protobuf.message import Message
from hypothesis import strategies as st

from lineage_store.v1 import metadata_pb2
from lineage_store.v1 import metadata_service_pb2 as service
from tests.differential.operations import Operation
from tests.differential.values import (
    EXTERNAL_IDS,
    NODE_NAMES,
    URIS,
    ids,
    rarely,
    sometimes,
    type_ids,
)
from tests.differential.writes import PLURAL

TYPE_NAMES = ("Rich", "Rich", "Rich", "Bare", "Other", "mlmd.Dataset", "mlmd.Train", "absent", "")


def _request(method: str) -> Message:
    return getattr(service, method + "Request")()


@st.composite
def _type_key(draw: st.DrawFn, request: Message) -> None:
    if not draw(rarely):
        request.type_name = draw(st.sampled_from(TYPE_NAMES))
    if draw(sometimes):
        request.type_version = draw(st.sampled_from(("", "1", "v2", "absent")))


@st.composite
def get_type(draw: st.DrawFn, kind: str) -> Operation:
    method = f"Get{kind.capitalize()}Type"
    request = _request(method)
    draw(_type_key(request))
    return Operation(method, request)


@st.composite
def get_types_by_id(draw: st.DrawFn, kind: str) -> Operation:
    method = f"Get{kind.capitalize()}TypesByID"
    wanted_ids = draw(st.lists(type_ids(), max_size=4))
    request = _request(method)
    request.type_ids.extend(wanted_ids)
    return Operation(method, request)


@st.composite
def get_by_external_ids(draw: st.DrawFn, kind: str, things: str) -> Operation:
    method = f"Get{kind.capitalize()}{things}ByExternalIds"
    request = _request(method)
    request.external_ids.extend(draw(st.lists(st.sampled_from(EXTERNAL_IDS), max_size=4)))
    if draw(rarely):
        request.external_ids.append(draw(st.sampled_from(("", "absent"))))
    return Operation(method, request)


@st.composite
def get_by_id(draw: st.DrawFn, kind: str) -> Operation:
    method = f"Get{PLURAL[kind].capitalize()}ByID"
    request = _request(method)
    getattr(request, kind + "_ids").extend(draw(st.lists(ids(), max_size=4)))
    if kind == "artifact" and draw(st.booleans()):
        request.populate_artifact_types = draw(st.integers(0, 3)) > 0
    return Operation(method, request)


@st.composite
def get_by_type_and_name(draw: st.DrawFn, kind: str) -> Operation:
    method = f"Get{kind.capitalize()}ByTypeAndName"
    request = _request(method)
    draw(_type_key(request))
    if not draw(rarely):
        setattr(request, kind + "_name", draw(st.sampled_from(NODE_NAMES[kind])))
    return Operation(method, request)


@st.composite
def get_by_uri(draw: st.DrawFn) -> Operation:
    request = service.GetArtifactsByURIRequest()
    request.uris.extend(draw(st.lists(st.sampled_from((*URIS, "absent")), max_size=4)))
    if draw(rarely):
        # Field 1 was a single uri once; a client that still sends it must hear of it.
        request.MergeFromString(b"\x0a\x03old")
    return Operation("GetArtifactsByURI", request)


@st.composite
def get_events(draw: st.DrawFn, kind: str) -> Operation:
    method = f"GetEventsBy{kind.capitalize()}IDs"
    request = _request(method)
    getattr(request, kind + "_ids").extend(draw(st.lists(ids(), max_size=5)))
    return Operation(method, request)


@st.composite
def get_by_node(draw: st.DrawFn, method: str, field: str) -> Operation:
    """A read of the neighbours of one node."""
    request = _request(method)
    if not draw(rarely):
        setattr(request, field, draw(ids()))
    return Operation(method, request)


BAD_TOKENS = ("!!", "CAIQ", "AAAA", "CAEQAQ", "x")


@st.composite
def list_options(draw: st.DrawFn) -> metadata_pb2.ListOperationOptions:
    options = metadata_pb2.ListOperationOptions()
    if draw(st.integers(0, 3)):
        options.max_result_size = draw(st.sampled_from((1, 2, 3, 1, 2, 20, 100, 101, 0, -1)))
    if draw(st.booleans()):
        options.order_by_field.SetInParent()
        if draw(st.booleans()):
            options.order_by_field.field = draw(st.sampled_from((3, 1, 2, 3, 1, 2, 0)))
        if draw(st.booleans()):
            options.order_by_field.is_asc = draw(st.booleans())
    if draw(rarely):
        options.filter_query = ""
    return options


@st.composite
def list_nodes(draw: st.DrawFn, method: str) -> Operation:
    """A listing and a walk over its pages, some of them with other options than the first."""
    request = _request(method)
    if method.endswith("ByType"):
        draw(_type_key(request))
    if method.endswith("ByContext") and not draw(rarely):
        request.context_id = draw(ids())
    if not draw(st.integers(0, 3)):
        return Operation(method, request)
    request.options.CopyFrom(draw(list_options()))
    if draw(rarely):
        request.options.next_page_token = draw(st.sampled_from(BAD_TOKENS))
    turns = [draw(list_options()) if draw(rarely) else None for _ in range(draw(st.integers(0, 4)))]
    return Operation(method, request, turns=tuple(turns))


LISTINGS = [
    *(f"Get{plural.capitalize()}" for plural in PLURAL.values()),
    *(f"Get{plural.capitalize()}ByType" for plural in PLURAL.values()),
    *("GetArtifactsByContext", "GetExecutionsByContext"),
]
NEIGHBOURS = [
    ("GetContextsByArtifact", "artifact_id"),
    ("GetContextsByExecution", "execution_id"),
    ("GetParentContextsByContext", "context_id"),
    ("GetChildrenContextsByContext", "context_id"),
]
READS = [
    # First, for it is what shrinking tends to: a call without a choice is easily removed.
    st.just(Operation("GetArtifactTypes", _request("GetArtifactTypes"))),
    st.just(Operation("GetExecutionTypes", _request("GetExecutionTypes"))),
    st.just(Operation("GetContextTypes", _request("GetContextTypes"))),
    *(get_type(kind) for kind in PLURAL),
    *(get_types_by_id(kind) for kind in PLURAL),
    *(get_by_external_ids(kind, "Types") for kind in PLURAL),
    *(get_by_external_ids(kind, "s") for kind in PLURAL),
    *(get_by_id(kind) for kind in PLURAL),
    *(get_by_type_and_name(kind) for kind in PLURAL),
    get_by_uri(),
    *(get_events(kind) for kind in ("artifact", "execution")),
    *(get_by_node(method, field) for method, field in NEIGHBOURS),
    *(list_nodes(method) for method in LISTINGS),
]
