"""The rules of the cache: entries that are good enough, holders of claims, order of entries."""

from dataclasses import replace

import pytest

from lineage_store import errors
from lineage_store.cache import comparison, leases
from lineage_store.cache.decision import Candidate, Judge, Output, Policy
from lineage_store.cache.slots import label, slots_of, write_path
from lineage_store.database.staging.artifact_reports import StoredReport
from lineage_store.database.staging.cache_claims import Ended, StoredClaim
from lineage_store.database.staging.cache_entries import CacheEntryRow
from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_pb2 as pb

NOW = 1_000_000
Miss = cache_pb2.LookupResult.Miss
VERIFIED, MISSING = cache_pb2.ArtifactReport.VERIFIED, cache_pb2.ArtifactReport.MISSING


def candidate(entry_id=1, *, state=pb.Execution.COMPLETE, age=0, artifacts=(), **fields):
    entry = CacheEntryRow(
        id=entry_id,
        scope="",
        digest=b"",
        execution_id=entry_id,
        original_execution_id=entry_id,
        published_at=NOW - age,
        expires_at=None,
        hit_count=0,
        last_hit_at=None,
        invalidated_at=None,
        invalidated_by=None,
        invalidated_why=None,
        body=b"",
    )
    outputs = [Output(("out", at), artifact) for at, artifact in enumerate(artifacts)]
    execution = pb.Execution(id=entry_id, last_known_state=state)
    return Candidate(execution, outputs, NOW - age, replace(entry, **fields))


def artifact(number=1, state=pb.Artifact.LIVE, digest=None):
    message = pb.Artifact(id=number, state=state)
    if digest is not None:
        message.custom_properties["digest"].string_value = digest
    return message


def report(number=1, status=VERIFIED, digest="", ago=0):
    return {number: StoredReport(number, status, digest, "w", (NOW - ago) * 1_000)}


def fault(*candidates, reports=(), **policy):
    decision = Judge(Policy(**policy), NOW, dict(reports)).decide(candidates)
    return None if decision.rejection is None else Miss.Reason.Name(decision.rejection.reason)


def test_nothing_is_never_seen():
    assert fault() == "NEVER_SEEN"


@pytest.mark.parametrize(
    ("candidate_entry", "expected"),
    [
        (candidate(), None),
        (candidate(state=pb.Execution.CACHED), None),
        (candidate(state=pb.Execution.RUNNING), "SOURCE_NOT_COMPLETE"),
        (replace(candidate(), execution=None), "SOURCE_NOT_COMPLETE"),
        (candidate(expires_at=NOW + 1), None),
        (candidate(expires_at=NOW), "EXPIRED"),
        (candidate(invalidated_at=1, expires_at=1), "INVALIDATED"),
        (candidate(artifacts=[artifact()]), None),
        (candidate(artifacts=[artifact(), artifact(2, pb.Artifact.DELETED)]), "OUTPUT_NOT_LIVE"),
        (candidate(artifacts=[artifact(1, None)]), "OUTPUT_NOT_LIVE"),
        (candidate(artifacts=[None]), "OUTPUT_MISSING"),
    ],
)
def test_one_entry(candidate_entry, expected):
    assert fault(candidate_entry) == expected


@pytest.mark.parametrize(
    ("age", "policy", "expected"),
    [
        (10, {"max_age": 10}, None),
        (11, {"max_age": 10}, "TOO_OLD"),
        (10, {"not_before": NOW - 10}, None),
        (10, {"not_before": NOW - 9}, "TOO_OLD"),
    ],
)
def test_age(age, policy, expected):
    assert fault(candidate(age=age), **policy) == expected


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ({}, "NOT_VERIFIED"),
        (report(ago=10), None),
        (report(ago=11), "NOT_VERIFIED"),
        (report(status=MISSING), "OUTPUT_MISSING"),
        (report(digest="sha256:" + "a" * 64), None),
        (report(digest="a" * 64), None),
        (report(digest="sha256:" + "b" * 64), "NOT_VERIFIED"),
        (report(digest="md5:" + "b" * 32), None),  # the two can't be compared
    ],
)
def test_verification(reports, expected):
    entry = candidate(artifacts=[artifact(digest="sha256:" + "A" * 64)])
    assert fault(entry, reports=reports, verified_within=10) == expected


def test_the_first_that_is_good_enough_is_chosen_and_the_newest_explains():
    bad = candidate(3, state=pb.Execution.FAILED)
    old, good = candidate(2, age=100), candidate(1)
    judge = Judge(Policy(max_age=50), NOW)
    assert judge.decide([bad, old, good]).candidate is good
    decision = judge.decide([bad, old])
    assert decision.candidate is bad
    assert "FAILED" in decision.rejection.detail


CLAIM = StoredClaim("", b"k", "a", 4, NOW + 10)


@pytest.mark.parametrize(
    ("stored", "holder", "expected"),
    [
        (None, "b", ("b", 1)),
        (CLAIM, "a", ("a", 4)),
        (CLAIM, "b", None),
        (replace(CLAIM, expires_at=NOW), "a", ("a", 4)),
        (replace(CLAIM, expires_at=NOW), "b", ("b", 5)),
        (replace(CLAIM, ended=Ended.RELEASED), "a", ("a", 5)),
        (replace(CLAIM, ended=Ended.PUBLISHED), "b", ("b", 5)),
    ],
)
def test_who_gets_a_claim(stored, holder, expected):
    acquired = leases.acquired_claim(stored, ("", b"k"), holder, NOW, 100)
    assert (acquired and (acquired.holder, acquired.token)) == expected
    assert acquired is None or (acquired.expires_at, acquired.ended) == (NOW + 100, Ended.NOT_YET)


@pytest.mark.parametrize(
    ("stored", "holder", "token", "may"),
    [
        (None, None, None, True),
        (None, "a", 4, False),
        (CLAIM, "a", 4, True),
        (CLAIM, "a", 3, False),
        (CLAIM, "b", 4, False),
        (CLAIM, None, None, False),
        (replace(CLAIM, expires_at=NOW), "a", 4, True),
        (replace(CLAIM, expires_at=NOW), None, None, True),
        (replace(CLAIM, ended=Ended.PUBLISHED), "a", 4, False),
        (replace(CLAIM, ended=Ended.RELEASED), None, None, True),
    ],
)
def test_who_may_publish(stored, holder, token, may):
    if may:
        leases.check_publication(stored, holder, token, NOW)
        return
    with pytest.raises(errors.StaleClaim):
        leases.check_publication(stored, holder, token, NOW)


@pytest.mark.parametrize(
    "places",
    [[("a", 0)], [("a", 3)], [("a", 0), ("b", 2)], [("", 2)], [("", 0)], [("a", 0), ("a", 1)]],
)
def test_places_are_read_as_they_were_written(places):
    event = pb.Event()
    write_path(event, places)
    assert slots_of(event) == places


def test_paths_of_other_systems():
    event = pb.Event()
    for step in ({"key": "a"}, {"key": "b"}, {"index": 1}, {"index": 2}, {"key": "c"}):
        event.path.steps.add(**step)
    assert slots_of(event) == [("a", 0), ("b", 1), ("", 2), ("c", 0)]
    assert [label(place) for place in slots_of(event)] == ["a", "b[1]", "output[2]", "c"]
    assert label(("", 0)) == "an output"


def test_components_are_compared():
    stored, requested = {"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "3", "d": "4"}
    differences = [(d.name, d.stored, d.given) for d in comparison.differences(stored, requested)]
    assert differences == [("b", "2", "3"), ("c", "3", None), ("d", None, "4")]
    assert comparison.equal_count(stored, requested) == 1
    assert comparison.nearest([("x", {}), ("y", stored), ("z", stored)], requested) == "y"
    assert comparison.nearest([], requested) is None
