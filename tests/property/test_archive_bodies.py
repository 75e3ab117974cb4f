"""Any body comes back from JSON byte for byte."""

import json
import struct
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lineage_store.client.embedded import EmbeddedTransport
from lineage_store.transfer.bodies import from_json, to_json
from lineage_store.transfer.dumping import dump
from lineage_store.transfer.loading import load
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service
from tests.transfer.stores import rows_of

pytestmark = pytest.mark.long

TEXTS = st.text(max_size=20)
INT64 = st.integers(-(2**63), 2**63 - 1)
DOUBLES = st.binary(min_size=8, max_size=8).map(lambda raw: struct.unpack("<d", raw)[0])
UNKNOWN = st.binary(max_size=5).map(lambda raw: b"\xa2\x06" + bytes([len(raw)]) + raw)  # field 100


def structs():
    """Messages of google.protobuf.Value in all their states, an unset one included."""
    leaf = st.one_of(
        st.just({}),
        st.just({"null_value": 0}),
        st.builds(lambda v: {"number_value": v}, DOUBLES | st.floats()),
        st.builds(lambda v: {"string_value": v}, TEXTS),
        st.builds(lambda v: {"bool_value": v}, st.booleans()),
    )
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.builds(lambda v: {"list_value": {"values": v}}, st.lists(inner, max_size=3)),
            st.builds(
                lambda v: {"struct_value": {"fields": v}},
                st.dictionaries(TEXTS, inner, max_size=3),
            ),
        ),
        max_leaves=6,
    )


@st.composite
def values(draw):
    kind = draw(st.sampled_from(["int", "double", "string", "bool", "struct", "proto", "none"]))
    value = pb.Value()
    if kind == "int":
        value.int_value = draw(INT64)
    elif kind == "double":
        value.double_value = draw(DOUBLES | st.floats())
    elif kind == "string":
        value.string_value = draw(TEXTS)
    elif kind == "bool":
        value.bool_value = draw(st.booleans())
    elif kind == "struct":
        fields = draw(st.dictionaries(TEXTS, structs(), max_size=3))
        value.CopyFrom(pb.Value(struct_value={"fields": fields}))
    elif kind == "proto":
        value.proto_value.type_url = draw(
            TEXTS | st.just("type.googleapis.com/google.protobuf.Any")
        )
        value.proto_value.value = draw(st.binary(max_size=5))
    return value


@st.composite
def artifacts(draw):
    """Artifacts with each field unset, empty or filled."""
    artifact = pb.Artifact()
    for name, strategy in {
        "id": INT64,
        "type_id": INT64,
        "name": TEXTS,
        "uri": TEXTS,
        "external_id": TEXTS,
        "state": st.sampled_from(pb.Artifact.State.values()),
        "create_time_since_epoch": INT64,
    }.items():
        content = draw(st.none() | strategy)
        if content is not None:
            setattr(artifact, name, content)
    for name in ("properties", "custom_properties"):
        for key, value in draw(st.dictionaries(TEXTS, values(), max_size=3)).items():
            getattr(artifact, name)[key].CopyFrom(value)
    if draw(st.booleans()):
        artifact.system_metadata.value = draw(st.binary(max_size=3))
    return artifact


@given(artifacts(), st.just(b"") | UNKNOWN)
@example(pb.Artifact(state=pb.Artifact.LIVE), b"\x30\x63")  # a state that the schema lacks
@settings(deadline=None)
def test_a_body_comes_back_byte_for_byte(artifact, unknown):
    body = artifact.SerializeToString(deterministic=True) + unknown
    record = json.loads(json.dumps(to_json(pb.Artifact, body), allow_nan=False))
    assert from_json(pb.Artifact, record) == body
    assert ("body_base64" in record) or not unknown


@given(st.binary(max_size=40))
def test_any_bytes_come_back(body):
    assert from_json(pb.Artifact, to_json(pb.Artifact, body)) == body


@given(st.lists(artifacts(), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_a_store_comes_back_from_an_archive_row_by_row(nodes):
    with TemporaryDirectory() as name:
        directory = Path(name)
        first, second = (f"sqlite:///{directory}/{name}.db" for name in ("first", "second"))
        store = EmbeddedTransport(first)
        for node in nodes:
            _put(store, node)
        store.close()
        dump(first, directory / "a.jsonl.gz")
        load(directory / "a.jsonl.gz", second)
        assert rows_of(second) == rows_of(first)


def _put(store, node):
    """Put a node with those of its fields that the store takes."""
    node.ClearField("id")
    node.type_id = 1
    node.ClearField("external_id")
    node.ClearField("name")
    node.ClearField("properties")
    for key in [k for k, v in node.custom_properties.items() if not v.WhichOneof("value") or not k]:
        del node.custom_properties[key]
    store.call("PutArtifacts", service.PutArtifactsRequest(artifacts=[node]))
