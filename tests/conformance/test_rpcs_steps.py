"""PutExecution and PutLineageSubgraph: nodes, events and contexts in one call."""

import pytest

from lineage_store import errors
from lineage_store.v1 import metadata_pb2 as pb

INPUT, OUTPUT = pb.Event.INPUT, pb.Event.OUTPUT


@pytest.fixture
def types(call):
    """The ids of an artifact, an execution and a context type."""
    return [call.type(kind) for kind in ("artifact", "execution", "context")]


def step(call, execution, pairs=(), contexts=(), **options):
    answer = call(
        "PutExecution",
        execution=execution,
        artifact_event_pairs=pairs,
        contexts=contexts,
        options=options,
    )
    return answer.execution_id, list(answer.artifact_ids), list(answer.context_ids)


def members(call, kind, context):
    nodes = getattr(call(f"Get{kind.title()}sByContext", context_id=context), f"{kind}s")
    return [node.id for node in nodes]


def events(call, execution):
    stored_events = call("GetEventsByExecutionIDs", execution_ids=[execution]).events
    return [(event.artifact_id, event.type) for event in stored_events]


def test_a_whole_step(call, types):
    a, e, c = types
    [stored_id] = call.put("artifact", {"type_id": a, "uri": "known"})
    execution, artifacts, contexts = step(
        call,
        {"type_id": e},
        [
            {"event": {"artifact_id": stored_id, "type": INPUT}},
            {"artifact": {"type_id": a, "uri": "new"}, "event": {"type": OUTPUT}},
            {"artifact": {"type_id": a, "uri": "no event"}},
            {},
        ],
        [{"type_id": c, "name": "run"}, {"type_id": c, "name": "pipeline"}],
    )
    assert artifacts[0] == stored_id
    assert artifacts[3] == -1
    assert [node.uri for node in call.get("artifact", *artifacts[:3])] == [
        "known",
        "new",
        "no event",
    ]
    assert events(call, execution) == [(stored_id, INPUT), (artifacts[1], OUTPUT)]
    for context in contexts:
        assert members(call, "artifact", context) == artifacts[:3]
        assert members(call, "execution", context) == [execution]


def test_a_second_call_completes_the_step(call, types):
    a, e, _ = types
    execution, [artifact], _ = step(call, {"type_id": e}, [{"artifact": {"type_id": a}}])
    completed = {"id": execution, "last_known_state": pb.Execution.COMPLETE}
    event = {"execution_id": execution, "artifact_id": artifact, "type": OUTPUT}
    assert step(call, completed, [{"artifact": {"id": artifact, "uri": "u"}, "event": event}]) == (
        execution,
        [artifact],
        [],
    )
    assert call.get("execution", execution)[0].last_known_state == pb.Execution.COMPLETE
    assert call.get("artifact", artifact)[0].uri == "u"


def test_a_step_needs_an_execution(call):
    with call.refused(errors.InvalidArgument):
        call("PutExecution")


@pytest.mark.parametrize(
    ("pair", "error"),
    [
        ({"event": {"type": INPUT}}, errors.InvalidArgument),
        ({"event": {"type": INPUT, "artifact_id": 999}}, errors.InvalidArgument),
        ({"event": {"type": INPUT, "artifact_id": 1, "execution_id": 5}}, errors.InvalidArgument),
        ({"event": {"artifact_id": 1}}, errors.InvalidArgument),
        ({"artifact": {}, "event": {"type": INPUT}}, errors.InvalidArgument),
        ({"artifact": {"id": 1}, "event": {"type": 3, "artifact_id": 2}}, errors.InvalidArgument),
        ({"artifact": {"id": 999}}, errors.InvalidArgument),
        ({"artifact": {"type_id": 999}}, errors.NotFound),
    ],
)
def test_a_bad_pair_fails_the_whole_step(call, types, pair, error):
    a, e, c = types
    call.put("artifact", {"type_id": a}, {"type_id": a})
    good = {"artifact": {"type_id": a}, "event": {"type": OUTPUT}}
    with call.refused(error):
        step(call, {"type_id": e}, [good, pair], [{"type_id": c, "name": "run"}])


def test_a_duplicate_event_fails_the_whole_step(call, types):
    a, e, c = types
    [stored_id] = call.put("artifact", {"type_id": a})
    pair = {"event": {"artifact_id": stored_id, "type": INPUT}}
    with call.refused(errors.AlreadyExists):
        step(call, {"type_id": e}, [pair, pair], [{"type_id": c, "name": "run"}])
    execution, _, _ = step(call, {"type_id": e}, [pair])
    with call.refused(errors.AlreadyExists):
        step(call, {"id": execution}, [pair])


def test_an_input_given_by_its_id_alone_is_erased(call, types):
    a, e, _ = types
    [stored_id] = call.put("artifact", {"type_id": a, "uri": "u", "custom_properties": {"c": 1}})
    step(call, {"type_id": e}, [{"artifact": {"id": stored_id}}])
    [stored] = call.get("artifact", stored_id)
    assert (stored.uri, len(stored.custom_properties)) == ("", 0)


def test_artifacts_are_reused_by_external_id(call, types):
    a, e, _ = types
    artifact = {"type_id": a, "external_id": "x", "uri": "new"}
    [stored_id] = call.put("artifact", {**artifact, "uri": "old"})
    with call.refused(errors.AlreadyExists):
        step(call, {"type_id": e}, [{"artifact": artifact}])
    reuse = {"reuse_artifact_if_already_exist_by_external_id": True}
    _, ids, _ = step(call, {"type_id": e}, [{"artifact": artifact}], **reuse)
    assert ids == [stored_id]
    assert call.get("artifact", stored_id)[0].uri == "new"


def test_contexts_are_reused_by_name_and_left_as_they_are(call, types):
    _, e, c = types
    [stored_id] = call.put("context", {"type_id": c, "name": "run", "custom_properties": {"k": 1}})
    context = {"type_id": c, "name": "run", "properties": {"undeclared": 1}}
    with call.refused(errors.InvalidArgument):
        step(call, {"type_id": e}, contexts=[context])
    with call.refused(errors.AlreadyExists):
        step(call, {"type_id": e}, contexts=[{"type_id": c, "name": "run"}])
    reuse = {"reuse_context_if_already_exist": True}
    assert step(call, {"type_id": e}, contexts=[context], **reuse)[2] == [stored_id]
    assert call.get("context", stored_id)[0].custom_properties["k"].int_value == 1


def test_two_equal_new_contexts(call, types):
    _, e, c = types
    twice = [{"type_id": c, "name": "run"}] * 2
    with call.refused(errors.AlreadyExists):
        step(call, {"type_id": e}, contexts=twice)
    _, _, ids = step(call, {"type_id": e}, contexts=twice, reuse_context_if_already_exist=True)
    assert ids[0] == ids[1]


def test_contexts_by_id(call, types):
    _, e, c = types
    [stored_id] = call.put("context", {"type_id": c, "name": "run"})
    for incomplete in ({"name": "run"}, {"type_id": c}, {"type_id": c, "name": ""}):
        with call.refused(errors.InvalidArgument):
            step(call, {"type_id": e}, contexts=[{"id": stored_id, **incomplete}])
    step(call, {"type_id": e}, contexts=[{"id": stored_id, "type_id": c, "name": "renamed"}])
    assert call.get("context", stored_id)[0].name == "renamed"
    ignored = {"id": stored_id, "name": "ignored", "type_id": 999}
    assert step(call, {"type_id": e}, contexts=[ignored], force_reuse_context=True)[2] == [
        stored_id
    ]
    assert call.get("context", stored_id)[0].name == "renamed"
    with call.refused(errors.NotFound):
        step(call, {"type_id": e}, contexts=[{"id": 999}], force_reuse_context=True)


def test_force_update_time_touches_an_unchanged_execution(call, types):
    execution, _, _ = step(call, {"type_id": types[1]})
    [before] = call.get("execution", execution)
    call("PutExecution", execution=before)
    assert call.get("execution", execution) == [before]
    call("PutExecution", execution=before, options={"force_update_time": True})
    [after] = call.get("execution", execution)
    assert after.last_update_time_since_epoch > before.last_update_time_since_epoch


def graph(call, **request):
    answer = call("PutLineageSubgraph", **request)
    return list(answer.artifact_ids), list(answer.execution_ids), list(answer.context_ids)


def test_a_whole_graph(call, types):
    a, e, c = types
    [stored_id] = call.put("artifact", {"type_id": a, "uri": "known"})
    artifacts, executions, contexts = graph(
        call,
        artifacts=[{"type_id": a}, {"id": stored_id, "type_id": a, "uri": "updated"}],
        executions=[{"type_id": e}, {"type_id": e}],
        contexts=[{"type_id": c, "name": "run"}, {"type_id": c, "name": "pipeline"}],
        event_edges=[
            {"execution_index": 0, "artifact_index": 0, "event": {"type": OUTPUT}},
            {"execution_index": 1, "artifact_index": 0, "event": {"type": INPUT}},
            {
                "execution_index": 1,
                "artifact_index": 1,
                "event": {"artifact_id": stored_id, "type": 4},
            },
            {"execution_index": 0, "event": {"artifact_id": stored_id, "type": INPUT}},
        ],
    )
    assert artifacts[1] == stored_id
    assert call.get("artifact", stored_id)[0].uri == "updated"
    assert events(call, executions[0]) == [(artifacts[0], OUTPUT), (stored_id, INPUT)]
    assert events(call, executions[1]) == [(artifacts[0], INPUT), (stored_id, OUTPUT)]
    for context in contexts:
        assert members(call, "artifact", context) == sorted(artifacts)
        assert members(call, "execution", context) == executions


def test_an_empty_graph(call):
    assert graph(call) == ([], [], [])


@pytest.mark.parametrize(
    ("edge", "error"),
    [
        ({"execution_index": 0, "artifact_index": 0}, errors.InvalidArgument),
        ({"execution_index": 0, "event": {"type": 3}}, errors.InvalidArgument),
        ({"artifact_index": 0, "event": {"type": 3}}, errors.InvalidArgument),
        ({"execution_index": 1, "artifact_index": 0, "event": {"type": 3}}, errors.OutOfRange),
        ({"execution_index": -1, "artifact_index": 0, "event": {"type": 3}}, errors.OutOfRange),
        ({"execution_index": 0, "artifact_index": 2, "event": {"type": 3}}, errors.OutOfRange),
        (
            {"execution_index": 0, "artifact_index": 0, "event": {"type": 3, "artifact_id": 1}},
            errors.InvalidArgument,
        ),
        (
            {"execution_index": 0, "artifact_index": 1, "event": {"type": 3, "artifact_id": 2}},
            errors.InvalidArgument,
        ),
        ({"execution_index": 0, "artifact_index": 0, "event": {}}, errors.InvalidArgument),
        ({"execution_index": 0, "event": {"type": 3, "artifact_id": 99}}, errors.InvalidArgument),
    ],
)
def test_a_bad_edge_fails_the_whole_graph(call, types, edge, error):
    a, e, c = types
    call.put("artifact", {"type_id": a})
    with call.refused(error):
        graph(
            call,
            artifacts=[{"type_id": a}, {"id": 1, "type_id": a}],
            executions=[{"type_id": e}],
            contexts=[{"type_id": c, "name": "run"}],
            event_edges=[edge],
        )


def test_every_node_of_a_graph_needs_its_type(call, types):
    [stored_id] = call.put("artifact", {"type_id": types[0]})
    with call.refused(errors.InvalidArgument):
        graph(call, artifacts=[{"id": stored_id}])
    for field, name in (("artifacts", {}), ("executions", {}), ("contexts", {"name": "n"})):
        with call.refused(errors.InvalidArgument):
            graph(call, **{field: [name]})
        with call.refused(errors.NotFound):
            graph(call, **{field: [{"type_id": 999, **name}]})
    with call.refused(errors.InvalidArgument):
        graph(call, contexts=[{"type_id": types[2]}])


def test_duplicate_edges_fail_the_whole_graph(call, types):
    a, e, _ = types
    edge = {"execution_index": 0, "artifact_index": 0, "event": {"type": INPUT}}
    with call.refused(errors.AlreadyExists):
        nodes = {"artifacts": [{"type_id": a}], "executions": [{"type_id": e}]}
        graph(call, **nodes, event_edges=[edge, edge])


def test_external_ids_in_a_graph(call, types):
    artifact = {"type_id": types[0], "external_id": "x"}
    options = {"reuse_artifact_if_already_exist_by_external_id": True}
    with call.refused(errors.AlreadyExists):
        graph(call, artifacts=[artifact, artifact], options=options)
    [stored_id], _, _ = graph(call, artifacts=[artifact], options=options)
    twice = [{**artifact, "uri": "u"}, {**artifact, "uri": "v"}]
    assert graph(call, artifacts=twice, options=options)[0] == [stored_id, stored_id]
    assert call.get("artifact", stored_id)[0].uri == "v"
    with call.refused(errors.AlreadyExists):
        graph(call, artifacts=[artifact])


def test_contexts_in_a_graph_are_reused_by_name(call, types):
    context = {"type_id": types[2], "name": "run"}
    [stored_id] = call.put("context", context)
    with call.refused(errors.AlreadyExists):
        graph(call, contexts=[context])
    options = {"reuse_context_if_already_exist": True}
    assert graph(call, contexts=[context], options=options)[2] == [stored_id]
