"""Decisions on the cache: in time, with claims that are kept alive and given back."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lineage_store import errors
from lineage_store.cache.keys import make_key
from lineage_store.client.cache_answers import Claim, InFlight, Miss, MissReason, WaitEvent
from lineage_store.recording import Caching, RecordingOptions, diagnostics
from lineage_store.recording.claims import Claims
from lineage_store.recording.decisions import Decisions
from tests.unit.recordings import until

KEY = make_key({"step": "s"})
CLAIM = Claim(scope="", digest=KEY.digest, holder="me", token=7, expires_at=0)
FREE = Miss(reason=MissReason.NEVER_SEEN, claim=CLAIM)
BUSY = InFlight(holder="you", expires_at=0)


class FakeCache:
    """Gives the answers of a test, and keeps the ends of claims."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.released: list[Claim] = []
        self.extended: list[Claim] = []
        self.gate = threading.Event()
        self.gate.set()
        self.waits = 0
        self.lookups = 0
        self.keeps = True

    def lookup(self, key: Any, **options: Any) -> Any:
        self.lookups += 1
        self.gate.wait(30)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def claim(self, key: Any, holder: str, **options: Any) -> Claim | None:
        return CLAIM

    def heartbeat(self, claims: list[Claim], **options: Any) -> list[Claim]:
        self.extended += claims
        return claims if self.keeps else []

    def release(self, claims: list[Claim]) -> None:
        self.released += claims

    def wait(self, keys: Any, **options: Any) -> Iterator[tuple[bytes, WaitEvent]]:
        self.waits += 1
        yield KEY.digest, WaitEvent.RELEASED


@pytest.fixture(autouse=True)
def fresh_diagnostics() -> None:
    diagnostics.reset()


def deciding(cache: FakeCache, seconds: float = 2.0) -> tuple[Decisions, Claims]:
    get: Callable[[], Any] = lambda: cache  # noqa: E731
    claims = Claims(get)
    options = replace(RecordingOptions(), decide_seconds=seconds)
    return Decisions(get, claims, options), claims


def test_a_miss_holds_its_claim_and_extends_it() -> None:
    cache = FakeCache(FREE)
    decisions, claims = deciding(cache)
    caching = Caching(lease=timedelta(seconds=0.3))
    assert decisions.decide(KEY, "me", caching) == FREE
    assert 0 < (claims.work() or 0) <= 0.1
    time.sleep(0.11)
    claims.work()
    assert cache.extended == [CLAIM]
    claims.give_up(CLAIM)
    assert claims.work() is None
    assert cache.released == [CLAIM]


def test_a_claim_that_was_lost_is_no_longer_extended(caplog) -> None:
    cache = FakeCache(FREE)
    decisions, claims = deciding(cache)
    decisions.decide(KEY, "me", Caching(lease=timedelta()))
    cache.keeps = False
    assert claims.work() is None
    assert "was lost" in caplog.text


def test_a_store_that_hangs_is_a_miss_in_time_and_is_left_alone(caplog) -> None:
    cache = FakeCache(FREE)
    cache.gate.clear()
    decisions, claims = deciding(cache, 0.2)
    start = time.monotonic()
    for _ in range(5):
        assert decisions.decide(KEY, "me", Caching()) is None
    assert time.monotonic() - start < 1
    assert cache.lookups == 1
    assert "no cache decision" in caplog.text
    cache.gate.set()  # the answer comes too late: its claim is given back
    until(lambda: claims.work() is None and cache.released == [CLAIM])


def test_an_error_is_a_miss(caplog) -> None:
    decisions, _ = deciding(FakeCache(errors.Unavailable("gone")))
    assert decisions.decide(KEY, "me", Caching()) is None
    assert "gone" in caplog.text


def test_what_is_in_flight_is_waited_for() -> None:
    cache = FakeCache(BUSY, BUSY, FREE)
    decisions, _ = deciding(cache)
    assert decisions.decide(KEY, "me", Caching()) == FREE
    assert cache.waits == 2


def test_a_wait_is_bounded_if_wanted() -> None:
    cache = FakeCache(BUSY)
    decisions, _ = deciding(cache)
    assert decisions.decide(KEY, "me", Caching(wait=timedelta())) is None
    assert cache.waits == 0


def test_a_step_never_waits_for_one_that_it_runs_in() -> None:
    cache = FakeCache(BUSY)
    decisions, _ = deciding(cache)
    assert decisions.decide(KEY, "me", Caching(), enclosing=["you"]) is None
    assert cache.waits == 0
