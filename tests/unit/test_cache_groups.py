"""Requests to the cache that share a transaction see the rows that those before them staged."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial

import pytest

from lineage_store import errors
from lineage_store.database.database import Database
from lineage_store.database.group_commit import GroupCommit, WriteRequest
from lineage_store.engine.cache.lookup import lookup
from lineage_store.engine.methods import method_of
from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_pb2 as pb

KEY = bytes(32)
Miss = cache_pb2.LookupResult.Miss


@pytest.fixture
def database(tmp_path) -> Iterator[Database]:
    with closing(Database(f"sqlite:///{tmp_path}/store.db")) as database:
        yield database


def together(database: Database, *requests) -> list:
    """Run requests in one transaction; return the answer or the error of each."""
    group = []
    for request in requests:
        method = type(request).__name__.removesuffix("Request")
        group.append(WriteRequest(partial(_swapped, method_of(method, request).handler, request)))
    database._run_group(group)
    return [entry.error or entry.result for entry in group]


def _swapped(write, request, tx):
    return write(tx, request)


def record(name: str, **cache) -> cache_pb2.RecordStepRequest:
    step = cache_pb2.Step(key=name, create_types=True)
    step.execution.type, step.execution.last_known_state = "E", pb.Execution.COMPLETE
    step.outputs.add(name="out", artifact=pb.Artifact(type="A"))
    step.cache.MergeFrom(cache_pb2.CachePublication(digest=KEY, **cache))
    return cache_pb2.RecordStepRequest(step=step)


def claiming_lookup(holder: str = "a") -> cache_pb2.LookupRequest:
    request = cache_pb2.LookupRequest(keys=[cache_pb2.CacheKey(digest=KEY)])
    request.claim.holder = holder
    return request


def copied(name: str) -> cache_pb2.RecordCachedRequest:
    step = cache_pb2.Step(key=name)
    step.execution.type = "E"
    return cache_pb2.RecordCachedRequest(step=step, entry_id=1)


def committed(database: Database):
    """Return the answer to a plain lookup."""
    request = cache_pb2.LookupRequest(keys=[cache_pb2.CacheKey(digest=KEY)])
    [result] = database.read(lambda snapshot: lookup(snapshot, request)).results
    return result


def test_of_two_that_miss_together_one_gets_the_claim(database):
    first, second = together(database, claiming_lookup("a"), claiming_lookup("b"))
    assert first.results[0].claim.holder == "a"
    assert second.results[0].in_flight.holder == "a"
    assert committed(database).in_flight.holder == "a"


def test_what_one_publishes_is_a_hit_for_the_next(database):
    recorded, answer = together(database, record("one"), claiming_lookup())
    [result] = answer.results
    assert result.hit.source.id == recorded.execution_id
    assert [o.artifact.id for o in result.hit.outputs] == list(recorded.output_ids)
    assert committed(database).hit.entry_id == result.hit.entry_id


def test_a_claim_is_taken_used_and_over_in_one_transaction(database):
    claim = cache_pb2.ClaimRequest(digest=KEY, holder="a")
    mine = record("mine", holder="a", token=1)
    answers = together(database, claim, record("other"), mine, record("late", holder="a", token=1))
    assert answers[0].is_acquired
    assert [type(answer) for answer in answers[1::2]] == [errors.StaleClaim] * 2
    result = committed(database)
    assert result.hit.source.external_id == "mine"
    assert result.hit.source.id == answers[2].execution_id
    again = together(database, cache_pb2.ClaimRequest(digest=KEY, holder="b"))
    assert again[0].claim.token == 2


def test_what_fails_leaves_nothing_for_those_behind(database):
    bad = record("one")
    bad.step.outputs.add(name="out", artifact=pb.Artifact(type="A"))
    failed, answer = together(database, bad, claiming_lookup())
    assert isinstance(failed, errors.InvalidArgument)
    assert answer.results[0].miss.reason == Miss.NEVER_SEEN
    assert answer.results[0].claim.token == 1


def test_hits_reports_and_copies_of_one_transaction(database):
    reports = [cache_pb2.ArtifactReport(artifact_id=1, status="MISSING")]
    report = cache_pb2.ReportArtifactsRequest(reports=reports)
    together(database, record("one"))
    *copies, _, answer = together(
        database, copied("two"), copied("three"), report, claiming_lookup()
    )
    assert [copy.original_execution_id for copy in copies] == [1, 1]
    assert answer.results[0].miss.reason == Miss.OUTPUT_MISSING
    reports[0].status = cache_pb2.ArtifactReport.VERIFIED
    together(database, cache_pb2.ReportArtifactsRequest(reports=reports), copied("four"))
    assert committed(database).hit.hit_count == 3


def test_one_that_runs_alone_shares_its_transaction_with_none():
    groups = []
    queue = GroupCommit(lambda group: groups.append([entry.job for entry in group]))
    jobs = ["a", "b", "alone", "also alone", "c"]
    queue._queue.extend(WriteRequest(job, alone="alone" in job) for job in jobs)
    while queue._queue:
        queue._queue[0].turn.acquire(blocking=False)  # as whoever waits for it does
        queue._lead()
    assert groups == [["a", "b"], ["alone"], ["also alone"], ["c"]]
