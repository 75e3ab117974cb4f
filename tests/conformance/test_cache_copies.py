"""RecordCached: an execution that was served from the cache."""

import time

import pytest

from lineage_store import errors
from lineage_store.v1 import metadata_pb2 as pb
from tests.conformance.cache_steps import (
    CACHED,
    COMPLETE,
    FAILED,
    KEY,
    key,
    lookup,
    output,
    record,
    record_cached,
    tied,
)


def output_events(call, execution_id):
    events = call("GetEventsByExecutionIDs", execution_ids=[execution_id]).events
    return [
        (e.artifact_id, e.path) for e in events if e.type == pb.Event.OUTPUT
    ]  # in the order of their ids


def test_a_cached_execution_has_the_outputs_of_its_source(call):
    source = record(call, outputs=[output("b"), output("a", 2)])
    context = {"type": "run", "name": "r"}
    cached = record_cached(call, "run 2", source.entry_id, contexts=[context])
    assert cached.original_execution_id == source.execution_id
    [execution] = call.get("execution", cached.recorded.execution_id)
    assert execution.last_known_state == CACHED
    assert execution.custom_properties["cached_execution_id"].int_value == source.execution_id
    assert output_events(call, execution.id) == output_events(call, source.execution_id)
    assert [(o.name, o.index, o.artifact.id) for o in cached.outputs] == [
        ("a", 2, source.output_ids[1]),
        ("b", 0, source.output_ids[0]),
    ]
    assert cached.recorded.output_ids == source.output_ids
    [context_id] = cached.recorded.context_ids
    assert len(call("GetArtifactsByContext", context_id=context_id).artifacts) == 2
    [result] = lookup(call, KEY)
    assert (result.hit.source.id, result.hit.hit_count) == (source.execution_id, 1)


def test_a_cached_execution_is_recorded_once(call):
    entry_id = record(call).entry_id
    first = record_cached(call, "run 2", entry_id)
    before = call.facts()
    second = record_cached(call, "run 2", entry_id)
    assert call.facts() == before
    assert second.recorded.is_repeated
    assert second.recorded.execution_id == first.recorded.execution_id
    assert lookup(call, KEY)[0].hit.hit_count == 1


def test_a_running_step_can_become_cached(call):
    entry_id = record(call).entry_id
    running = record(call, "run 2", None, pb.Execution.RUNNING, outputs=[])
    cached = record_cached(call, "run 2", entry_id)
    assert cached.recorded.execution_id == running.execution_id
    assert call.get("execution", running.execution_id)[0].last_known_state == CACHED


def test_a_copy_of_a_copy_names_the_original(call):
    source = record(call, cache={"digest": KEY, "time_to_live_milliseconds": 60_000})
    time.sleep(0.02)
    copy = record_cached(call, "copy", source.entry_id, cache={"digest": key("b")})
    second = record_cached(call, "copy 2", copy.recorded.entry_id, cache={"digest": key("c")})
    assert second.original_execution_id == source.execution_id
    first, last = call("ListEntries", entries={"digests": [KEY, key("c")]}).entries[::-1]
    assert last.original_execution_id == source.execution_id
    assert last.execution_id == second.recorded.execution_id
    # What is copied does not become younger.
    assert last.published_at_milliseconds == first.published_at_milliseconds
    assert last.expires_at_milliseconds == first.expires_at_milliseconds
    [result] = lookup(call, key("c"))
    assert result.hit.original_execution_id == source.execution_id
    assert result.hit.outputs[0].artifact.id == source.output_ids[0]


def test_a_hit_by_fingerprint_is_recorded_by_its_execution(call):
    properties = {"custom_properties": {"cache_fingerprint": "f"}}
    execution = {"type": "Train", "last_known_state": COMPLETE, **properties}
    source = record(call, digest=None, execution=execution)
    [result] = call("Lookup", keys=[{"fingerprint": "f"}]).results
    cached = call(
        "RecordCached",
        step={"key": "run 2", "execution": {"type": "Train"}, "cache": {"digest": KEY}},
        execution_id=result.hit.source.id,
    )
    assert cached.original_execution_id == source.execution_id
    assert lookup(call, KEY)[0].hit.original_execution_id == source.execution_id


def test_an_invalidated_entry_serves_nothing(call):
    entry_id = record(call).entry_id
    first = record_cached(call, "before", entry_id)
    call("Invalidate", entries={"entry_ids": [entry_id]}, why="bad data")
    with call.refused(errors.FailedPrecondition, f"entry {entry_id} was invalidated: bad data"):
        record_cached(call, "after", entry_id)
    again = record_cached(call, "before", entry_id)  # its answer may have been lost
    assert again.recorded.is_repeated
    assert again.recorded.execution_id == first.recorded.execution_id


def test_what_ran_was_not_served_from_the_cache(call):
    entry_id = record(call).entry_id
    other = record(call, "other", key("b"))
    with call.refused(errors.FailedPrecondition, "is COMPLETE; it was not served from the cache"):
        record_cached(call, "other", entry_id)
    record_cached(call, "copy", entry_id)
    with call.refused(errors.FailedPrecondition, "was served from execution 1"):
        record_cached(call, "copy", other.entry_id)


@pytest.mark.parametrize(
    ("error", "fields", "text"),
    [
        (errors.NotFound, {"entry_id": 99}, "there is no entry 99"),
        (errors.NotFound, {"execution_id": 99}, "there is no execution 99"),
        (errors.InvalidArgument, {}, "either entry_id or execution_id"),
        (errors.InvalidArgument, {"entry_id": 1, "execution_id": 1}, "either entry_id"),
    ],
)
def test_sources_that_are_not_valid(call, error, fields, text):
    record(call)
    with call.refused(error, text):
        call("RecordCached", step={"key": "k", "execution": {"type": "Train"}}, **fields)


def test_cached_steps_that_are_not_valid(call):
    entry_id = record(call).entry_id
    failed = record(call, "failed", None, FAILED).execution_id
    with call.refused(errors.InvalidArgument, "step must be set"):
        call("RecordCached", entry_id=entry_id)
    with call.refused(errors.InvalidArgument, "step.outputs must be empty"):
        record_cached(call, "k", entry_id, outputs=[output()])
    with call.refused(errors.InvalidArgument, "last_known_state must be CACHED"):
        record_cached(call, "k", entry_id, execution={"last_known_state": COMPLETE})
    with call.refused(errors.InvalidArgument, "step.key must not be empty"):
        record_cached(call, "", entry_id)
    with call.refused(errors.FailedPrecondition, f"execution {failed} is FAILED"):
        call("RecordCached", step={"key": "k", "execution": {"type": "Train"}}, execution_id=failed)


def copy_of(name="model", index=0, uri="copy", **fields):
    fields = {"external_id": f"{uri}@1", **fields}
    artifact = {"type": "Model", "uri": uri, **fields}
    return {"name": name, "index": index, "artifact": artifact}


def serve(call, name, entry_id, copies, **fields):
    """Record a step that was served from the cache, with the copies of its outputs."""
    step = {"key": name, "create_types": True, "execution": {"type": "Train"}, **fields}
    return call("RecordCached", step=step, entry_id=entry_id, copies=copies)


def test_a_copy_is_an_output_of_the_cached_execution(call):
    source = record(call, outputs=[output("b"), output("a", 2)])
    context = {"type": "run", "name": "r"}
    properties = {"custom_properties": {"digest": "sha256:1"}}
    cached = serve(
        call, "run 2", source.entry_id, [copy_of("a", 2, **properties)], contexts=[context]
    )
    *of_source, copy = cached.recorded.output_ids
    assert of_source == list(source.output_ids)
    [artifact] = call.get("artifact", copy)
    assert (artifact.uri, artifact.type, artifact.state) == ("copy", "Model", pb.Artifact.LIVE)
    assert artifact.custom_properties["digest"].string_value == "sha256:1"
    events = output_events(call, cached.recorded.execution_id)
    assert events == [*output_events(call, source.execution_id), (copy, events[1][1])]
    assert [o.artifact.id for o in cached.outputs] == of_source[::-1]
    [context_id] = cached.recorded.context_ids
    assert len(call("GetArtifactsByContext", context_id=context_id).artifacts) == 3


def test_copies_are_recorded_once(call):
    entry_id = record(call).entry_id
    first = serve(call, "run 2", entry_id, [copy_of()])
    before = call.facts()
    second = serve(call, "run 2", entry_id, [copy_of()])
    assert call.facts() == before
    assert second.recorded.is_repeated
    assert second.recorded.output_ids == first.recorded.output_ids
    # A copy at the same place with the same content is the same artifact.
    third = serve(call, "run 3", entry_id, [copy_of()])
    assert third.recorded.output_ids == first.recorded.output_ids


def test_a_copy_is_not_served(call):
    source = record(call, outputs=[output("a"), output("a", 1)])
    copies = [copy_of("a", 0, "c0"), copy_of("a", 1, "c1")]
    first = serve(call, "copy", source.entry_id, copies, cache={"digest": key("b")})
    [result] = lookup(call, key("b"))
    assert [o.artifact.id for o in result.hit.outputs] == source.output_ids
    second = record_cached(call, "copy 2", first.recorded.entry_id, cache={"digest": key("c")})
    assert second.recorded.output_ids == source.output_ids
    [result] = lookup(call, key("c"))
    assert [(o.index, o.artifact.id) for o in result.hit.outputs] == [*enumerate(source.output_ids)]


def test_copies_that_are_not_valid(call):
    entry_id = record(call, outputs=[output(), output("")]).entry_id
    unnamed = copy_of()
    del unnamed["artifact"]["external_id"]
    for copies, text in (
        ([copy_of("other")], r"copies\[0\]: the source has no output in the place of other"),
        ([copy_of("model", 1)], r"has no output in the place of model\[1\]"),
        ([copy_of("")], "has no output in the place of an output"),
        ([unnamed], "external_id must be set"),
        ([copy_of(), copy_of(uri="d")], "model is there twice"),
        ([copy_of(type="")], "type"),
    ):
        with call.refused(errors.InvalidArgument, text):
            serve(call, "k", entry_id, copies)


def monday_and_tuesday(call):
    """Record the example of docs/recording.md: on Tuesday a hit copies the model of Monday."""
    file = {"type": "Artifact"}
    raw = {"name": "raw", "artifact": {"external_id": "raw.csv", "uri": "raw.csv", **file}}
    table = {
        "name": "table",
        "artifact": {"external_id": "monday.csv", "uri": "monday.csv", **file},
    }
    tidy = record(call, "monday/tidy", key("tidy"), inputs=[raw], outputs=[table])
    train = record(
        call, "monday/train", key("train monday"), inputs=[tied(tidy.output_ids[0], "table")]
    )
    copy = copy_of("table", uri="tuesday.csv", type="Artifact")
    served = serve(call, "tuesday/tidy", tidy.entry_id, [copy], inputs=[raw])
    again = record(
        call,
        "tuesday/train",
        key("train tuesday"),
        inputs=[tied(served.recorded.output_ids[1], "table")],
        outputs=[{"name": "model", "artifact": {"type": "Model", "uri": "tuesday.model"}}],
    )
    return tidy, train, served.recorded, again


def upstream(call, artifact_id):
    options = {"max_num_hops": 20, "direction": 1}
    query = {"starting_artifacts": {"filter_query": f"id = {artifact_id}"}, **options}
    graph = call("GetLineageSubgraph", lineage_subgraph_query_options=query).lineage_subgraph
    return {artifact.id for artifact in graph.artifacts}


def test_the_lineage_of_what_was_made_from_a_copy_is_whole(call):
    tidy, _, served, again = monday_and_tuesday(call)
    [raw], copy = tidy.input_ids, served.output_ids[1]
    assert {raw, copy} <= upstream(call, again.output_ids[0])


def transitively(call, **entries):
    """Return the executions whose entries would be invalidated."""
    answer = call("Invalidate", entries=entries, transitive=True, dry_run=True)
    return {entry.execution_id for entry in answer.entries}


def test_what_was_made_from_a_copy_is_invalidated(call):
    tidy, train, served, again = monday_and_tuesday(call)
    everything = {tidy.execution_id, train.execution_id, again.execution_id}
    assert transitively(call, execution_ids=[tidy.execution_id]) == everything
    assert transitively(call, artifact_ids=list(tidy.output_ids)) == everything
    assert transitively(call, artifact_ids=list(tidy.input_ids)) == everything
    assert transitively(call, entry_ids=[tidy.entry_id]) == everything
    # The copy is bad: so is what it is a copy of.
    assert transitively(call, artifact_ids=list(served.output_ids)[1:]) == everything
    assert transitively(call, execution_ids=[served.execution_id]) == everything


def test_what_was_made_from_a_copy_of_what_comes_later_is_invalidated(call):
    tidy, _, _, again = monday_and_tuesday(call)
    copy = copy_of("model", uri="wednesday.model")
    served = serve(call, "wednesday", again.entry_id, [copy]).recorded
    last = record(call, "last", key("l"), inputs=[tied(served.output_ids[1], "model")])
    assert last.execution_id in transitively(call, execution_ids=[tidy.execution_id])
    other = record(call, "other", key("o"), inputs=[tied(last.output_ids[0], "model")])
    unrelated = record(call, "unrelated", key("u"))
    invalid_ids = transitively(call, artifact_ids=list(tidy.input_ids))
    assert other.execution_id in invalid_ids
    assert unrelated.execution_id not in invalid_ids
