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
)


def output_events(call, execution_id):
    found = call("GetEventsByExecutionIDs", execution_ids=[execution_id]).events
    return [
        (e.artifact_id, e.path) for e in found if e.type == pb.Event.OUTPUT
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
    before = call.contents()
    second = record_cached(call, "run 2", entry_id)
    assert call.contents() == before
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
    done = record_cached(call, "before", entry_id)
    call("Invalidate", entries={"entry_ids": [entry_id]}, why="bad data")
    with call.refused(errors.FailedPrecondition, f"entry {entry_id} was invalidated: bad data"):
        record_cached(call, "after", entry_id)
    again = record_cached(call, "before", entry_id)  # its answer may have been lost
    assert again.recorded.is_repeated
    assert again.recorded.execution_id == done.recorded.execution_id


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
