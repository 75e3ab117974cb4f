"""Claims: of two that miss the same key one runs; and Wait tells the other when that is over."""

import threading
import time
from contextlib import closing

import pytest

from lineage_store import errors
from lineage_store.v1 import cache_pb2
from tests.conformance.cache_steps import (
    FAILED,
    KEY,
    RUNNING,
    Miss,
    claim,
    key,
    lookup,
    outcome,
    record,
    step,
)

Event = cache_pb2.WaitResponse


def publication(claimed, **fields):
    """Return the publication of a step under a claim."""
    return {"digest": KEY, "holder": claimed.holder, "token": claimed.token, **fields}


def test_a_claim_is_one_holders(call):
    mine = claim(call, "a")
    assert mine.is_acquired
    assert (mine.claim.holder, mine.claim.token, mine.claim.digest) == ("a", 1, KEY)
    assert mine.claim.expires_at_milliseconds > time.time() * 1_000
    refused = claim(call, "b")
    assert not refused.is_acquired
    assert refused.claim == mine.claim


def test_claiming_again_extends_and_keeps_the_token(call):
    first = claim(call, "a", lease_milliseconds=1_000)
    second = claim(call, "a", lease_milliseconds=60_000)
    assert second.is_acquired
    assert second.claim.token == first.claim.token
    assert second.claim.expires_at_milliseconds > first.claim.expires_at_milliseconds + 10_000


def test_an_expired_claim_passes_on_and_its_token_grows(call):
    late = claim(call, "a", lease_milliseconds=1).claim
    time.sleep(0.01)
    second = claim(call, "b")
    assert second.is_acquired
    assert second.claim.token == late.token + 1
    with call.refused(errors.StaleClaim, "token 1 of 'a' has ended"):
        record(call, "late", cache=publication(late))
    assert record(call, "in time", cache=publication(second.claim)).entry_id


def test_an_expired_claim_that_no_one_took_is_good(call):
    late = claim(call, "a", lease_milliseconds=1).claim
    time.sleep(0.01)
    assert record(call, cache=publication(late)).entry_id


def test_a_release_frees_the_key_and_its_token_only_grows(call):
    mine = claim(call, "a").claim
    call("Release", claims=[mine])
    call("Release", claims=[mine])  # no longer held: no error
    again = claim(call, "a").claim
    assert again.token == mine.token + 1
    with call.refused(errors.StaleClaim):
        record(call, cache=publication(mine))


def test_only_the_holder_releases(call):
    mine = claim(call, "a").claim
    call("Release", claims=[{"digest": KEY, "holder": "b", "token": mine.token}])
    call("Release", claims=[{"digest": KEY, "holder": "a", "token": 7}])
    assert not claim(call, "b").is_acquired


def test_heartbeats_extend_what_is_held_and_tell_what_is_lost(call):
    live = claim(call, "a", lease_milliseconds=1_000).claim
    expired = claim(call, "a", key("b"), lease_milliseconds=1).claim
    time.sleep(0.01)
    claim(call, "b", key("b"))
    never = {"digest": key("c"), "holder": "a", "token": 1}
    [extended] = call("Heartbeat", claims=[live, expired, never], lease_milliseconds=60_000).claims
    assert (extended.digest, extended.token) == (KEY, live.token)
    assert extended.expires_at_milliseconds > live.expires_at_milliseconds + 10_000


def test_publishing_ends_the_claim(call):
    mine = claim(call, "a").claim
    record(call, cache=publication(mine))
    assert outcome(call) == "hit"
    with call.refused(errors.StaleClaim):
        record(call, "another", cache=publication(mine))
    assert claim(call, "b").claim.token == mine.token + 1


def test_who_has_no_claim_does_not_publish_while_someone_has_one(call):
    claim(call, "a", lease_milliseconds=1000)
    with call.refused(errors.StaleClaim, "'a' has the claim of this key"):
        record(call)
    time.sleep(1.05)
    assert record(call).entry_id


def test_a_lookup_takes_claims_of_what_is_missed(call):
    record(call, "one", key("hit"))
    claim(call, "b", key("busy"))
    digests = [key("hit"), key("busy"), KEY]
    hit, busy, free = lookup(call, *digests, claim={"holder": "a"})
    assert (hit.WhichOneof("outcome"), hit.HasField("claim")) == ("hit", False)
    assert busy.in_flight.holder == "b"
    assert busy.in_flight.expires_at_milliseconds > time.time() * 1_000
    assert not busy.HasField("claim")
    assert free.miss.reason == Miss.NEVER_SEEN
    assert (free.claim.holder, free.claim.token) == ("a", 1)
    [again] = lookup(call, KEY, claim={"holder": "a"})
    assert again.claim.token == 1
    [other] = lookup(call, KEY, claim={"holder": "b"})
    assert other.in_flight.holder == "a"
    assert outcome(call) == "in_flight"


def test_of_many_that_look_up_at_once_one_gets_the_claim(call):
    results = []

    def look(at):
        results.extend(lookup(call, KEY, claim={"holder": f"h{at}"}))

    threads = [threading.Thread(target=look, args=(at,)) for at in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcomes = [result.WhichOneof("outcome") for result in results]
    assert sorted(outcomes) == ["in_flight"] * 15 + ["miss"]
    [winner] = [result.claim.holder for result in results if result.HasField("claim")]
    assert {r.in_flight.holder for r in results if r.HasField("in_flight")} == {winner}


def test_many_that_publish_at_once_under_one_claim_publish_once(call):
    mine = claim(call, "a").claim
    refused, published = [], []

    def publish(at):
        try:
            published.append(record(call, f"run/{at}", cache=publication(mine)))
        except errors.StaleClaim as error:
            refused.append(error)

    threads = [threading.Thread(target=publish, args=(at,)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(published), len(refused)) == (1, 7)
    executions = call("GetExecutions").executions
    assert [execution.id for execution in executions] == [published[0].execution_id]


@pytest.mark.parametrize(
    ("method", "fields", "text"),
    [
        ("Claim", {"digest": KEY, "holder": ""}, "holder must not be empty"),
        ("Claim", {"digest": KEY}, "holder must not be empty"),
        ("Claim", {"digest": b"", "holder": "a"}, "digest has 0 bytes"),
        ("Claim", {"digest": KEY, "holder": "a" * 513}, "holder"),
        ("Claim", {"digest": KEY, "holder": "a", "lease_milliseconds": -1}, "lease"),
        ("Claim", {"digest": KEY, "holder": "a", "lease_milliseconds": 86_400_001}, "lease"),
        ("Heartbeat", {"lease_milliseconds": 0}, "lease"),
        ("Heartbeat", {"claims": [{"digest": KEY, "token": 1}]}, r"claims\[0\].holder"),
        ("Release", {"claims": [{"digest": KEY, "holder": "a"}]}, r"claims\[0\].token"),
        ("Release", {"claims": [{"digest": b"x", "holder": "a", "token": 1}]}, r"claims\[0\].dig"),
    ],
)
def test_claims_that_are_not_valid(call, method, fields, text):
    with call.refused(errors.InvalidArgument, text):
        call(method, **fields)


@pytest.mark.parametrize(
    ("cache", "text"),
    [
        ({"digest": KEY, "holder": "a"}, "holder and step.cache.token belong together"),
        ({"digest": KEY, "token": 1}, "holder and step.cache.token belong together"),
        ({"digest": KEY, "holder": "", "token": 1}, "step.cache.holder must not be empty"),
        ({"digest": KEY[1:]}, "step.cache.digest has 31 bytes"),
        ({"digest": KEY, "time_to_live_milliseconds": -1}, "time_to_live"),
        ({"digest": KEY, "components": [{"value": "x"}]}, r"components\[0\].name"),
        ({"digest": KEY, "components": [{"name": "x"}] * 2}, r"components\[1\].name"),
        ({"digest": KEY, "output_parameters": {"x": None}}, r"output_parameters\['x'\]"),
    ],
)
def test_publications_that_are_not_valid(call, cache, text):
    with call.refused(errors.InvalidArgument, text):
        record(call, cache=cache)


def test_a_token_of_no_claim_is_stale(call):
    with call.refused(errors.StaleClaim, "never claimed"):
        record(call, cache={"digest": KEY, "holder": "a", "token": 1})


@pytest.mark.parametrize("state", [RUNNING, FAILED])
def test_only_what_is_complete_is_published(call, state):
    with call.refused(errors.FailedPrecondition, "only a COMPLETE execution"):
        record(call, state=state)


def wait(call, *digests, **fields):
    """Return the event of each key, by digest."""
    answers = call.stream("Wait", digests=digests, **fields)
    assert len(answers) == len(set(digests))
    return {answer.digest: Event.Event.Name(answer.event) for answer in answers}


def test_waiting_for_what_is_not_in_flight(call):
    record(call, "one", key("published"))
    claim(call, "a", key("expired"), lease_milliseconds=1)
    call("Release", claims=[claim(call, "a", key("released")).claim])
    time.sleep(0.01)
    names = ["published", "expired", "released", "free"]
    events = wait(call, *map(key, names), key("free"))
    assert [events[key(name)] for name in names] == [
        "PUBLISHED",
        "LEASE_EXPIRED",
        "RELEASED",
        "RELEASED",
    ]


def test_a_wait_has_its_time(call):
    claim(call)
    start = time.monotonic()
    assert wait(call, KEY, max_milliseconds=100) == {KEY: "STILL_IN_FLIGHT"}
    assert 0.09 < time.monotonic() - start < 5
    assert wait(call, KEY, max_milliseconds=0) == {KEY: "STILL_IN_FLIGHT"}
    assert wait(call) == {}


def test_a_wait_ends_when_a_lease_is_over(call):
    claim(call, lease_milliseconds=150)
    assert wait(call, KEY, max_milliseconds=10_000) == {KEY: "LEASE_EXPIRED"}


def after(seconds, act):
    timer = threading.Timer(seconds, act)
    timer.start()
    return timer


def test_a_wait_is_told_at_once(call):
    mine, other = claim(call).claim, claim(call, "a", key("b")).claim
    released = after(0.1, lambda: call("Release", claims=[other]))
    published = after(0.3, lambda: call("RecordSteps", steps=[step(cache=publication(mine))]))
    moments = {}
    start = time.monotonic()
    with closing(
        call.transport.stream("Wait", cache_pb2.WaitRequest(digests=[KEY, key("b")]))
    ) as stream:
        for answer in stream:
            moments[Event.Event.Name(answer.event)] = time.monotonic() - start
    for timer in (released, published):
        timer.join()
    assert list(moments) == ["RELEASED", "PUBLISHED"]
    assert moments["RELEASED"] < 0.3
    assert moments["PUBLISHED"] < 0.9  # a look for what other processes did takes a second


def test_a_wait_can_be_given_up(call):
    claim(call)
    with closing(call.transport.stream("Wait", cache_pb2.WaitRequest(digests=[KEY]))):
        pass
    assert not claim(call, "b").is_acquired


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"digests": [b"x"]}, r"digests\[0\]"),
        ({"digests": [KEY], "max_milliseconds": -1}, "max_milliseconds"),
    ],
)
def test_waits_that_are_not_valid(call, fields, text):
    with pytest.raises(errors.InvalidArgument, match=text):
        call.stream("Wait", **fields)
