"""Bytes that are no request, and strings that are not UTF-8: refused, and one line in the log."""

from collections.abc import Iterator
from contextlib import closing

import grpc
import pytest
from google.protobuf.message_factory import GetMessageClass

from lineage_store.client.channel import GrpcTransport
from lineage_store.v1 import lineage_pb2
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service
from lineage_store.wire import CACHE, LINEAGE, REASON_KEY, SERVICE
from tests.integration.serving import Served, serving

OURS = [
    (f"/{name}/{method.name}", method.server_streaming)
    for name, described in (
        (SERVICE.full_name, SERVICE),
        ("ml_metadata.MetadataStoreService", SERVICE),
        (LINEAGE.full_name, LINEAGE),
        (CACHE.full_name, CACHE),
    )
    for method in described.methods
]
STANDARD = [
    ("/grpc.health.v1.Health/Check", False),
    ("/grpc.health.v1.Health/Watch", True),
    ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", True),
]
TOKEN = "tokentokentoken"


def fill(transport: GrpcTransport) -> None:
    """Put a node of each kind and tie them, so that no listing is of nothing."""
    types = service.PutTypesRequest()
    types.artifact_types.add(name="T")
    types.execution_types.add(name="T")
    types.context_types.add(name="T")
    ids = transport.call("PutTypes", types)
    graph = service.PutLineageSubgraphRequest()
    graph.artifacts.add(type_id=ids.artifact_type_ids[0])
    graph.executions.add(type_id=ids.execution_type_ids[0])
    graph.contexts.add(type_id=ids.context_type_ids[0], name="c")
    event = graph.event_edges.add(artifact_index=0, execution_index=0).event
    event.type = pb.Event.OUTPUT
    put = transport.call("PutLineageSubgraph", graph)
    links = service.PutAttributionsAndAssociationsRequest()
    links.attributions.add(artifact_id=put.artifact_ids[0], context_id=put.context_ids[0])
    links.associations.add(execution_id=put.execution_ids[0], context_id=put.context_ids[0])
    transport.call("PutAttributionsAndAssociations", links)


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as server:
        with closing(GrpcTransport(server.address)) as transport:
            fill(transport)
        yield server


@pytest.fixture
def channel(served) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(served.address) as opened:
        yield opened


def refusal(channel: grpc.Channel, path: str, encoded: bytes, *, streams: bool = False):
    """Send bytes; return the error of the call."""

    def send() -> None:
        if streams:
            list(channel.stream_stream(path)(iter([encoded]), timeout=10))
        else:
            channel.unary_unary(path)(encoded, timeout=10)

    with pytest.raises(grpc.RpcError) as caught:
        send()
    return caught.value


@pytest.mark.parametrize("encoded", [b"\xff\xff\xff", b"\x0a\x7f", b"\x0b" * 300], ids=repr)
def test_bytes_that_are_no_request(served, channel, encoded):
    before = len(served.log().splitlines())
    for path, streams in OURS + STANDARD:
        error = refusal(channel, path, encoded, streams=streams)
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT, path
        assert (REASON_KEY, "INVALID_ARGUMENT") in [tuple(p) for p in error.trailing_metadata()]
    lines = served.log().splitlines()[before:]
    assert len(lines) == len(OURS + STANDARD)
    for (path, _), line in zip(OURS + STANDARD, lines, strict=True):
        method = path.rpartition("/")[2]
        assert f"WARNING call failed method={method} peer=ipv4:127.0.0.1:" in line
        assert "reason=INVALID_ARGUMENT" in line


def listings() -> list[tuple[str, bytes]]:
    """Return the listings, each with a token in its request."""
    requests = []
    for method in SERVICE.methods:
        request = GetMessageClass(method.input_type)()
        for field in request.DESCRIPTOR.fields:
            if field.message_type is None or field.message_type.name != "ListOperationOptions":
                continue
            options = getattr(request, field.name)
            if "context_id" in request.DESCRIPTOR.fields_by_name:
                request.context_id = 1
            options.next_page_token, options.max_result_size = TOKEN, 5
            if "type_name" in request.DESCRIPTOR.fields_by_name:
                request.type_name = "T"
            requests.append((method.name, request.SerializeToString()))
    graph = service.GetLineageGraphRequest()
    graph.options.artifacts_options.next_page_token = TOKEN
    graph.options.artifacts_options.max_result_size = 5
    return [*requests, ("GetLineageGraph", graph.SerializeToString())]


@pytest.mark.parametrize(
    "token",
    [b'\xfb"i":1}        ', b"\xff" * len(TOKEN), b"CAE=CAE=CAE=!!!", TOKEN.encode()],
    ids=["mixed", "bytes", "marks", "foreign"],
)
def test_page_tokens_of_others(served, channel, token):
    requests = listings()
    assert len(requests) >= 9
    for method, encoded in requests:
        error = refusal(
            channel,
            f"/{SERVICE.full_name}/{method}",
            encoded.replace(TOKEN.encode(), token),
        )
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT, (method, error.details())
        if b"\xff" in token or b"\xfb" in token:
            assert error.details().endswith("options.next_page_token is not valid UTF-8")
    assert "Traceback" not in served.log()


def nested() -> list[tuple[str, bytes, str]]:
    """Return requests with a string deep within them, and how the string is named."""
    listing = service.GetArtifactsRequest()
    listing.options.filter_query = "mark"
    put = service.PutExecutionRequest()
    put.artifact_event_pairs.add().event.path.steps.add(key="mark")
    types = service.PutTypesRequest()
    types.execution_types.add(name="T").input_type.dict.properties["a"].simple.name = "mark"
    mask = service.PutArtifactsRequest()
    mask.update_mask.paths.append("mark")
    walk = lineage_pb2.TraceRequest()
    walk.walk.start.named.type = "mark"
    return [
        ("GetArtifacts", listing.SerializeToString(), "options.filter_query"),
        (
            "PutExecution",
            put.SerializeToString(),
            "artifact_event_pairs[0].event.path.steps[0].key",
        ),
        ("PutTypes", types.SerializeToString(), "execution_types[0].input_type.dict"),
        ("PutArtifacts", mask.SerializeToString(), "the bytes of the request are not"),
        ("Trace", walk.SerializeToString(), "walk.start.named.type"),
    ]


@pytest.mark.parametrize(("method", "encoded", "name"), nested(), ids=lambda part: str(part)[:20])
def test_strings_that_are_not_utf8_at_any_depth(channel, method, encoded, name):
    bad = encoded.replace(b"mark", b"\xff\xfe\xff\xfe")
    assert bad != encoded
    package = LINEAGE.full_name if method == "Trace" else SERVICE.full_name
    error = refusal(channel, f"/{package}/{method}", bad, streams=method == "Trace")
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details().startswith(name)
