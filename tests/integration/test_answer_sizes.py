"""Answers that are larger than a server sends: refused with a sentence, and readable in pages."""

from contextlib import closing

import pytest
from lineage_server.app import Server
from lineage_server.settings import Settings

from lineage_store import Artifact, ArtifactType, Context, ContextType, connect, errors
from lineage_store.client.channel import GrpcTransport
from lineage_store.v1 import metadata_service_pb2 as service

MB = 1_000_000
BOUND = 8 * MB
SIZES = [10, 2 * MB, 3 * MB, 10, 10, 4 * MB, 10, 1 * MB, 5 * MB]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A server that sends 8 MB, with 15 MB of artifacts in one context."""
    url = f"sqlite:///{tmp_path_factory.mktemp('store')}/store.db"
    settings = Settings(
        database=url,
        grpc="127.0.0.1:0",
        drain_seconds=0,
        max_message_bytes=BOUND,
        max_node_bytes=6 * MB,
    )
    server = Server(settings)
    server.start()
    try:
        with connect(f"grpc://{server.address}") as store:
            store.put_artifact_type(ArtifactType(name="T"))
            store.put_context_type(ContextType(name="C"))
            context = store.put_context(Context(type="C", name="c"))
            for size in SIZES:
                properties = {"c": "y" * size}
                artifact = Artifact(type="T", uri="u", custom_properties=properties)
                store.add_to_context(context, artifacts=[store.put_artifact(artifact)])
        yield server.address
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("method", "fields", "advice"),
    [
        ("GetArtifacts", {}, "options.max_result_size"),
        ("GetArtifactsByType", {"type_name": "T"}, "options.max_result_size"),
        ("GetArtifactsByContext", {"context_id": 1}, "options.max_result_size"),
        ("GetArtifactsByID", {"artifact_ids": range(1, 10)}, "ask for fewer"),
        ("GetArtifactsByURI", {"uris": ["u"]}, "ask for fewer"),
    ],
)
def test_an_answer_that_is_too_large_is_refused(address, method, fields, advice):
    with closing(GrpcTransport(address)) as transport:
        request = getattr(service, f"{method}Request")(**fields)
        with pytest.raises(errors.TooLarge) as caught:
            transport.call(method, request)
    assert f"more than {BOUND} bytes" in caught.value.message
    assert advice in caught.value.message


def test_every_listing_can_be_read_in_pages(address):
    with connect(f"grpc://{address}") as store:
        for artifacts in (
            store.iter_artifacts(),
            store.iter_artifacts(type="T"),
            store.iter_artifacts(context=1),
            store.iter_artifacts(order_by="update_time", ascending=False),
        ):
            lengths = [len(artifact.custom_properties["c"]) for artifact in artifacts]
            assert sorted(lengths) == sorted(SIZES)


def test_one_node_has_the_bound_of_the_setting(address):
    with connect(f"grpc://{address}") as store:
        large = Artifact(type="T", custom_properties={"c": "y" * 6 * MB})
        with pytest.raises(errors.InvalidArgument, match="--max-node-bytes"):
            store.put_artifact(large)


def test_what_is_smaller_than_the_bound_comes_whole(address):
    with closing(GrpcTransport(address)) as transport:
        request = service.GetArtifactsByIDRequest(artifact_ids=[2, 3, 4, 5])
        answer = transport.call("GetArtifactsByID", request)
    assert [node.id for node in answer.artifacts] == [2, 3, 4, 5]
