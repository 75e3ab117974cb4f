"""Property values: each is read as it was put, to the last bit."""

import math

import pytest
from google.protobuf import any_pb2, struct_pb2

from lineage_store.v1 import metadata_pb2 as pb

DECLARED = {
    "i": pb.INT,
    "d": pb.DOUBLE,
    "s": pb.STRING,
    "struct": pb.STRUCT,
    "proto": pb.PROTO,
    "b": pb.BOOLEAN,
}
INTS = [0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)]
DOUBLES = [
    0.0,
    -0.0,
    1e-10,
    5e-324,
    123456789.123456789,
    1.7976931348623157e308,
    math.inf,
    -math.inf,
]
STRINGS = [
    "",
    "a\0b",
    "\0",
    "__MLMD_NULL__",
    "mlmd-struct::",
    "mlmd-struct::not base64",
    "ünï¢ødé",
    "\U0001f600\U0010ffff",
    "e\u0301",
    "\u202e\ufeff\uffff",
    "'; DROP TABLE artifacts; --",
    'a"b`c\\d\r\n\t',
    "x" * 255,
    "x" * 256,
]


def through(call, kind, **values):
    """Return the declared and the custom properties, after they were put and read."""
    t = call.type(kind, properties=DECLARED)
    node = {"type_id": t, "name": "n", "properties": values, "custom_properties": values}
    [stored] = call.get(kind, *call.put(kind, node))
    return stored.properties, stored.custom_properties


@pytest.mark.parametrize("value", INTS)
def test_integers(call, kind, value):
    for stored in through(call, kind, i=value):
        assert stored["i"].int_value == value


@pytest.mark.parametrize("value", DOUBLES)
def test_doubles_are_exact(call, value):
    for stored in through(call, "artifact", d=value):
        assert stored["d"].double_value == value
        assert math.copysign(1, stored["d"].double_value) == math.copysign(1, value)


def test_not_a_number(call, kind):
    for stored in through(call, kind, d=math.nan):
        assert math.isnan(stored["d"].double_value)
    assert math.isnan(call.get(kind, 1)[0].properties["d"].double_value)


@pytest.mark.parametrize("value", STRINGS, ids=range(len(STRINGS)))
def test_strings(call, value):
    for stored in through(call, "artifact", s=value):
        assert stored["s"].string_value == value


@pytest.mark.parametrize("value", [True, False])
def test_booleans(call, kind, value):
    for stored in through(call, kind, b=value):
        assert stored["b"].WhichOneof("value") == "bool_value"
        assert stored["b"].bool_value is value


@pytest.mark.parametrize("items", [{}, {"a": [1, None, {"b": "c\0"}], "": True}])
def test_structs(call, kind, items):
    struct = struct_pb2.Struct()
    struct.update(items)
    for stored in through(call, kind, struct=pb.Value(struct_value=struct)):
        assert stored["struct"].WhichOneof("value") == "struct_value"
        assert stored["struct"].struct_value == struct


@pytest.mark.parametrize("type_url", ["t/x", ""])
def test_protos_with_and_without_a_type_url(call, kind, type_url):
    value = any_pb2.Any(type_url=type_url, value=b"\0\xff")
    for stored in through(call, kind, proto=pb.Value(proto_value=value)):
        assert stored["proto"].proto_value == value


@pytest.mark.parametrize("text", STRINGS[1:], ids=range(1, len(STRINGS)))
def test_names_uris_and_keys_are_any_text(call, text):
    t = call.type(name=text)
    node = {"type_id": t, "name": text, "external_id": text, "uri": text}
    [node_id] = call.put("artifact", {**node, "custom_properties": {text: 1}})
    [stored] = call.get("artifact", node_id)
    assert (stored.name, stored.external_id, stored.uri, stored.type) == (text,) * 4
    assert list(stored.custom_properties) == [text]
    named = call("GetArtifactByTypeAndName", type_name=text, artifact_name=text).artifact
    assert [named] == list(call("GetArtifactsByURI", uris=[text]).artifacts) == [stored]
    assert list(call("GetArtifactsByExternalIds", external_ids=[text]).artifacts) == [stored]


def test_names_are_told_apart_by_every_byte(call, kind):
    t = call.type(kind)
    names = ["a", "A", "a ", " a", "a\0", "a\0b", "á", "a\u0301"]
    ids = call.put(kind, *({"type_id": t, "name": name, "external_id": name} for name in names))
    assert [node.name for node in call.get(kind, *ids)] == names


def test_the_two_maps_are_independent(call, kind):
    t = call.type(kind, properties=DECLARED)

    def put(node, *paths):
        return call.put(kind, {"name": "n", **node}, update_mask={"paths": paths})

    def maps():
        [stored] = call.get(kind, node)
        return [
            stored.properties["i"].int_value if "i" in stored.properties else None,
            stored.custom_properties["i"].int_value if "i" in stored.custom_properties else None,
        ]

    [node] = put({"type_id": t, "properties": {"i": 1}, "custom_properties": {"i": 2}})
    assert maps() == [1, 2]
    put({"id": node, "custom_properties": {"i": 3}}, "custom_properties.i")
    assert maps() == [1, 3]
    put({"id": node, "properties": {"i": 4}}, "properties.i")
    assert maps() == [4, 3]
    put({"id": node}, "custom_properties.i")
    assert maps() == [4, None]
    put({"id": node, "custom_properties": {"i": 5}}, "properties.i", "custom_properties.i")
    assert maps() == [None, 5]


def test_a_key_may_hold_another_kind_of_value_in_the_other_map(call, kind):
    t = call.type(kind, properties=DECLARED)
    node = {"type_id": t, "name": "n", "properties": {"i": 1}, "custom_properties": {"i": "one"}}
    [stored] = call.get(kind, *call.put(kind, node))
    assert stored.properties["i"].int_value == 1
    assert stored.custom_properties["i"].string_value == "one"


def test_the_property_index_follows_every_update(call, kind):
    t = call.type(kind, properties=DECLARED)
    values = {"i": 1, "s": "x" * 256, "b": True}
    [node] = call.put(kind, {"type_id": t, "name": "n", "properties": values})
    assert indexed(call, kind) == [
        (node, 0, "b", None, None, None, None, 1),
        (node, 0, "i", 1, None, None, None, None),
        (node, 0, "s", None, None, "x" * 255, "x" * 256, None),
    ]
    call.put(kind, {"id": node, "name": "n", "custom_properties": {"s": "short", "d": 0.5}})
    assert indexed(call, kind) == [
        (node, 1, "d", None, 0.5, None, None, None),
        (node, 1, "s", None, None, "short", None, None),
    ]
    call.put(kind, {"id": node, "name": "n"})
    assert indexed(call, kind) == []


def indexed(call, kind):
    """Return the index, which any filter over properties finds complete."""
    call(f"Get{kind.title()}s", options={"filter_query": "properties.none.int_value = 1"})
    return sorted(call.contents()[f"{kind}_properties"], key=lambda row: row[:3])
