"""Sizes: a too large request is refused by name, and a large node is stored, found and listed."""

import pytest

from lineage_store import errors
from lineage_store.limits import MAX_NODE_BYTES, PAGE_BYTES
from lineage_store.v1 import metadata_pb2 as pb
from tests.conformance.cache_steps import KEY, key, record

pytestmark = pytest.mark.large

MB = 1_000_000
ID = {"field": pb.ListOperationOptions.OrderByField.ID}


def with_text(type_id, size, character="y", **fields):
    return {"type_id": type_id, "custom_properties": {"c": character * size}, **fields}


def ids_of(call, kind, **options):
    """Return the ids on each page of a listing, and the bytes of each page."""
    page_ids, sizes, token = [], [], ""
    while not page_ids or token:
        more = {"next_page_token": token} if token else {}
        options_ = {"max_result_size": 100, "order_by_field": ID, **options, **more}
        answer = call(f"Get{kind.title()}s", options=options_)
        nodes = getattr(answer, f"{kind}s")
        page_ids.append([node.id for node in nodes])
        sizes.append(sum(node.ByteSize() for node in nodes))
        token = answer.next_page_token
    return page_ids, sizes


@pytest.mark.parametrize(
    ("size", "count"), [(8_389_000, 1), (8_400, 1000), (500_000, 40), (11_900_000, 2)]
)
def test_what_a_packet_could_not_hold_twice_is_stored(call, size, count):
    type_id = call.type("execution")
    ids = call.put("execution", *[with_text(type_id, size)] * count)
    assert len(set(ids)) == count
    nodes = call.get("execution", ids[0], ids[-1])
    assert {len(node.custom_properties["c"].string_value) for node in nodes} == {size}


@pytest.mark.parametrize("character", ["'", "\\", "\x00", "é", "\U0001f600", '"', "\n", "\x1a"])
def test_texts_whose_characters_are_escaped_are_stored_and_found(call, character):
    text = "y" * 255 + character * (MAX_NODE_BYTES // len(character.encode()) - 1_000)
    properties = {"custom_properties": {"c": text}}
    [node_id] = call.put("artifact", {"type_id": call.type(), **properties})
    [node] = call.get("artifact", node_id)
    assert node.custom_properties["c"].string_value == text
    where = "custom_properties.c.string_value != 'x'"
    answer = call("GetArtifacts", options={"max_result_size": 1, "filter_query": where})
    assert [artifact.id for artifact in answer.artifacts] == [node_id]


def test_a_node_that_is_too_large_is_refused_by_field_and_size(call, kind):
    type_id = call.type(kind)
    with call.refused(errors.InvalidArgument) as caught:
        nodes = [{"type_id": type_id, "name": "small"}, with_text(type_id, 13 * MB, name="large")]
        call.put(kind, *nodes)
    text = str(caught.value)
    assert f"{kind}s[1] has 130000" in text
    assert str(MAX_NODE_BYTES) in text
    assert "custom_properties['c'] has 130000" in text


def test_the_uri_of_an_artifact_counts_twice(call):
    type_id = call.type()
    with call.refused(errors.InvalidArgument, "artifacts.0. has 1400"):
        call.put("artifact", {"type_id": type_id, "uri": "u" * 7 * MB})
    [node_id] = call.put("artifact", {"type_id": type_id, "uri": "u" * 5 * MB})
    answer = call("GetArtifactsByURI", uris=["u" * 5 * MB])
    assert [node.id for node in answer.artifacts] == [node_id]


def test_a_node_can_not_grow_beyond_the_bound(call, kind):
    type_id = call.type(kind)
    [node_id] = call.put(kind, with_text(type_id, 9 * MB, name="n"))
    for name in ("second", "third"):
        grown = {"id": node_id, "type_id": type_id, "custom_properties": {name: "y" * 2 * MB}}
        mask = {"paths": [f"custom_properties.{name}"]}
        if name == "second":
            call.put(kind, grown, update_mask=mask)
        else:
            with call.refused(errors.InvalidArgument, f"{kind}s.0. has 1300"):
                call.put(kind, grown, update_mask=mask)
    [node] = call.get(kind, node_id)
    assert sorted(node.custom_properties) == ["c", "second"]


def test_types_and_events_have_the_same_bound(call):
    with call.refused(errors.InvalidArgument, "artifact_type has 1300"):
        call.type(description="d" * 13 * MB)
    artifact, execution = call.pair()
    event = {"artifact_id": artifact, "execution_id": execution, "type": pb.Event.INPUT}
    with call.refused(errors.InvalidArgument, "events.0. has 1400"):
        call("PutEvents", events=[{**event, "path": {"steps": [{"key": "k" * 7 * MB}]}}])
    call("PutEvents", events=[{**event, "path": {"steps": [{"key": "k" * 5 * MB}]}}])


def test_a_step_that_is_too_large_leaves_the_others_alone(call):
    def step(key, size):
        execution = {"type": "E", "custom_properties": {"c": "y" * size}}
        return {"key": key, "execution": execution, "create_types": True}

    steps = [step("a", 10), step("b", 13 * MB), step("c", 10)]
    results = call("RecordSteps", steps=steps).results
    assert [result.error_reason for result in results] == ["", "INVALID_ARGUMENT", ""]
    assert "steps[1].execution has 1300" in results[1].error_message


def test_pages_end_by_their_bytes(call, kind):
    type_id = call.type(kind)
    sizes = [10, 5 * MB, 10, 10, 1_500_000, 1_500_000, 1_500_000, 4 * MB, 4 * MB, 10]
    ids = [call.put(kind, with_text(type_id, s, name=f"n{i}"))[0] for i, s in enumerate(sizes)]
    all_pages, page_bytes = ids_of(call, kind)
    assert [i for page in all_pages for i in page] == ids
    assert all(
        len(page) == 1 or size <= PAGE_BYTES
        for page, size in zip(all_pages, page_bytes, strict=True)
    )
    assert [len(page) for page in all_pages] == [1, 1, 4, 1, 1, 1, 1]
    where, descending = "name != 'n3'", {**ID, "is_asc": False}
    all_pages, _ = ids_of(call, kind, filter_query=where, order_by_field=descending)
    assert [i for page in all_pages for i in page] == [i for i in ids[::-1] if i != ids[3]]


def test_all_of_a_listing_comes_whole(call, kind):
    type_id = call.type(kind)
    small = call.put(kind, *({"type_id": type_id, "name": f"s{i}"} for i in range(2_300)))
    large = [call.put(kind, with_text(type_id, 40_000, name=f"n{i}"))[0] for i in range(3)]
    answer = call(f"Get{kind.title()}s")
    assert [node.id for node in getattr(answer, f"{kind}s")] == small + large


def test_large_nodes_are_read_in_every_way(call):
    artifact_type, context_type = call.type(), call.type("context")
    large = {"external_id": "x", "uri": "u", "name": "n"}
    ids = call.put("artifact", {"type_id": artifact_type}, with_text(artifact_type, MB, **large))
    parent, child = (
        call.put("context", with_text(context_type, MB, name=name))[0] for name in "pc"
    )
    tie = [{"context_id": child, "artifact_id": i} for i in ids]
    call("PutAttributionsAndAssociations", attributions=tie)
    call("PutParentContexts", parent_contexts=[{"child_id": child, "parent_id": parent}])
    assert [len(n.custom_properties) for n in call.get("artifact", *ids)] == [0, 1]
    for method, fields in (
        ("GetArtifactsByURI", {"uris": ["u"]}),
        ("GetArtifactsByExternalIds", {"external_ids": ["x"]}),
        ("GetArtifactsByContext", {"context_id": child}),
        ("GetArtifactsByType", {"type_name": "T"}),
    ):
        assert call(method, **fields).artifacts[-1].ByteSize() > MB
    for method, fields in (
        ("GetContextsByArtifact", {"artifact_id": ids[0]}),
        ("GetParentContextsByContext", {"context_id": child}),
        ("GetChildrenContextsByContext", {"context_id": parent}),
    ):
        assert [context.ByteSize() > MB for context in call(method, **fields).contexts] == [True]


def test_a_trace_of_large_nodes_comes_in_parts(call):
    artifact_type, execution_type = call.type(), call.type("execution")
    [execution] = call.put("execution", {"type_id": execution_type})
    sizes = [3 * MB] * 5 + [10] * 3
    ids = [call.put("artifact", with_text(artifact_type, size))[0] for size in sizes]
    event = {"execution_id": execution, "type": pb.Event.OUTPUT}
    call("PutEvents", events=[{"artifact_id": i, **event} for i in ids])
    walk = {"start": {"kind": 2, "ids": {"ids": [execution]}}, "direction": 2}
    parts = call.stream("Trace", walk=walk)
    assert sorted(node.id for part in parts for node in part.artifacts) == ids
    assert max(len(part.artifacts) for part in parts if part.ByteSize() > 2 * MB) == 1
    assert parts[-1].verdict.complete


def test_look_ups_by_texts_of_any_length(call, kind):
    type_id = call.type(kind)
    ids = call.put(kind, {"type_id": type_id, "name": "n", "external_id": "x"})
    unknown = [str(i) * 600_000 for i in range(5)]
    answer = call(f"Get{kind.title()}sByExternalIds", external_ids=[*unknown, "x"])
    assert [node.id for node in getattr(answer, f"{kind}s")] == ids


def test_pages_of_cache_entries_end_by_their_bytes(call):
    sizes = [10, 4 * MB, 10, 2 * MB, 2 * MB, 10]
    for at, size in enumerate(sizes):
        cache = {"digest": key(str(at)), "components": [{"name": "c", "value": "y" * size}]}
        record(call, f"step {at}", cache=cache)
    pages, token = [], ""
    while not pages or token:
        answer = call("ListEntries", max_result_size=100, page_token=token)
        pages.append([len(entry.components[0].value) for entry in answer.entries])
        token = answer.next_page_token
    assert pages == [[10, 2 * MB], [2 * MB, 10], [4 * MB], [10]]
    selection = {"digests": [key(str(at)) for at in range(len(sizes))]}
    answer = call("ListEntries", max_result_size=100, entries=selection)
    assert [len(entry.components[0].value) for entry in answer.entries] == [10, 2 * MB]
    assert answer.next_page_token


def test_an_entry_has_the_bound_of_a_node(call):
    cache = {"digest": KEY, "components": [{"name": "c", "value": "y" * 13 * MB}]}
    with call.refused(errors.InvalidArgument, "step.cache has 1300"):
        record(call, "step", cache=cache)
