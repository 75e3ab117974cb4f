"""LineageService: Trace."""

import time

import pytest

from lineage_store import errors
from lineage_store.v1 import lineage_pb2
from tests.conformance.diamond_walks import (
    ARTIFACT,
    BOTH,
    DOWNSTREAM,
    EXECUTION,
    INPUT,
    OUTPUT,
    UPSTREAM,
    edges,
    event,
    names,
    start,
    trace,
)

Reason = lineage_pb2.Verdict.Reason


def test_upstream(diamond):
    parts = trace(diamond, 4, direction=UPSTREAM)
    assert names(parts) == "a4 | e2 e3 | a2 a3 | e1 | a1"
    verdict = parts[-1].verdict
    assert (verdict.complete, verdict.node_count, verdict.event_count) == (True, 7, 7)
    assert not verdict.HasField("reason")
    assert not verdict.resume_token
    assert len(edges(parts)) == len(set(edges(parts))) == 7


def test_other_directions_and_starts(diamond):
    assert names(trace(diamond, 1, direction=DOWNSTREAM)) == "a1 | e1 | a2 a3 | e2 e3 | a4"
    assert names(trace(diamond, 2, direction=DOWNSTREAM)) == "a2 | e2 | a4"
    assert names(trace(diamond, 2)) == "a2 | e1 e2 | a1 a3 a4 | e3"
    assert (
        names(trace(diamond, 2, 3, kind=EXECUTION, direction=UPSTREAM)) == "e2 e3 | a2 a3 | e1 | a1"
    )


def test_nodes_and_events_come_as_they_are_stored(diamond):
    parts = trace(diamond, 4, direction=UPSTREAM, max_hops=1)
    assert list(parts[0].artifacts) == diamond.get("artifact", 4)
    assert list(parts[1].executions) == diamond.get("execution", 2, 3)
    stored = diamond("GetEventsByArtifactIDs", artifact_ids=[4]).events
    assert list(parts[1].events) == list(stored)
    ids_only = trace(diamond, 4, direction=UPSTREAM, ids_only=True)
    assert names(ids_only) == names(trace(diamond, 4, direction=UPSTREAM))
    assert [field.name for field, _ in ids_only[0].artifacts[0].ListFields()] == ["id"]


@pytest.mark.parametrize(
    ("selection", "nodes"),
    [
        ({"kind": ARTIFACT, "named": {"type": "Data", "name": "a3"}}, "a3"),
        ({"kind": ARTIFACT, "named": {"type": "Data"}}, "a1 a2 a3"),
        ({"kind": EXECUTION, "named": {"type": "Train"}}, "e2 e3"),
        ({"kind": ARTIFACT, "uri": "u"}, "a1 a2 a3 a4"),
        ({"kind": EXECUTION, "filter_query": "name != 'e2'"}, "e1 e3"),
        (start(3, 1, 3), "a1 a3"),
    ],
)
def test_ways_to_say_where_to_start(diamond, selection, nodes):
    assert names(trace(diamond, start=selection, max_hops=0)) == nodes


@pytest.mark.parametrize(
    ("options", "nodes"),
    [
        ({"event_types": [INPUT, OUTPUT]}, "a4 | e2 e3 | a2 | e1 | a1"),
        ({"execution_types": ["Train"]}, "a4 | e2 e3 | a2 a3"),
        ({"artifact_types": ["Data"], "execution_types": ["Step"]}, "a4"),
        ({"artifact_types": ["Model"]}, "a4 | e2 e3"),
        ({"ending_executions": {"filter_query": "name = 'e2'"}}, "a4 | e3 | a3 | e1 | a1"),
        (
            {"ending_artifacts": {"filter_query": "uri = 'u'", "include_ending_nodes": True}},
            "a4",
        ),
    ],
)
def test_where_a_walk_may_go(diamond, options, nodes):
    parts = trace(diamond, 4, direction=UPSTREAM, **options)
    assert names(parts) == nodes
    assert parts[-1].verdict.complete


def test_ending_nodes_are_answered_if_asked_for(diamond):
    ending = {"filter_query": "name = 'e2'", "include_ending_nodes": True}
    parts = trace(
        diamond, 4, direction=UPSTREAM, ending_executions=ending, event_types=[INPUT, OUTPUT]
    )
    assert names(parts) == "a4 | e2 e3"
    assert edges(parts) == [(4, 2, OUTPUT), (4, 3, OUTPUT)]


def test_as_of(diamond):
    parts = trace(diamond, 4, direction=UPSTREAM, as_of={"happened_by_milliseconds": 5})
    assert names(parts) == "a4 | e2 | a2 | e1 | a1"
    with pytest.raises(errors.NotFound, match=r"not known then: artifact 4; the first .* is of 20"):
        trace(diamond, 4, direction=UPSTREAM, as_of={"recorded_by_microseconds": 5})
    for bound in ({"happened_by_milliseconds": -(10**18)}, {"recorded_by_microseconds": -(2**63)}):
        with pytest.raises(errors.NotFound, match="not known then"):
            trace(diamond, 4, direction=UPSTREAM, as_of=bound)
    later = time.time_ns() // 1000 + 60_000_000
    parts = trace(diamond, 4, direction=UPSTREAM, as_of={"recorded_by_microseconds": later})
    assert len(edges(parts)) == 7


@pytest.mark.parametrize(
    ("hops", "frontier", "is_complete"),
    [(0, ([4], []), False), (1, ([], [2, 3]), False), (3, ([], [1]), False), (4, ([], []), True)],
)
def test_hops(diamond, hops, frontier, is_complete):
    verdict = trace(diamond, 4, direction=UPSTREAM, max_hops=hops)[-1].verdict
    assert verdict.complete == is_complete
    assert verdict.HasField("reason") != is_complete
    assert is_complete or verdict.reason == Reason.Value("MAX_HOPS")
    assert (list(verdict.frontier_artifact_ids), list(verdict.frontier_execution_ids)) == frontier


def test_the_frontier_leaves_out_where_nothing_follows(diamond):
    """Both ways, the event that a node was reached by does not lead on."""
    verdict = trace(diamond, 1, 4, direction=BOTH, max_hops=2)[-1].verdict
    assert verdict.complete
    verdict = trace(diamond, 1, direction=BOTH, max_hops=3)[-1].verdict
    assert not verdict.complete
    verdict = trace(diamond, 1, direction=BOTH, max_hops=4)[-1].verdict
    assert verdict.complete


def test_more_hops_than_before(diamond):
    first = trace(diamond, 4, direction=UPSTREAM, max_hops=1)
    token = first[-1].verdict.resume_token
    second = trace(diamond, 4, direction=UPSTREAM, max_hops=3, token=token)
    third = trace(diamond, 4, direction=UPSTREAM, token=second[-1].verdict.resume_token)
    assert (names(first), names(second), names(third)) == ("a4 | e2 e3", "a2 a3 | e1", "a1")
    assert third[-1].verdict.complete
    assert third[-1].verdict.node_count == third[-1].verdict.event_count == 7
    assert len(edges([*first, *second, *third])) == 7


def test_a_budget_of_nodes(diamond):
    parts = trace(diamond, 4, direction=UPSTREAM, budget={"max_nodes": 2})
    verdict = parts[-1].verdict
    assert names(parts) == "a4 | e2"
    assert verdict.reason == Reason.Value("MAX_NODES")
    assert list(verdict.frontier_artifact_ids) == [4]
    assert list(verdict.frontier_execution_ids) == [2]
    assert trace(diamond, 4, direction=UPSTREAM, budget={"max_nodes": 7})[-1].verdict.complete


@pytest.mark.parametrize(
    ("budget", "reason"), [({"max_bytes": 1}, "MAX_BYTES"), ({"max_milliseconds": 1}, "MAX_TIME")]
)
def test_budgets_of_bytes_and_time_let_every_request_make_progress(diamond, budget, reason):
    token, page_parts, reasons = None, [], []
    for _ in range(20):
        parts = trace(diamond, 4, direction=UPSTREAM, budget=budget, token=token)
        page_parts += parts[:-1]
        verdict = parts[-1].verdict
        if verdict.complete:
            break
        reasons.append(verdict.reason)
        assert len(parts) > 1
        token = verdict.resume_token
    assert names([*page_parts, None]) == "a4 | e2 e3 | a2 a3 | e1 | a1"
    assert len(edges(page_parts)) == 7
    if reason == "MAX_BYTES":  # how far a millisecond gets is up to the machine
        assert set(reasons) == {Reason.Value(reason)}


def test_large_answers_come_in_parts(call):
    t = call.type()
    big = [{"type_id": t, "uri": f"{i}" * 30_000} for i in range(100)]
    ids = call.put("artifact", *big, *[{"type_id": t}] * 1_000)
    [e] = call.put("execution", {"type_id": call.type("execution")})
    call("PutEvents", events=[event(i, e, INPUT) for i in ids])
    parts = trace(call, e, kind=EXECUTION)
    assert max(part.ByteSize() for part in parts) < 1_100_000
    assert max(len(part.artifacts) for part in parts) <= 500
    assert sorted(node.id for part in parts for node in part.artifacts) == ids
    assert len(edges(parts)) == 1_100


@pytest.mark.parametrize(
    ("request_fields", "match"),
    [
        ({}, "walk must be set"),
        ({"walk": {}}, "walk.start must be set"),
        ({"walk": {"start": {"ids": {"ids": [1]}}}}, "walk.start.kind"),
        ({"walk": {"start": {"kind": ARTIFACT}}}, "walk.start must have ids"),
        ({"walk": {"start": start()}}, "walk.start.ids.ids must not be empty"),
        ({"walk": {"start": {"kind": EXECUTION, "uri": "u"}}}, "only artifacts have a uri"),
        ({"walk": {"start": {"kind": ARTIFACT, "named": {"name": "n"}}}}, "named.type must be set"),
        ({"walk": {"start": {"kind": ARTIFACT, "filter_query": ""}}}, "must not be empty"),
        ({"walk": {"start": {"kind": ARTIFACT, "filter_query": "%"}}}, "walk.start.filter_query"),
        ({"walk": {"start": start(1), "max_hops": -1}}, "walk.max_hops"),
        ({"walk": {"start": start(1), "event_types": [0]}}, "walk.event_types"),
        ({"walk": {"start": start(1), "artifact_types": [""]}}, "walk.artifact_types"),
        ({"walk": {"start": start(1), "as_of": {}}}, "walk.as_of"),
        ({"walk": {"start": start(1), "ending_artifacts": {}}}, "ending_artifacts.filter_query"),
        ({"walk": {"start": start(1)}, "budget": {"max_nodes": 0}}, "budget.max_nodes"),
        ({"walk": {"start": start(1)}, "budget": {"max_bytes": -1}}, "budget.max_bytes"),
    ],
)
def test_malformed_walks(diamond, request_fields, match):
    for method in ("Trace", "Summarize"):
        with diamond.refused(errors.InvalidArgument, match):
            (diamond.stream if method == "Trace" else diamond)(method, **request_fields)


def test_unknown_numbers_of_enumerations(diamond):
    for unknown, field in ((b"\x10\x63", "direction"), (b"\x30\x63", "event_types")):
        request = lineage_pb2.TraceRequest()
        request.walk.start.kind = ARTIFACT
        request.walk.start.ids.ids.append(1)
        request.walk.MergeFromString(unknown)
        with diamond.refused(errors.InvalidArgument, f"walk.{field} is not one of"):
            list(diamond.transport.stream("Trace", request))


@pytest.mark.parametrize(
    ("selection", "match"),
    [
        (start(1, 99, -5), "no artifact -5, 99"),
        (start(*range(100, 200)), "and 90 more"),
        (start(9, kind=EXECUTION), "no execution 9"),
        ({"kind": ARTIFACT, "uri": "nowhere"}, "nowhere"),
        ({"kind": ARTIFACT, "named": {"type": "None"}}, "None"),
        ({"kind": ARTIFACT, "named": {"type": "Data", "type_version": "2"}}, "Data"),
        ({"kind": ARTIFACT, "named": {"type": "Data", "name": "a4"}}, "a4"),
        ({"kind": ARTIFACT, "filter_query": "name = 'nope'"}, "no artifact matches"),
    ],
)
def test_nothing_to_start_from(diamond, selection, match):
    with diamond.refused(errors.NotFound, match):
        trace(diamond, start=selection)
    with diamond.refused(errors.NotFound, match):
        diamond("Summarize", walk={"start": selection})
