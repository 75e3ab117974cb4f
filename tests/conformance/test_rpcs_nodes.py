"""Nodes: created, updated whole, updated under a mask, and their old versions."""

import time
from itertools import pairwise

import pytest
from google.protobuf import any_pb2

from lineage_store import errors
from lineage_store.v1 import metadata_pb2 as pb

PROPERTIES = {"i": pb.INT, "s": pb.STRING, "d": pb.DOUBLE}


@pytest.fixture
def t(call, kind) -> int:
    """A type with properties."""
    return call.type(kind, properties=PROPERTIES)


@pytest.fixture
def node(call, kind, t) -> int:
    """A node with something in every field."""
    return call.put(kind, full(kind, t))[0]


def full(kind, type_id):
    fields = {"type_id": type_id, "name": "n", "external_id": "x"}
    fields |= {"properties": {"i": 1, "s": "one"}, "custom_properties": {"c": 2, "a.b": "dotted"}}
    own = {
        "artifact": {"uri": "u", "state": pb.Artifact.LIVE},
        "execution": {"last_known_state": pb.Execution.RUNNING},
        "context": {},
    }
    return fields | own[kind]


def only(call, kind, node_id):
    [stored] = call.get(kind, node_id)
    return stored


def as_dict(node, field):
    return {key: getattr(v, v.WhichOneof("value")) for key, v in getattr(node, field).items()}


def test_a_new_node_reads_back_as_sent(call, kind, t, node):
    stored = only(call, kind, node)
    assert (stored.id, stored.type_id, stored.type) == (node, t, "T")
    assert (stored.name, stored.external_id) == ("n", "x")
    assert as_dict(stored, "properties") == {"i": 1, "s": "one"}
    assert as_dict(stored, "custom_properties") == {"c": 2, "a.b": "dotted"}
    assert stored.create_time_since_epoch == stored.last_update_time_since_epoch
    assert abs(stored.create_time_since_epoch - time.time() * 1000) < 60_000


def test_ids_are_aligned_with_the_request(call, kind, t):
    names = [f"n{i}" for i in range(5)]
    ids = call.put(kind, *({"type_id": t, "name": name} for name in names))
    assert [only(call, kind, i).name for i in ids] == names
    assert call.put(kind) == []


def test_what_is_unset_reads_back_unset(call, kind, t):
    [node] = call.put(kind, {"type_id": t, "name": "n"})
    stored = only(call, kind, node)
    assert not stored.HasField("external_id")
    if kind == "artifact":
        assert stored.HasField("uri")
        assert (stored.uri, stored.HasField("state")) == ("", False)
    if kind == "execution":
        assert not stored.HasField("last_known_state")


def test_state_unknown_is_a_state(call):
    [a] = call.put("artifact", {"type_id": call.type(), "state": 0})
    [e] = call.put("execution", {"type_id": call.type("execution"), "last_known_state": 0})
    assert only(call, "artifact", a).HasField("state")
    assert only(call, "execution", e).HasField("last_known_state")


def test_what_the_server_decides_is_ignored_in_a_request(call, kind, t):
    metadata = any_pb2.Any(type_url="t/x", value=b"1")
    ignored = {"type": "other", "create_time_since_epoch": 1, "last_update_time_since_epoch": 2}
    [node] = call.put(kind, {"type_id": t, "name": "n", "system_metadata": metadata, **ignored})
    stored = only(call, kind, node)
    assert stored.type == "T"
    assert min(stored.create_time_since_epoch, stored.last_update_time_since_epoch) > 2
    assert not stored.HasField("system_metadata")


def test_a_type_must_be_named_and_known(call, kind):
    other = call.type("artifact" if kind == "context" else "context")
    with call.refused(errors.InvalidArgument):
        call.put(kind, {"name": "n", "type": "T"})
    for unknown in (999, 0, -1, other):
        with call.refused(errors.NotFound):
            call.put(kind, {"name": "n", "type_id": unknown})


@pytest.mark.parametrize(
    "properties",
    [{"nope": 1}, {"i": "1"}, {"i": 1.0}, {"d": 1}, {"i": None}],
    ids=["undeclared", "string for int", "double for int", "int for double", "no value"],
)
def test_properties_must_fit_the_type(call, kind, t, node, properties):
    for identity in ({"type_id": t, "name": "new"}, {"id": node, "name": "n"}):
        with call.refused(errors.InvalidArgument):
            call.put(kind, {**identity, "properties": properties})


def test_a_custom_property_needs_a_value(call, kind, t, node):
    for identity in ({"type_id": t, "name": "new"}, {"id": node, "name": "n"}):
        with call.refused(errors.InvalidArgument):
            call.put(kind, {**identity, "custom_properties": {"c": None}})


def test_a_name_is_unique_in_its_type(call, kind, t, node):
    with call.refused(errors.AlreadyExists):
        call.put(kind, {"type_id": t, "name": "n"})
    with call.refused(errors.AlreadyExists):  # within one request
        call.put(kind, {"type_id": t, "name": "m"}, {"type_id": t, "name": "m"})
    call.put(kind, {"type_id": call.type(kind, "Other"), "name": "n"})


def test_an_external_id_is_unique_among_nodes_of_a_kind(call, kind, t, node):
    other = call.type(kind, "Other")
    with call.refused(errors.AlreadyExists):
        call.put(kind, {"type_id": other, "name": "m", "external_id": "x"})
    with call.refused(errors.AlreadyExists):
        call.put(kind, *({"type_id": t, "name": n, "external_id": "y"} for n in "ab"))


def test_empty_external_ids_are_none(call, kind, t):
    ids = call.put(kind, *({"type_id": t, "name": n, "external_id": ""} for n in "ab"))
    assert [node.HasField("external_id") for node in call.get(kind, *ids)] == [False, False]


def test_an_empty_name_is_a_name_and_no_name_is_none(call):
    for kind in ("artifact", "execution"):
        t = call.type(kind)
        assert len(call.put(kind, {"type_id": t}, {"type_id": t}, {"type_id": t, "name": ""})) == 3
        with call.refused(errors.AlreadyExists):
            call.put(kind, {"type_id": t, "name": ""})


@pytest.mark.parametrize("name", [{}, {"name": ""}])
def test_a_context_needs_a_name(call, name):
    [context] = call.contexts("c")
    t = call.type("context")
    for identity in ({"type_id": t}, {"id": context}):
        with call.refused(errors.InvalidArgument):
            call.put("context", {**identity, **name})


@pytest.mark.parametrize("unknown", [999, 0, -1, 2**62])
def test_an_update_of_an_unknown_node_is_an_invalid_argument(call, kind, t, unknown):
    with call.refused(errors.InvalidArgument):
        call.put(kind, {"id": unknown, "type_id": t, "name": "n"})


def test_a_type_never_changes(call, kind, t, node):
    other = call.type(kind, "Other")
    with call.refused(errors.InvalidArgument):
        call.put(kind, {"id": node, "type_id": other, "name": "n"})
    with call.refused(errors.InvalidArgument):
        update(call, kind, {"id": node, "type_id": other, "name": "n"}, "type_id")
    assert call.put(kind, {"id": node, "type_id": t, "name": "n"}) == [node]


def test_an_update_without_mask_replaces_everything(call, kind, node):
    before = only(call, kind, node)
    call.put(kind, {"id": node, "name": "n"})
    stored = only(call, kind, node)
    assert not stored.properties
    assert not stored.custom_properties
    assert not stored.HasField("external_id")
    assert stored.create_time_since_epoch == before.create_time_since_epoch
    assert stored.last_update_time_since_epoch > before.last_update_time_since_epoch
    if kind == "artifact":
        assert (stored.uri, stored.HasField("state")) == ("", False)
    if kind == "execution":
        assert not stored.HasField("last_known_state")


def test_only_contexts_can_be_renamed(call, kind, t, node):
    call.put(kind, {"type_id": t, "name": "twin"})
    call.put(kind, {"id": node, "name": "renamed"})
    assert only(call, kind, node).name == ("renamed" if kind == "context" else "n")
    if kind == "context":
        with call.refused(errors.AlreadyExists):
            call.put(kind, {"id": node, "name": "twin"})
        call.put(kind, {"type_id": t, "name": "n"})


def test_an_external_id_taken_by_another_is_refused_on_update(call, kind, t, node):
    [other] = call.put(kind, {"type_id": t, "name": "m", "external_id": "y"})
    with call.refused(errors.AlreadyExists):
        call.put(kind, {"id": other, "name": "m", "external_id": "x"})
    call.put(kind, {"id": node, "name": "n"})
    call.put(kind, {"id": other, "name": "m", "external_id": "x"})


def test_an_echo_changes_nothing(call, kind, node):
    before = only(call, kind, node)
    call(f"Put{kind.title()}s", **{f"{kind}s": [before]})
    assert only(call, kind, node) == before


def test_one_update_of_two_that_fail_leaves_nothing(call, kind, node):
    with call.refused(errors.InvalidArgument):
        call.put(kind, {"id": node, "name": "n"}, {"id": 999, "name": "n"})


def test_the_same_node_twice_in_one_request(call, kind, node):
    custom = [{"id": node, "name": "n", "custom_properties": {"c": i}} for i in (10, 20)]
    assert call.put(kind, *custom) == [node, node]
    assert as_dict(only(call, kind, node), "custom_properties") == {"c": 20}


def update(call, kind, node, *paths):
    return call.put(kind, node, update_mask={"paths": paths})


MASKS = [
    ("properties.i", {"i": 5}, {}, {"i": 5, "s": "one"}, {"c": 2, "a.b": "dotted"}),
    ("properties.s", {"i": 5}, {}, {"i": 1}, {"c": 2, "a.b": "dotted"}),
    ("properties", {"i": 5}, {"c": 9}, {"i": 5}, {"c": 2, "a.b": "dotted"}),
    ("custom_properties.a.b", {}, {"a.b": 3, "c": 9}, {"i": 1, "s": "one"}, {"c": 2, "a.b": 3}),
    ("custom_properties.a.b", {}, {}, {"i": 1, "s": "one"}, {"c": 2}),
    ("custom_properties", {}, {"z": 1}, {"i": 1, "s": "one"}, {"z": 1}),
    ("no.such.path", {"i": 5}, {"c": 9}, {"i": 1, "s": "one"}, {"c": 2, "a.b": "dotted"}),
]


@pytest.mark.parametrize(("path", "properties", "custom", "declared", "customs"), MASKS)
def test_a_mask_says_what_changes(call, kind, node, path, properties, custom, declared, customs):
    update(call, kind, {"id": node, "properties": properties, "custom_properties": custom}, path)
    stored = only(call, kind, node)
    assert as_dict(stored, "properties") == declared
    assert as_dict(stored, "custom_properties") == customs
    assert (stored.name, stored.external_id) == ("n", "x")


def test_a_masked_field_that_is_unset_is_cleared(call, kind, node):
    state = {"artifact": "state", "execution": "last_known_state"}
    paths = ["external_id", *([state[kind]] if kind in state else []), "uri"]
    update(call, kind, {"id": node}, *paths)
    stored = only(call, kind, node)
    assert not stored.HasField("external_id")
    assert as_dict(stored, "properties") == {"i": 1, "s": "one"}
    if kind == "artifact":
        assert (stored.uri, stored.HasField("uri"), stored.HasField("state")) == ("", True, False)


def test_only_masked_properties_are_checked(call, kind, node):
    wrong = {"id": node, "properties": {"i": 5, "nope": 1, "s": 1}}
    update(call, kind, wrong, "properties.i")
    for path in ("properties.nope", "properties.s", "properties"):
        with call.refused(errors.InvalidArgument):
            update(call, kind, wrong, path)


def test_a_mask_creates_nodes_without_id_whole(call, kind, t):
    [node] = update(call, kind, full(kind, t), "properties.s")
    assert as_dict(only(call, kind, node), "properties") == {"i": 1, "s": "one"}


def test_what_identifies_a_node_is_beyond_a_mask(call, kind, node):
    before = only(call, kind, node)
    fields = {"id": node, "name": "other", "create_time_since_epoch": 1, "type": "Z"}
    update(call, kind, fields, "id", "create_time_since_epoch", "type", "nonsense")
    stored = only(call, kind, node)
    assert (stored.name, stored.type) == ("n", "T")
    assert stored.create_time_since_epoch == before.create_time_since_epoch


def test_a_lock_holds_when_the_node_did_not_change(call):
    t = call.type()
    [node] = call.put("artifact", {"type_id": t})
    stored = only(call, "artifact", node)
    stored.uri = "first"
    options = {"abort_if_latest_updated_time_changed": True}
    call("PutArtifacts", artifacts=[stored], options=options)
    changed = only(call, "artifact", node)
    assert changed.last_update_time_since_epoch > stored.last_update_time_since_epoch
    stored.uri = "second"
    new = pb.Artifact(type_id=t, uri="new")
    for stale in (stored, pb.Artifact(id=node)):
        with call.refused(errors.FailedPrecondition):
            call("PutArtifacts", artifacts=[new, stale], options=options)
    with call.refused(errors.InvalidArgument):
        call("PutArtifacts", artifacts=[pb.Artifact(id=999)], options=options)
    call("PutArtifacts", artifacts=[new, changed], options=options)


def test_replaced_versions_are_kept(call, kind, node):
    versions = [only(call, kind, node)]
    for i in range(3):
        update(call, kind, {"id": node, "custom_properties": {"c": 10 + i}}, "custom_properties.c")
        versions.append(only(call, kind, node))
    message = type(versions[0])
    replaced = [row for row in call.contents()["node_versions"] if row[1] == node]
    assert [row[2] for row in replaced] == [1, 2, 3]
    assert [message.FromString(row[-1]) for row in replaced] == versions[:-1]
    for earlier, later in pairwise(replaced):
        assert earlier[4] == later[3]  # replaced when the next one was recorded


def test_an_update_that_changes_nothing_keeps_no_version(call, kind, node):
    call(f"Put{kind.title()}s", **{f"{kind}s": [only(call, kind, node)]})
    assert call.contents()["node_versions"] == []


@pytest.mark.parametrize("field", ["name", "external_id", "custom_properties"])
def test_oversized_names_are_refused(call, kind, t, field):
    def message(length):
        text = "é" * length
        return {
            "type_id": t,
            "name": "n",
            field: {text: 1} if field == "custom_properties" else text,
        }

    with call.refused(errors.InvalidArgument, match="512"):
        call.put(kind, message(513))
    call.put(kind, message(512))


def test_values_and_uris_may_be_long(call):
    long = "é" * 1_000_000
    t = call.type()
    [node] = call.put("artifact", {"type_id": t, "uri": long, "custom_properties": {"s": long}})
    stored = only(call, "artifact", node)
    assert (stored.uri, stored.custom_properties["s"].string_value) == (long, long)
    assert call("GetArtifactsByURI", uris=[long]).artifacts == [stored]
