"""Nodes read by id, name, external id and uri."""

import pytest

from lineage_store import errors
from lineage_store.v1 import metadata_service_pb2 as service


def nodes_of(answer, kind):
    return list(getattr(answer, f"{kind}s"))


@pytest.fixture
def three(call, kind):
    """Three nodes named a, b and c, with external ids xa, xb and xc."""
    t = call.type(kind)
    return call.put(kind, *({"type_id": t, "name": n, "external_id": f"x{n}"} for n in "abc"))


def test_by_id_orders_by_id_and_skips_what_is_missing(call, kind, three):
    nodes = call.get(kind, three[2], 999, three[0], three[2], -1, 0)
    assert [node.id for node in nodes] == [three[0], three[2]]
    assert call.get(kind) == []


def test_by_id_takes_very_many(call, kind, three):
    assert len(call.get(kind, *range(20_000))) == 3


def test_artifacts_by_id_with_their_types(call):
    first, second = call.type(name="A"), call.type(name="B")
    ids = call.put("artifact", {"type_id": second}, {"type_id": first}, {"type_id": second})
    answer = call("GetArtifactsByID", artifact_ids=ids, populate_artifact_types=True)
    assert [t.name for t in answer.artifact_types] == ["A", "B"]
    assert len(answer.artifacts) == 3
    assert not call("GetArtifactsByID", artifact_ids=ids).artifact_types


def test_by_external_id(call, kind, three):
    method = f"Get{kind.title()}sByExternalIds"
    nodes = nodes_of(call(method, external_ids=["xc", "none", "xa", "xc"]), kind)
    assert [node.id for node in nodes] == [three[0], three[2]]
    assert nodes_of(call(method), kind) == []
    with call.refused(errors.NotFound):
        call(method, external_ids=["none"])
    with call.refused(errors.InvalidArgument):
        call(method, external_ids=["xa", ""])


def test_by_type_and_name(call, kind, three):
    method = f"Get{kind.title()}ByTypeAndName"
    answer = call(method, type_name="T", **{f"{kind}_name": "b"})
    assert getattr(answer, kind).id == three[1]
    for type_name, version, name in (("T", "", "z"), ("Z", "", "b"), ("T", "1", "b")):
        identity = {"type_name": type_name, "type_version": version, f"{kind}_name": name}
        assert not call(method, **identity).HasField(kind)


def test_by_type(call, kind, three):
    versioned = call.type(kind, version="1")
    [other] = call.put(kind, {"type_id": versioned, "name": "a"})
    method = f"Get{kind.title()}sByType"

    def ids(**query):
        return [node.id for node in nodes_of(call(method, **query), kind)]

    assert ids(type_name="T") == three
    assert ids(type_name="T", type_version="1") == [other]
    assert ids(type_name="nope") == ids(type_name="T", type_version="2") == []


def test_by_uri(call):
    t = call.type()
    ids = call.put(
        "artifact", *({"type_id": t, "uri": u} for u in ("a", "b", "a", "A")), {"type_id": t}
    )

    def at(*uris):
        return [node.id for node in call("GetArtifactsByURI", uris=uris).artifacts]

    assert at("a", "a", "none") == [ids[0], ids[2]]
    assert at("") == [ids[4]]
    assert at("A", "b") == [ids[1], ids[3]]
    assert at() == []


def test_by_uri_refuses_the_field_that_it_once_had(call):
    request = service.GetArtifactsByURIRequest.FromString(b"\x0a\x01u")
    with call.refused(errors.InvalidArgument):
        call.transport.call("GetArtifactsByURI", request)


def test_unknown_fields_of_a_request_are_not_stored(call, kind):
    request = getattr(service, f"Put{kind.title()}sRequest")()
    node = getattr(request, f"{kind}s").add(type_id=call.type(kind), name="n")
    node.MergeFromString(b"\xfa\x3e\x03abc")  # field 1007
    call.transport.call(f"Put{kind.title()}s", request)
    [stored] = call.get(kind, 1)
    assert b"abc" not in stored.SerializeToString()


def test_an_unknown_state_reads_back_unset(call):
    request = service.PutArtifactsRequest()
    request.artifacts.add(type_id=call.type()).MergeFromString(b"\x30\x4d")  # state = 77
    call.transport.call("PutArtifacts", request)
    [stored] = call.get("artifact", 1)
    assert not stored.HasField("state")
