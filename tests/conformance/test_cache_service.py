"""CacheService: hits, misses, and the reasons of misses."""

import time

import pytest

from lineage_store import errors
from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_pb2 as pb
from tests.conformance.cache_steps import (
    CACHED,
    FAILED,
    KEY,
    Miss,
    key,
    lookup,
    outcome,
    output,
    record,
    step,
)

MISSING, VERIFIED = cache_pb2.ArtifactReport.MISSING, cache_pb2.ArtifactReport.VERIFIED


def test_what_was_published_hits(call):
    recorded = record(call)
    [result] = lookup(call, KEY)
    hit = result.hit
    assert hit.source.id == hit.original_execution_id == recorded.execution_id
    assert hit.source.external_id == "run/train/0"
    assert hit.source.type == "Train"
    [model] = hit.outputs
    assert (model.name, model.index) == ("model", 0)
    assert model.artifact.id == recorded.output_ids[0]
    assert model.artifact.state == pb.Artifact.LIVE
    assert (hit.entry_id, hit.hit_count) == (recorded.entry_id, 0)
    assert 0 <= hit.age_milliseconds < 60_000


def test_what_was_never_published_misses(call):
    [result] = lookup(call, KEY)
    assert result.miss.reason == Miss.NEVER_SEEN
    assert result.miss.detail
    assert not result.HasField("claim")


def test_outputs_come_by_name_and_index(call):
    places = [("b", 1), ("a", 0), ("b", 0)]
    record(call, outputs=[output(name, index) for name, index in places])
    [result] = lookup(call, KEY)
    assert [(o.name, o.index) for o in result.hit.outputs] == sorted(places)


def test_output_parameters_come_back(call):
    values = {"accuracy": 0.5, "rows": 3, "name": "ä", "ok": True}
    record(call, cache={"digest": KEY, "output_parameters": values})
    [result] = lookup(call, KEY)
    parameters = result.hit.output_parameters
    assert {name: getattr(v, v.WhichOneof("value")) for name, v in parameters.items()} == values


def test_a_step_without_outputs_is_a_valid_hit(call):
    record(call, outputs=[])
    [result] = lookup(call, KEY)
    assert result.HasField("hit")
    assert not result.hit.outputs


def test_many_keys_are_answered_in_their_order(call):
    record(call, "one", key("a"))
    results = lookup(call, key("b"), key("a"), key("b"))
    assert [r.WhichOneof("outcome") for r in results] == ["miss", "hit", "miss"]


def test_scopes_do_not_see_each_other(call):
    record(call, cache={"digest": KEY, "scope": "prod"})
    assert outcome(call) == "NEVER_SEEN"
    assert outcome(call, scope="dev") == "NEVER_SEEN"
    assert outcome(call, scope="prod") == "hit"


def test_the_newest_valid_entry_wins(call):
    first, second = record(call, "one"), record(call, "two")
    assert lookup(call, KEY)[0].hit.entry_id == second.entry_id
    call("Invalidate", entries={"entry_ids": [second.entry_id]})
    assert lookup(call, KEY)[0].hit.entry_id == first.entry_id
    call("Invalidate", entries={"entry_ids": [first.entry_id]}, by="me", why="a bad day")
    [result] = lookup(call, KEY)
    assert result.miss.reason == Miss.INVALIDATED
    assert result.miss.entry_id == second.entry_id


def test_an_older_entry_stands_in_for_one_whose_output_is_gone(call):
    first, second = record(call, "one"), record(call, "two")
    type_id = call.get("artifact", second.output_ids[0])[0].type_id
    deleted = {"id": second.output_ids[0], "type_id": type_id, "state": pb.Artifact.DELETED}
    call.put("artifact", deleted)
    assert lookup(call, KEY)[0].hit.source.id == first.execution_id


def test_age(call):
    record(call)
    time.sleep(0.01)
    now = time.time_ns() // 1_000_000
    assert outcome(call, policy={"max_age_milliseconds": 0}) == "TOO_OLD"
    assert outcome(call, policy={"max_age_milliseconds": 60_000}) == "hit"
    assert outcome(call, policy={"not_before_milliseconds": now + 1_000}) == "TOO_OLD"
    assert outcome(call, policy={"not_before_milliseconds": now - 60_000}) == "hit"


def test_an_entry_expires(call):
    record(call, cache={"digest": KEY, "time_to_live_milliseconds": 60_000})
    assert outcome(call) == "hit"
    record(call, "two", key("b"), cache={"digest": key("b"), "time_to_live_milliseconds": 0})
    assert outcome(call, key("b")) == "EXPIRED"


@pytest.mark.parametrize("state", ["PENDING", "MARKED_FOR_DELETION", "DELETED", "ABANDONED"])
def test_outputs_must_be_live(call, state):
    artifact = {"type": "Model", "state": pb.Artifact.State.Value(state)}
    recorded = record(call, outputs=[output(), output("log", artifact=artifact)])
    [result] = lookup(call, KEY)
    assert result.miss.reason == Miss.OUTPUT_NOT_LIVE
    assert result.miss.artifact_id == recorded.output_ids[1]
    assert "log" in result.miss.detail
    assert state in result.miss.detail
    assert outcome(call, policy={"require_live": False}) == "hit"


def test_a_source_that_is_not_complete_any_more(call):
    recorded = record(call)
    [execution] = call.get("execution", recorded.execution_id)
    execution.last_known_state = FAILED
    call.put("execution", execution)
    [result] = lookup(call, KEY)
    assert result.miss.reason == Miss.SOURCE_NOT_COMPLETE
    assert result.miss.execution_id == recorded.execution_id


def report(call, artifact_id, status, **fields):
    call("ReportArtifacts", reports=[{"artifact_id": artifact_id, "status": status, **fields}])


def test_a_missing_payload_always_misses(call):
    [output_id] = record(call).output_ids
    report(call, output_id, MISSING, by="worker 7")
    [result] = lookup(call, KEY, policy={"require_live": False})
    assert result.miss.reason == Miss.OUTPUT_MISSING
    assert result.miss.artifact_id == output_id
    assert "worker 7" in result.miss.detail
    report(call, output_id, VERIFIED)
    assert outcome(call) == "hit"


def test_verification_can_be_demanded(call):
    [output_id] = record(call).output_ids
    verified = {"verified_within_milliseconds": 60_000}
    assert outcome(call, policy=verified) == "NOT_VERIFIED"
    report(call, output_id, VERIFIED)
    assert outcome(call, policy=verified) == "hit"
    time.sleep(0.01)
    assert outcome(call, policy={"verified_within_milliseconds": 1}) == "NOT_VERIFIED"


@pytest.mark.parametrize(
    ("reported_digest", "expected"),
    [("sha256:" + "a" * 64, "hit"), ("sha256:" + "b" * 64, "NOT_VERIFIED"), ("", "hit")],
)
def test_another_digest_than_the_recorded_one_is_not_verified(call, reported_digest, expected):
    digest = {"custom_properties": {"digest": "sha256:" + "A" * 64}}
    artifact = {"type": "Model", **digest}
    [output_id] = record(call, outputs=[output(artifact=artifact)]).output_ids
    report(call, output_id, VERIFIED, digest=reported_digest)
    assert outcome(call, policy={"verified_within_milliseconds": 60_000}) == expected


def fingerprinted(call, state=pb.Execution.COMPLETE, **properties):
    """Put an execution with one LIVE output, as Kubeflow Pipelines does; return their ids."""
    [artifact] = call.put("artifact", {"type_id": call.type(), "state": pb.Artifact.LIVE})
    node = {"type_id": call.type("execution"), "last_known_state": state}
    [execution] = call.put("execution", {**node, "custom_properties": properties})
    event = {"artifact_id": artifact, "execution_id": execution, "type": pb.Event.OUTPUT}
    call("PutEvents", events=[{**event, "path": {"steps": [{"key": "model"}]}}])
    return execution, artifact


def by_fingerprint(call, *fingerprints, **fields):
    keys = [{"fingerprint": fingerprint} for fingerprint in fingerprints]
    return list(call("Lookup", keys=keys, **fields).results)


def test_a_fingerprint_of_kubeflow_pipelines(call):
    first, _ = fingerprinted(call, cache_fingerprint="f")
    second, artifact = fingerprinted(call, cache_fingerprint="f")
    fingerprinted(call, state=FAILED, cache_fingerprint="f")
    hit, miss = by_fingerprint(call, "f", "g", scope="any")
    assert hit.hit.source.id == hit.hit.original_execution_id == second
    assert not hit.hit.HasField("entry_id")
    assert [(o.name, o.artifact.id) for o in hit.hit.outputs] == [("model", artifact)]
    assert miss.miss.reason == Miss.NEVER_SEEN
    type_id = call.type()
    call.put("artifact", {"id": artifact, "type_id": type_id, "state": pb.Artifact.DELETED})
    assert by_fingerprint(call, "f")[0].hit.source.id == first


@pytest.mark.parametrize("as_text", [True, False])
def test_a_copy_found_by_its_fingerprint_names_the_original(call, as_text):
    original, _ = fingerprinted(call)
    middle, _ = fingerprinted(
        call, CACHED, cached_execution_id=str(original) if as_text else original
    )
    fingerprinted(call, CACHED, cache_fingerprint="f", cached_execution_id=middle)
    [result] = by_fingerprint(call, "f")
    assert result.hit.original_execution_id == original


def test_a_fingerprint_of_tfx(call):
    execution, _ = fingerprinted(call)
    [context] = call.put(
        "context", {"type_id": call.type("context", "execution_cache"), "name": "f"}
    )
    association = {"context_id": context, "execution_id": execution}
    call("PutAttributionsAndAssociations", associations=[association])
    assert by_fingerprint(call, "f")[0].hit.source.id == execution
    assert by_fingerprint(call, "F")[0].miss.reason == Miss.NEVER_SEEN


def test_a_fingerprint_is_never_claimed(call):
    [result] = by_fingerprint(call, "f", claim={"holder": "a"})
    assert not result.HasField("claim")
    assert result.miss.reason == Miss.NEVER_SEEN


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"keys": [{"digest": b"short"}]}, r"keys\[0\].digest has 5 bytes"),
        ({"keys": [{}]}, r"keys\[0\] must have"),
        ({"keys": [{"fingerprint": ""}]}, r"keys\[0\].fingerprint"),
        ({"keys": [{"fingerprint": "f" * 256}]}, r"keys\[0\].fingerprint"),
        ({"policy": {"max_age_milliseconds": -1}}, "policy.max_age_milliseconds"),
        ({"policy": {"not_before_milliseconds": -1}}, "policy.not_before_milliseconds"),
        ({"policy": {"verified_within_milliseconds": -1}}, "policy.verified_within"),
        ({"claim": {}}, "claim.holder must not be empty"),
        ({"claim": {"holder": "a", "lease_milliseconds": 0}}, "claim.lease_milliseconds"),
        ({"claim": {"holder": "a", "lease_milliseconds": 2**40}}, "claim.lease_milliseconds"),
        ({"scope": "s" * 513}, "scope"),
    ],
)
def test_lookups_that_are_not_valid(call, fields, text):
    with call.refused(errors.InvalidArgument, text):
        call("Lookup", **{"keys": [{"digest": KEY}], **fields})


@pytest.mark.parametrize(
    ("report_fields", "text"),
    [
        ({"artifact_id": 99, "status": VERIFIED}, "there is no artifact 99"),
        ({"artifact_id": 1}, r"reports\[1\].status"),
        ({"status": VERIFIED}, r"reports\[1\].artifact_id must be set"),
    ],
)
def test_reports_that_are_not_valid(call, report_fields, text):
    record(call)
    good = {"artifact_id": 1, "status": VERIFIED}
    with call.refused(errors.InvalidArgument, text):
        call("ReportArtifacts", reports=[good, report_fields])


def test_an_empty_lookup_is_answered(call):
    assert call("Lookup").results == []
    assert call("Lookup", claim={"holder": "a"}).results == []


def test_a_step_is_recorded_only_as_a_whole(call):
    with call.refused(errors.InvalidArgument, "there is no artifact 9"):
        call("RecordStep", step=step(inputs=[{"name": "x", "artifact": {"id": 9}}]))
    assert outcome(call) == "NEVER_SEEN"
