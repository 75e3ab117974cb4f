"""Strings that are not UTF-8: proto2 lets them through, the store does not."""

import pytest

from lineage_store import errors
from lineage_store.client.embedded import EmbeddedTransport
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service


def _artifact(**fields: str) -> pb.Artifact:
    artifact = pb.Artifact(type_id=1, **fields)
    artifact.custom_properties["key!"].string_value = "text"
    return artifact


@pytest.mark.parametrize(
    ("marked", "named"),
    [
        (_artifact(name="mark"), "artifacts[0].name"),
        (_artifact(uri="mark"), "artifacts[0].uri"),
        (_artifact(external_id="mark"), "artifacts[0].external_id"),
        (_artifact(), "custom_properties['key!']"),
        (_artifact(), "the name of a custom property"),
    ],
    ids=["name", "uri", "external_id", "value", "key"],
)
def test_a_string_that_is_not_utf8_is_refused_by_name(marked: pb.Artifact, named: str) -> None:
    target = b"key!" if named.startswith("the name of a custom") else b"mark"
    target = b"text" if named.startswith("custom") else target
    encoded = service.PutArtifactsRequest(artifacts=[marked]).SerializeToString()
    assert target in encoded
    request = service.PutArtifactsRequest.FromString(encoded.replace(target, b"\xff\xfe\xff\xfe"))
    store = EmbeddedTransport("sqlite://")
    with pytest.raises(errors.InvalidArgument) as raised:
        store.call("PutArtifacts", request)
    assert raised.value.message.startswith(named)
    assert not store.call("GetArtifacts", service.GetArtifactsRequest()).artifacts  # type: ignore[attr-defined]
    store.close()


def test_a_read_for_a_string_that_is_not_utf8_is_refused() -> None:
    encoded = service.GetArtifactsByURIRequest(uris=["mark"]).SerializeToString()
    request = service.GetArtifactsByURIRequest.FromString(
        encoded.replace(b"mark", b"\xff\xff\xff\xff")
    )
    store = EmbeddedTransport("sqlite://")
    with pytest.raises(errors.InvalidArgument, match="uris is not valid UTF-8"):
        store.call("GetArtifactsByURI", request)
    store.close()
