"""Types: identity, evolution, base types, and the answer of each way to read them."""

import pytest

from lineage_store import errors
from lineage_store.v1 import metadata_pb2 as pb

SYSTEM_ARTIFACT_TYPES = ["mlmd.Dataset", "mlmd.Model", "mlmd.Metrics", "mlmd.Statistics"]
SYSTEM_EXECUTION_TYPES = [
    "mlmd.Train",
    "mlmd.Transform",
    "mlmd.Process",
    "mlmd.Evaluate",
    "mlmd.Deploy",
]


def put(call, kind, message, **flags):
    return call(f"Put{kind.title()}Type", **{f"{kind}_type": message}, **flags).type_id


def read(call, kind, name, version=""):
    answer = call(f"Get{kind.title()}Type", type_name=name, type_version=version)
    return getattr(answer, f"{kind}_type")


def by_id(call, kind, *ids):
    answer = call(f"Get{kind.title()}TypesByID", type_ids=ids)
    return list(getattr(answer, f"{kind}_types"))


def test_system_types_have_the_first_ids_and_users_begin_at_ten(call, kind):
    assert [t.name for t in by_id(call, "artifact", 1, 2, 3, 4)] == SYSTEM_ARTIFACT_TYPES
    assert [t.name for t in by_id(call, "execution", 5, 6, 7, 8, 9)] == SYSTEM_EXECUTION_TYPES
    assert put(call, kind, {"name": "T"}) == 10


def test_all_kinds_share_one_sequence_of_ids(call):
    assert [put(call, k, {"name": "T"}) for k in ("artifact", "execution", "context")] == [
        10,
        11,
        12,
    ]


def test_listings_hide_system_types_by_name_except_of_contexts(call, kind):
    put(call, kind, {"name": "mlmd.Model", "version": "7"})
    put(call, kind, {"name": "T"})
    listed = getattr(call(f"Get{kind.title()}Types"), f"{kind}_types")
    names = [each.name for each in listed]
    assert names == (["mlmd.Model", "T"] if kind == "context" else ["T"])
    assert read(call, kind, "mlmd.Model", "7").version == "7"


def test_a_system_type_can_be_extended(call):
    message = {"name": "mlmd.Dataset", "properties": {"rows": pb.INT}}
    assert put(call, "artifact", message, can_add_fields=True) == 1
    assert dict(read(call, "artifact", "mlmd.Dataset").properties) == {"rows": pb.INT}


@pytest.mark.parametrize("message", [{}, {"name": ""}, {"name": "T", "properties": {"a": 0}}])
def test_a_malformed_type_is_refused(call, kind, message):
    with call.refused(errors.InvalidArgument):
        put(call, kind, message)


def test_a_request_without_type_is_refused(call, kind):
    with call.refused(errors.InvalidArgument):
        call(f"Put{kind.title()}Type")


def test_all_fields_match_false_is_refused(call, kind):
    with call.refused(errors.Unimplemented):
        put(call, kind, {"name": "T"}, all_fields_match=False)
    with call.refused(errors.Unimplemented):
        call("PutTypes", all_fields_match=False)


def test_everything_given_on_creation_is_stored(call, kind):
    message = {
        "id": 77,
        "name": "T",
        "version": "1",
        "description": "what it is",
        "external_id": "x",
        "properties": {"i": pb.INT, "s": pb.STRUCT},
    }
    type_id = put(call, kind, message)
    assert type_id == 10
    stored = read(call, kind, "T", "1")
    assert (stored.id, stored.name, stored.version) == (10, "T", "1")
    assert (stored.description, stored.external_id) == ("what it is", "x")
    assert dict(stored.properties) == {"i": pb.INT, "s": pb.STRUCT}


def test_signatures_of_executions_are_stored(call):
    simple = {"any": {}}
    put(call, "execution", {"name": "T", "input_type": simple, "output_type": {"none": {}}})
    stored = read(call, "execution", "T")
    assert stored.input_type.WhichOneof("kind") == "any"
    assert stored.output_type.WhichOneof("kind") == "none"


def test_kind_name_and_version_identify_a_type(call):
    first = put(call, "artifact", {"name": "T"})
    assert put(call, "artifact", {"name": "T", "version": ""}) == first
    others = [
        put(call, "artifact", {"name": "T", "version": "1"}),
        put(call, "context", {"name": "T"}),
    ]
    assert len({first, *others}) == 3
    assert not read(call, "artifact", "T").HasField("version")


def test_the_unversioned_type_is_not_the_latest(call, kind):
    put(call, kind, {"name": "T", "version": "1"})
    with call.refused(errors.NotFound):
        read(call, kind, "T")


PROPERTIES = {"a": pb.INT, "b": pb.STRING}


@pytest.fixture
def stored(call, kind):
    return put(call, kind, {"name": "T", "properties": PROPERTIES})


def test_the_same_type_again_is_the_same_id(call, kind, stored):
    assert put(call, kind, {"name": "T", "properties": PROPERTIES}) == stored


@pytest.mark.parametrize(
    ("properties", "flag"),
    [({**PROPERTIES, "c": pb.INT}, "can_add_fields"), ({"a": pb.INT}, "can_omit_fields")],
    ids=["new property", "omitted property"],
)
def test_evolution_needs_its_flag(call, kind, stored, properties, flag):
    message = {"name": "T", "properties": properties}
    with call.refused(errors.AlreadyExists):
        put(call, kind, message)
    with call.refused(errors.AlreadyExists):
        put(call, kind, message, can_delete_fields=True)
    assert put(call, kind, message, **{flag: True}) == stored
    assert dict(read(call, kind, "T").properties) == PROPERTIES | properties


def test_new_and_omitted_properties_need_both_flags(call, kind, stored):
    message = {"name": "T", "properties": {"c": pb.INT}}
    for flags in ({"can_add_fields": True}, {"can_omit_fields": True}):
        with call.refused(errors.AlreadyExists):
            put(call, kind, message, **flags)
    put(call, kind, message, can_add_fields=True, can_omit_fields=True)
    assert dict(read(call, kind, "T").properties) == {**PROPERTIES, "c": pb.INT}


def test_a_property_never_changes_its_kind_of_value(call, kind, stored):
    message = {"name": "T", "properties": {**PROPERTIES, "a": pb.DOUBLE}}
    with call.refused(errors.AlreadyExists):
        put(call, kind, message, can_add_fields=True, can_omit_fields=True)


def test_a_description_never_changes(call, kind):
    put(call, kind, {"name": "T", "description": "first"})
    put(call, kind, {"name": "T", "description": "second"})
    assert read(call, kind, "T").description == "first"


def test_an_external_id_can_be_set_later_and_changed_but_not_cleared(call, kind):
    for sent_id, stored_id in (("", ""), ("x", "x"), ("", "x"), ("y", "y")):
        put(call, kind, {"name": "T", "external_id": sent_id})
        assert read(call, kind, "T").external_id == stored_id


def test_an_external_id_belongs_to_one_type_of_any_kind(call, kind):
    put(call, "artifact", {"name": "A", "external_id": "x"})
    put(call, kind, {"name": "B"})
    for name in ("B", "C"):  # on update and on creation
        with call.refused(errors.AlreadyExists):
            put(call, kind, {"name": name, "external_id": "x"})


def test_empty_external_ids_are_none(call, kind):
    for name in ("A", "B"):
        put(call, kind, {"name": name, "external_id": ""})
    assert not read(call, kind, "A").HasField("external_id")


def test_a_base_type_is_set_once(call):
    for kind, first, other in (("artifact", 2, 1), ("execution", 1, 2)):
        put(call, kind, {"name": "T"})
        put(call, kind, {"name": "T", "base_type": first})
        put(call, kind, {"name": "T", "base_type": first})
        put(call, kind, {"name": "T"})
        for wrong in (other, 0):
            with call.refused(errors.Unimplemented):
                put(call, kind, {"name": "T", "base_type": wrong})
        assert read(call, kind, "T").base_type == first


def test_unset_is_no_base_type(call, kind):
    with call.refused(errors.Unimplemented):
        put(call, kind, {"name": "T", "base_type": 0})


def test_who_tells_the_base_type(call):
    type_id = put(call, "artifact", {"name": "T", "base_type": 2, "external_id": "x"})
    call.put("artifact", {"type_id": type_id})
    [listed] = call("GetArtifactTypes").artifact_types
    assert read(call, "artifact", "T").base_type == listed.base_type == 2
    assert by_id(call, "artifact", type_id)[0].base_type == 2
    [stored_type] = call("GetArtifactTypesByExternalIds", external_ids=["x"]).artifact_types
    answer = call("GetArtifactsByID", artifact_ids=[1], populate_artifact_types=True)
    assert not stored_type.HasField("base_type")
    assert not answer.artifact_types[0].HasField("base_type")


def test_put_types_answers_ids_in_order(call):
    answer = call(
        "PutTypes",
        artifact_types=[{"name": "A"}, {"name": "A"}, {"name": "A", "version": "1"}],
        execution_types=[{"name": "A"}],
        context_types=[{"name": "A"}],
    )
    assert list(answer.artifact_type_ids) == [10, 10, 11]
    assert (list(answer.execution_type_ids), list(answer.context_type_ids)) == ([12], [13])
    assert not call("PutTypes").artifact_type_ids


def test_put_types_checks_the_second_of_two_against_the_first(call):
    twice = [{"name": "A"}, {"name": "A", "properties": {"a": pb.INT}}]
    with call.refused(errors.AlreadyExists):
        call("PutTypes", artifact_types=twice)
    call("PutTypes", artifact_types=twice, can_add_fields=True)
    assert dict(read(call, "artifact", "A").properties) == {"a": pb.INT}


def test_put_types_is_atomic(call):
    with call.refused(errors.InvalidArgument):
        call("PutTypes", artifact_types=[{"name": "A"}], context_types=[{"name": ""}])


def test_a_missing_type_is_not_found(call, kind):
    with call.refused(errors.NotFound):
        read(call, kind, "nope")


def test_types_by_id_keep_the_order_and_repeat(call, kind):
    first, second = put(call, kind, {"name": "A"}), put(call, kind, {"name": "B"})
    other = put(call, "context" if kind != "context" else "artifact", {"name": "C"})
    types = by_id(call, kind, second, 999, first, other, second)
    assert [t.id for t in types] == [second, first, second]
    assert by_id(call, kind) == []


def test_types_by_external_id(call, kind):
    method = f"Get{kind.title()}TypesByExternalIds"
    put(call, kind, {"name": "A", "external_id": "x"})
    types = getattr(call(method, external_ids=["x", "none", "x"]), f"{kind}_types")
    assert [t.name for t in types] == ["A"]
    assert not getattr(call(method), f"{kind}_types")
    with call.refused(errors.NotFound):
        call(method, external_ids=["none"])
    with call.refused(errors.InvalidArgument):
        call(method, external_ids=["x", ""])


@pytest.mark.parametrize("field", ["name", "version", "external_id", "properties"])
def test_oversized_names_are_refused(call, kind, field):
    def message(length):
        text = "é" * length
        content = {text: pb.INT} if field == "properties" else text
        return {"name": "T", field: content}

    with call.refused(errors.InvalidArgument, match="512"):
        put(call, kind, message(513))
    put(call, kind, message(512))
