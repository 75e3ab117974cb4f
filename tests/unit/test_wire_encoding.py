"""The bytes that the store encodes alone are those of protobuf."""

import pytest

from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service
from lineage_store.wire import METHODS, RESPONSES, integer_field, message_prefix, varint

EDGES = [0, 1, 127, 128, 300, 16_383, 16_384, 2**31, 2**53, 2**63 - 1]


@pytest.mark.parametrize("number", EDGES)
def test_an_integer_field_is_encoded_as_protobuf_does(number: int) -> None:
    assert integer_field(1, number) == pb.Artifact(id=number).SerializeToString()


@pytest.mark.parametrize("size", [0, 1, 127, 128, 20_000])
def test_a_prefix_and_a_body_are_an_element_of_a_field(size: int) -> None:
    body = pb.Artifact(uri="u" * size).SerializeToString()
    answer = service.GetArtifactsResponse.FromString(message_prefix(1, len(body)) + body)
    assert answer.artifacts[0].uri == "u" * size


def test_a_varint_has_seven_bits_in_a_byte() -> None:
    assert varint(300) == bytes([0b1010_1100, 0b10])


def test_every_method_has_a_response() -> None:
    assert METHODS.keys() == RESPONSES.keys()
    assert {"PutArtifacts", "Trace", "RecordStep"} <= METHODS.keys()
