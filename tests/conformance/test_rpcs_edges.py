"""Events, attributions, associations and parent contexts."""

import time

import pytest

from lineage_store import errors
from lineage_store.v1 import metadata_pb2 as pb

INPUT, OUTPUT = pb.Event.INPUT, pb.Event.OUTPUT


@pytest.fixture
def ends(call):
    """An artifact and an execution, as fields of an event."""
    artifact, execution = call.pair()
    return {"artifact_id": artifact, "execution_id": execution}


def put_events(call, *events):
    call("PutEvents", events=events)


def events_of(call, *ids, by="artifact"):
    return list(call(f"GetEventsBy{by.title()}IDs", **{f"{by}_ids": ids}).events)


def test_an_event_reads_back_as_sent_by_either_end(call, ends):
    steps = [{"index": 0}, {"key": "k"}, {"index": -5}, {"key": ""}]
    event = {**ends, "type": INPUT, "milliseconds_since_epoch": 7, "path": {"steps": steps}}
    put_events(call, event)
    [stored] = events_of(call, ends["artifact_id"])
    assert events_of(call, ends["execution_id"], by="execution") == [stored]
    assert (stored.type, stored.milliseconds_since_epoch) == (INPUT, 7)
    assert [(s.WhichOneof("value"), s.index, s.key) for s in stored.path.steps] == [
        ("index", 0, ""),
        ("key", 0, "k"),
        ("index", -5, ""),
        ("key", 0, ""),
    ]


def test_steps_without_value_are_dropped_and_an_empty_path_is_none(call, ends):
    put_events(
        call,
        {**ends, "type": INPUT, "path": {"steps": [{}, {"index": 1}]}},
        {**ends, "type": OUTPUT, "path": {"steps": [{}]}},
    )
    first, second = events_of(call, ends["artifact_id"])
    assert [step.index for step in first.path.steps] == [1]
    assert not second.HasField("path")


def test_the_time_of_an_event(call, ends):
    put_events(
        call, {**ends, "type": INPUT}, {**ends, "type": OUTPUT, "milliseconds_since_epoch": 0}
    )
    put_events(call, {**ends, "type": 1, "milliseconds_since_epoch": -5})
    now, zero, negative = events_of(call, ends["artifact_id"])
    assert abs(now.milliseconds_since_epoch - time.time() * 1000) < 60_000
    assert (zero.milliseconds_since_epoch, negative.milliseconds_since_epoch) == (0, -5)


@pytest.mark.parametrize("left_out", ["artifact_id", "execution_id", "type"])
def test_what_an_event_must_have(call, ends, left_out):
    event = {**ends, "type": INPUT}
    put_events(call, event)
    del event[left_out]
    with call.refused(errors.InvalidArgument, match=left_out):
        put_events(call, {**ends, "type": OUTPUT}, event)


@pytest.mark.parametrize("end", ["artifact_id", "execution_id"])
@pytest.mark.parametrize("unknown", [999, 0, -1])
def test_the_ends_must_exist(call, ends, end, unknown):
    with call.refused(errors.InvalidArgument, match=end):
        put_events(call, {**ends, "type": OUTPUT}, {**ends, "type": INPUT, end: unknown})


def test_type_unknown_is_refused(call, ends):
    with call.refused(errors.InvalidArgument):
        put_events(call, {**ends, "type": pb.Event.UNKNOWN})


def test_a_duplicate_fails_the_whole_request(call, ends):
    event = {**ends, "type": INPUT}
    put_events(call, event)
    other = {**ends, "type": OUTPUT}
    with call.refused(errors.AlreadyExists):
        put_events(call, other, {**event, "milliseconds_since_epoch": 9, "path": {}})
    with call.refused(errors.AlreadyExists):  # within one request
        put_events(call, other, other)
    put_events(call, other)


def test_all_seven_types_between_one_pair(call, ends):
    put_events(call, *({**ends, "type": number} for number in range(7, 0, -1)))
    assert [e.type for e in events_of(call, ends["artifact_id"])] == [7, 6, 5, 4, 3, 2, 1]


def test_events_come_by_the_queried_id_then_as_recorded(call):
    artifacts = call.put("artifact", *[{"type_id": call.type()}] * 3)
    executions = call.put("execution", *[{"type_id": call.type("execution")}] * 2)
    order = [(2, 1), (0, 1), (2, 0), (0, 0), (1, 1)]
    for a, e in order:
        put_events(
            call, {"artifact_id": artifacts[a], "execution_id": executions[e], "type": INPUT}
        )

    def pairs(events):
        return [(artifacts.index(e.artifact_id), executions.index(e.execution_id)) for e in events]

    by_artifact = events_of(call, *reversed(artifacts), 999, artifacts[0])
    assert pairs(by_artifact) == [(0, 1), (0, 0), (1, 1), (2, 1), (2, 0)]
    by_execution = events_of(call, *reversed(executions), by="execution")
    assert pairs(by_execution) == [(2, 0), (0, 0), (2, 1), (0, 1), (1, 1)]
    assert events_of(call) == events_of(call, 999) == []


def test_events_leave_the_nodes_as_they_are(call, ends):
    before = call.get("artifact", 1), call.get("execution", 1)
    put_events(call, {**ends, "type": INPUT})
    assert (call.get("artifact", 1), call.get("execution", 1)) == before


def tie(call, context, artifacts=(), executions=()):
    call(
        "PutAttributionsAndAssociations",
        attributions=[{"context_id": context, "artifact_id": i} for i in artifacts],
        associations=[{"context_id": context, "execution_id": i} for i in executions],
    )


def members(call, kind, context):
    nodes = getattr(call(f"Get{kind.title()}sByContext", context_id=context), f"{kind}s")
    return [node.id for node in nodes]


def test_membership_is_read_from_both_sides(call):
    artifact, execution = call.pair()
    a, b = call.contexts("a", "b")
    tie(call, b, [artifact], [execution])
    tie(call, a, [artifact])
    contexts = call("GetContextsByArtifact", artifact_id=artifact).contexts
    assert [context.name for context in contexts] == ["a", "b"]
    contexts = call("GetContextsByExecution", execution_id=execution).contexts
    assert [context.name for context in contexts] == ["b"]
    assert members(call, "artifact", a) == members(call, "artifact", b) == [artifact]
    assert (members(call, "execution", a), members(call, "execution", b)) == ([], [execution])


def test_an_edge_twice_is_no_error(call):
    artifact, execution = call.pair()
    [context] = call.contexts("c")
    for _ in range(2):
        tie(call, context, [artifact, artifact], [execution, execution])
    assert len(call.contents()["attributions"]) == len(call.contents()["associations"]) == 1


@pytest.mark.parametrize(
    "edges",
    [
        {
            "attributions": [
                {"context_id": 1, "artifact_id": 1},
                {"context_id": 9, "artifact_id": 1},
            ]
        },
        {"attributions": [{"context_id": 1, "artifact_id": 9}]},
        {"attributions": [{"artifact_id": 1}]},
        {"attributions": [{"context_id": 1}]},
        {"associations": [{"context_id": 9, "execution_id": 1}]},
        {"associations": [{"context_id": 1, "execution_id": 9}]},
        {"associations": [{"context_id": 1}]},
    ],
)
def test_both_ends_of_a_membership_must_exist(call, edges):
    assert (*call.pair(), *call.contexts("c")) == (1, 1, 1)
    with call.refused(errors.InvalidArgument):
        call("PutAttributionsAndAssociations", **edges)


def test_who_is_in_no_context_is_not_found(call):
    artifact, execution = call.pair()
    for kind, node in (("artifact", artifact), ("execution", execution)):
        method = f"GetContextsBy{kind.title()}"
        for ids in ({f"{kind}_id": node}, {f"{kind}_id": 999}, {}):
            with call.refused(errors.NotFound):
                call(method, **ids)


def test_an_unknown_or_empty_context_has_no_members(call):
    [context] = call.contexts("c")
    for kind in ("artifact", "execution"):
        assert members(call, kind, context) == members(call, kind, 999) == []


def put_parents(call, *edges):
    call("PutParentContexts", parent_contexts=[{"child_id": c, "parent_id": p} for c, p in edges])


def relatives(call, relation, context):
    return [c.id for c in call(f"Get{relation}ContextsByContext", context_id=context).contexts]


def test_diamonds_and_shortcuts_are_allowed(call):
    top, left, right, bottom = call.contexts("top", "left", "right", "bottom")
    put_parents(call, (left, top), (right, top), (bottom, right), (bottom, left), (bottom, top))
    assert relatives(call, "Parent", bottom) == [top, left, right]
    assert relatives(call, "Children", top) == [left, right, bottom]
    assert relatives(call, "Parent", top) == relatives(call, "Children", bottom) == []
    assert relatives(call, "Parent", 999) == relatives(call, "Children", 999) == []


@pytest.mark.parametrize(
    "edges",
    [[(1, 1)], [(2, 1)], [(3, 1)], [(1, 2), (2, 1)], [(1, 2), (2, 3)], [(1, 9)], [(9, 1)]],
    ids=["self", "back", "far back", "both ways", "two at once", "no parent", "no child"],
)
def test_cycles_and_unknown_contexts_are_refused(call, edges):
    assert call.contexts("a", "b", "c") == [1, 2, 3]
    if edges not in ([(1, 2), (2, 1)], [(1, 2), (2, 3)]):
        put_parents(call, (1, 2), (2, 3))
    else:
        put_parents(call, (3, 1))
    with call.refused(errors.InvalidArgument):
        put_parents(call, *edges)


def test_a_parent_twice_is_refused(call):
    a, b, c = call.contexts("a", "b", "c")
    put_parents(call, (a, b))
    with call.refused(errors.AlreadyExists):
        put_parents(call, (c, b), (a, b))
    with call.refused(errors.AlreadyExists):
        put_parents(call, (c, b), (c, b))


@pytest.mark.parametrize("edge", [{"child_id": 1}, {"parent_id": 1}])
def test_a_parent_edge_needs_both_ends(call, edge):
    call.contexts("a")
    with call.refused(errors.InvalidArgument):
        call("PutParentContexts", parent_contexts=[edge])


def test_parents_and_children_of_many_contexts(call):
    top, left, right, alone = call.contexts("top", "left", "right", "alone")
    put_parents(call, (left, top), (right, top), (right, left))

    def many(relation, field, *ids):
        answers = call(f"Get{relation}ContextsByContexts", context_ids=ids).contexts
        return {key: [c.name for c in getattr(value, field)] for key, value in answers.items()}

    assert many("Parent", "parent_contexts", left, right, top, alone, 999, left) == {
        left: ["top"],
        right: ["top", "left"],
    }
    assert many("Children", "children_contexts", left, right, top, alone) == {
        left: ["right"],
        top: ["left", "right"],
    }
    for relation in ("Parent", "Children"):
        with call.refused(errors.InvalidArgument):
            call(f"Get{relation}ContextsByContexts")


def test_empty_requests_are_fine_and_write_nothing(call):
    before = call.contents()
    for method in ("PutEvents", "PutAttributionsAndAssociations", "PutParentContexts"):
        call(method)
    assert call.contents() == before
