"""RecordStep and RecordSteps: a step is recorded as a whole, and once."""

import pytest

from lineage_store import errors
from lineage_store.v1 import metadata_pb2 as pb
from tests.conformance.cache_steps import (
    CACHED,
    COMPLETE,
    FAILED,
    KEY,
    NEW,
    RUNNING,
    artifact,
    key,
    lookup,
    outcome,
    output,
    record,
    step,
    tied,
)
from tests.conformance.conftest import request_of

INPUT, OUTPUT = pb.Event.INPUT, pb.Event.OUTPUT


def events(call, execution_id):
    stored_events = call("GetEventsByExecutionIDs", execution_ids=[execution_id]).events
    return {
        (e.artifact_id, e.type): [s.key or s.index for s in e.path.steps] for e in stored_events
    }


def execution(call, recorded):
    [stored] = call.get("execution", recorded.execution_id)
    return stored


def test_a_step_is_an_execution_with_its_artifacts_and_contexts(call):
    contexts = [{"type": "pipeline", "name": "p"}, {"type": "run", "name": "r"}]
    recorded = record(
        call,
        inputs=[{"name": "data", "artifact": artifact("d")}],
        contexts=contexts,
        parents=[{"child_index": 1, "parent_index": 0}],
    )
    [data], [model] = recorded.input_ids, recorded.output_ids
    assert not recorded.is_repeated
    assert events(call, recorded.execution_id) == {
        (data, INPUT): ["data", 0],
        (model, OUTPUT): ["model", 0],
    }
    pipeline, run = recorded.context_ids
    for context_id in (pipeline, run):
        members = call("GetArtifactsByContext", context_id=context_id).artifacts
        assert {member.id for member in members} == {data, model}
        assert len(call("GetExecutionsByContext", context_id=context_id).executions) == 1
    [parent] = call("GetParentContextsByContext", context_id=run).contexts
    assert (parent.id, parent.name, parent.type) == (pipeline, "p", "pipeline")


def test_a_step_that_is_recorded_twice_is_there_once(call):
    request = step(
        inputs=[{"name": "data", "artifact": artifact("d")}],
        contexts=[{"type": "run", "name": "r"}, {"type": "pipeline", "name": "p"}],
        parents=[{"child_index": 0, "parent_index": 1}],
        cache={"digest": KEY, "components": [{"name": "step", "value": '"train"'}]},
    )
    first = call("RecordStep", step=request)
    before = call.contents()
    second = call("RecordStep", step=request)
    assert call.contents() == before
    assert second.is_repeated
    second.is_repeated = False
    assert second == first


def test_what_becomes_known_later_is_added(call):
    first = record(
        call,
        digest=None,
        outputs=[],
        inputs=[{"name": "data", "artifact": artifact("d")}],
        execution={
            "type": "Train",
            "last_known_state": RUNNING,
            "custom_properties": {"host": "h", "try": 1},
        },
    )
    second = record(
        call,
        execution={"last_known_state": COMPLETE, "custom_properties": {"try": 2, "rows": 3}},
    )
    assert second.execution_id == first.execution_id
    assert not second.is_repeated
    stored = execution(call, second)
    assert stored.last_known_state == COMPLETE
    values = {name: v.string_value or v.int_value for name, v in stored.custom_properties.items()}
    assert values == {"host": "h", "try": 2, "rows": 3}
    assert len(events(call, stored.id)) == 2
    assert outcome(call) == "hit"


@pytest.mark.parametrize("final", [COMPLETE, FAILED, pb.Execution.CANCELED, CACHED])
@pytest.mark.parametrize("later", [NEW, RUNNING, FAILED, COMPLETE])
def test_a_final_state_stays(call, final, later):
    record(call, digest=None, state=final)
    again = record(call, digest=None, state=later)
    assert execution(call, again).last_known_state == final


def test_a_state_only_goes_on(call):
    record(call, digest=None, state=RUNNING)
    assert execution(call, record(call, digest=None, state=NEW)).last_known_state == RUNNING
    unset = record(call, digest=None, execution={})
    assert unset.is_repeated
    assert execution(call, unset).last_known_state == RUNNING


def test_an_output_that_is_recorded_again_is_the_same_artifact(call):
    first = record(call, digest=None, state=RUNNING, outputs=[output(), output(index=1)])
    model = {"name": "model", "index": 1, "artifact": artifact("elsewhere", state=pb.Artifact.LIVE)}
    second = record(call, outputs=[model])
    assert list(second.output_ids) == [first.output_ids[1]]
    one, other = call.get("artifact", *first.output_ids)
    assert (other.uri, other.state) == ("elsewhere", pb.Artifact.LIVE)
    assert (one.uri, one.state) == ("m", pb.Artifact.LIVE)  # the step is complete


def test_an_output_keeps_the_state_that_it_has(call):
    pending = output(artifact=artifact(state=pb.Artifact.PENDING))
    recorded = record(call, outputs=[pending])
    again = record(call, outputs=[output()])
    assert again.output_ids == recorded.output_ids
    assert call.get("artifact", *again.output_ids)[0].state == pb.Artifact.PENDING


def test_what_is_only_to_be_written_does_not_become_live(call):
    pending = output("log", event_type=pb.Event.PENDING_OUTPUT)
    record(call, digest=None, state=RUNNING, outputs=[pending])
    recorded = record(call, outputs=[output(), pending])
    states = [node.state for node in call.get("artifact", *recorded.output_ids)]
    assert sorted(states) == [pb.Artifact.UNKNOWN, pb.Artifact.LIVE]
    [result] = lookup(call, KEY)
    assert [model.name for model in result.hit.outputs] == ["model"]


def test_artifacts_are_found_by_their_external_ids(call):
    data = {"name": "data", "artifact": artifact("d", external_id="sha256:1")}
    first = record(call, "one", inputs=[data])
    second = record(call, "two", key("b"), inputs=[data])
    assert first.input_ids == second.input_ids
    other = {"name": "data", "artifact": artifact("e", external_id="sha256:2")}
    third = record(call, "one", inputs=[other])  # another artifact in a place that is taken
    assert third.input_ids != first.input_ids


def test_an_artifact_is_tied_to_by_its_id(call):
    [model_id] = record(call, "one").output_ids
    recorded = record(call, "two", key("b"), inputs=[tied(model_id, "x")], outputs=[])
    assert list(recorded.input_ids) == [model_id]
    assert call.get("artifact", model_id)[0].uri == "m"


def test_an_input_under_two_names_has_one_event_with_both(call):
    [model_id] = record(call, "one").output_ids
    inputs = [tied(model_id, "x"), tied(model_id, "y", 2)]
    recorded = record(call, "two", key("b"), inputs=inputs, outputs=[])
    assert events(call, recorded.execution_id) == {(model_id, INPUT): ["x", 0, "y", 2]}


def test_events_have_the_type_and_time_that_are_given(call):
    inputs = [
        {
            "artifact": artifact(),
            "event_type": pb.Event.DECLARED_INPUT,
            "happened_at_milliseconds": 5,
        }
    ]
    recorded = record(call, inputs=inputs, outputs=[])
    [event] = call("GetEventsByExecutionIDs", execution_ids=[recorded.execution_id]).events
    assert (event.type, event.milliseconds_since_epoch) == (pb.Event.DECLARED_INPUT, 5)
    assert not event.path.steps


def test_a_context_is_found_by_type_and_name_and_added_to(call):
    run = {"type": "run", "name": "r"}
    first = record(call, "one", contexts=[{**run, "custom_properties": {"a": 1}}])
    second = record(call, "two", key("b"), contexts=[{**run, "custom_properties": {"b": 2}}])
    assert first.context_ids == second.context_ids
    [stored] = call.get("context", *first.context_ids)
    assert set(stored.custom_properties) == {"a", "b"}
    by_id = record(call, "three", key("c"), contexts=[{"id": stored.id}])
    assert list(by_id.context_ids) == [stored.id]


def test_types_are_created_only_if_that_is_asked_for(call):
    with call.refused(errors.NotFound, "step.execution.type: there is no execution type 'Train'"):
        record(call, create_types=False)
    call.type("execution", "Train")
    with call.refused(errors.NotFound, r"step.outputs\[0\].artifact.type"):
        record(call, create_types=False)
    call.type("artifact", "Model")
    assert record(call, create_types=False).execution_id


def test_declared_properties_are_declared_where_types_are_created(call):
    properties = {"properties": {"rows": 3, "ok": True, "name": "n", "loss": 0.5}}
    record(call, outputs=[output(artifact=artifact(**properties))])
    record(call, "two", key("b"), outputs=[output(artifact=artifact(properties={"more": 1}))])
    [stored_type] = call("GetArtifactTypes").artifact_types
    declared = {name: pb.PropertyType.Name(kind) for name, kind in stored_type.properties.items()}
    assert declared == {
        "rows": "INT",
        "ok": "BOOLEAN",
        "name": "STRING",
        "loss": "DOUBLE",
        "more": "INT",
    }
    with call.refused(errors.InvalidArgument, "must have int_value"):
        record(call, "3", key("c"), outputs=[output(artifact=artifact(properties={"rows": "x"}))])


def test_steps_are_recorded_one_by_one(call):
    steps = [
        step("one", key("1")),
        step("two", b"short"),
        step("three", key("3"), outputs=[tied(99, "x")]),
        step("four", key("4")),
        step("one", key("1")),
    ]
    steps[2]["execution"] = {"type": "Lost", "last_known_state": COMPLETE}
    results = call("RecordSteps", steps=steps).results
    assert [r.HasField("recorded") for r in results] == [True, False, False, True, True]
    assert (results[1].error_code, results[1].error_reason) == (3, "INVALID_ARGUMENT")
    assert "steps[1].cache.digest" in results[1].error_message
    assert "there is no artifact 99" in results[2].error_message
    assert results[4].recorded.is_repeated
    assert len(call("GetExecutions").executions) == 2
    assert {t.name for t in call("GetExecutionTypes").execution_types} == {"Train"}
    outcomes = [r.WhichOneof("outcome") for r in lookup(call, key("1"), key("3"), key("4"))]
    assert outcomes == ["hit", "miss", "hit"]


def test_a_step_that_goes_on_within_one_call(call):
    start = step("one", None, RUNNING, inputs=[{"name": "d", "artifact": artifact()}], outputs=[])
    results = call("RecordSteps", steps=[start, step("one")]).results
    first, second = (result.recorded for result in results)
    assert first.execution_id == second.execution_id
    assert len(events(call, first.execution_id)) == 2
    assert outcome(call) == "hit"


def test_no_steps_are_no_error(call):
    assert not call("RecordSteps").results


def test_a_step_can_be_named_by_its_execution(call):
    first = record(call, digest=None, state=RUNNING)
    fields = {"id": first.execution_id, "last_known_state": COMPLETE}
    second = call("RecordStep", step={"execution": fields})
    assert second.execution_id == first.execution_id
    assert execution(call, second).last_known_state == COMPLETE


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"key": ""}, "step.key must not be empty"),
        ({"key": "k" * 513}, "step.key"),
        ({"execution": {"last_known_state": COMPLETE}}, "step.execution.type_id must be set"),
        ({"execution": {"id": 9}}, "step.execution.id: there is no execution 9"),
        ({"execution": {"type": "T", "external_id": "x"}}, "is not the key of the step"),
        ({"outputs": [output(), output()]}, r"step.outputs\[1\]: model is there twice"),
        ({"outputs": [tied(1, "a"), tied(1, "b")]}, r"step.outputs\[1\]: artifact 1 is an output"),
        ({"outputs": [tied(9, "a")]}, r"step.outputs\[0\].artifact.id: there is no artifact 9"),
        ({"inputs": [tied(9, "a")]}, r"step.inputs\[0\].artifact.id: there is no artifact 9"),
        ({"inputs": [{"name": "x"}]}, r"step.inputs\[0\].artifact.type_id must be set"),
        ({"inputs": [{**tied(1, "a"), "event_type": OUTPUT}]}, "must not be OUTPUT"),
        ({"outputs": [{**tied(1, "a"), "event_type": INPUT}]}, "must not be INPUT"),
        ({"outputs": [output(index=-1)]}, r"step.outputs\[0\].index must not be negative"),
        ({"inputs": [output("n" * 513)]}, r"step.inputs\[0\].name"),
        ({"contexts": [{"type": "run"}]}, r"step.contexts\[0\].name"),
        ({"contexts": [{"id": 9}]}, r"step.contexts\[0\].id: there is no context 9"),
        ({"parents": [{"child_index": 0}]}, r"step.parents\[0\].child_index is 0; there are 0"),
    ],
)
def test_steps_that_are_not_valid(call, fields, text):
    record(call, "one", key("one"))
    with call.refused(errors.InvalidArgument, text):
        record(call, **fields)


def test_a_step_is_not_another_one(call):
    recorded = record(call)
    with call.refused(errors.InvalidArgument, "step.key is not that of execution 1"):
        record(call, "two", execution={"id": recorded.execution_id})
    [other] = record(call, "two", key("b")).output_ids
    with call.refused(errors.InvalidArgument, "has recorded artifact 1 as model"):
        record(call, outputs=[tied(other, "model")])
    with call.refused(errors.InvalidArgument, "step.execution.type_id"):
        record(call, execution={"type": "Other"})


def test_contexts_do_not_lie_within_themselves(call):
    contexts = [{"type": "run", "name": "a"}, {"type": "run", "name": "b"}]
    parents = [{"child_index": 0, "parent_index": 1}, {"child_index": 1, "parent_index": 0}]
    with call.refused(errors.InvalidArgument, "a cycle"):
        record(call, contexts=contexts, parents=parents)


def test_a_step_must_be_given(call):
    with call.refused(errors.InvalidArgument, "step must be set"):
        call("RecordStep")


def test_an_event_type_of_a_later_version_is_not_taken_for_none(call):
    record(call, "one", key("one"))
    request = request_of("RecordStep", {"step": step(inputs=[tied(1, "x")])})
    request.step.inputs[0].MergeFromString(b"\x20\x63")  # field 4 is 99
    with call.refused(errors.InvalidArgument, r"step.inputs\[0\].event_type is not one of"):
        call.transport.call("RecordStep", request)


def test_a_record_that_comes_late_adds_and_replaces_nothing(call):
    def put(state, **values):
        fields = {
            "type": "Train",
            "last_known_state": state,
            "custom_properties": values,
        }
        return execution(call, record(call, digest=None, execution=fields))

    put(COMPLETE, decision="NOT_CACHED", ended="9")
    late = put(RUNNING, decision="HIT", begun="1")
    assert late.last_known_state == COMPLETE
    values = {name: value.string_value for name, value in late.custom_properties.items()}
    assert values == {"decision": "NOT_CACHED", "ended": "9", "begun": "1"}
    corrected = put(pb.Execution.UNKNOWN, ended="8")  # who says nothing of a state, is not late
    assert corrected.custom_properties["ended"].string_value == "8"
