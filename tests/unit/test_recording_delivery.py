"""Records that meet errors of the store: they wait, are set aside, or are sent in parts."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lineage_store import errors
from lineage_store.recording import RecordingOptions, diagnostics
from lineage_store.recording.delivery import backlog, courier
from lineage_store.recording.delivery import sender as sender_module
from lineage_store.recording.delivery.replay import spool_status
from lineage_store.recording.delivery.sender import Sender
from lineage_store.recording.delivery.spool import Spool
from lineage_store.recording.delivery.verdicts import VERDICTS, Verdict, verdict_of
from tests.unit.recordings import FakeStore, record, until

OPTIONS = RecordingOptions(retry_seconds=0.05, flush_seconds=5.0)
KEYS = [f"k{number:04}" for number in range(1000)]
PAGE = Path(__file__).parent.parent.parent / "docs" / "recording.md"


class Opened:
    """A store as `replay` takes it."""

    def __init__(self, store: FakeStore) -> None:
        self._store = store

    def fail_fast_transport(self) -> FakeStore:
        return self._store


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    diagnostics.reset()
    monkeypatch.setattr(sender_module, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(courier, "ADOPT_SECONDS", 0.1)


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "s.spool", url="grpc://x:1", busy_seconds=0.05)


@pytest.fixture
def sender(store: FakeStore, spool: Spool) -> Iterator[Sender]:
    new_sender = make(store, spool)
    yield new_sender
    new_sender.close(1.0)


def make(store: FakeStore, spool: Spool | None, **options: Any) -> Sender:
    return Sender(lambda: store, spool, replace(OPTIONS, **options), lambda: 60.0)


def put(sender: Sender, *keys: str, **properties: Any) -> None:
    for key in keys:
        sender.put(record(key, **properties))


def test_the_page_has_the_table_of_errors() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (never|later|doubt) \| (.+) \|$", PAGE.read_text(), re.M)
    assert rows == [(cls.reason, str(verdict), why) for cls, (verdict, why) in VERDICTS.items()]


def test_each_error_of_the_store_has_a_verdict() -> None:
    ours = {cls for cls in errors.BY_REASON.values() if cls.__module__ == errors.__name__}
    assert ours - {errors.LineageError} == set(VERDICTS)

    class Later(errors.Unavailable):
        """A class that the table does not have."""

    assert verdict_of(Later("")) is Verdict.LATER
    assert verdict_of(errors.LineageError("")) is Verdict.DOUBT


@pytest.mark.parametrize("cls", [c for c, (verdict, _) in VERDICTS.items() if verdict != "never"])
def test_what_passes_loses_nothing_and_keeps_the_order(cls, sender, store, spool) -> None:
    store.error = cls("for now")
    put(sender, *KEYS[:20])
    assert sender.flush(5)
    assert (spool_status(spool.path).pending, spool_status(spool.path).refused) == (20, 0)
    store.error = None
    put(sender, *KEYS[20:25])
    until(lambda: len(set(store.accepted_keys)) == 25)
    if VERDICTS[cls][0] is Verdict.LATER:
        assert store.accepted_keys == KEYS[:25]


@pytest.mark.parametrize("cls", [c for c, (verdict, _) in VERDICTS.items() if verdict == "never"])
def test_what_is_refused_blocks_nothing(cls, sender, store, spool) -> None:
    store.refuses = lambda step: cls("no") if step.key == "bad" else None
    put(sender, "a", "bad", "b")
    assert sender.flush(5)
    assert store.accepted_keys == ["a", "b"]
    assert spool_status(spool.path).refusals == {f"{cls.reason}: no": 1}


def fail_on(store: FakeStore, *keys: str, error: Exception) -> None:
    """Have each call fail as a whole that has a step of one of these keys."""
    call = store.call

    def fail(method: str, request: Any) -> Any:
        if method == "RecordSteps" and any(step.key in keys for step in request.steps):
            raise error
        return call(method, request)

    store.call = fail  # type: ignore[method-assign]


def test_a_poison_record_is_set_aside_in_the_end(store, spool, monkeypatch, caplog) -> None:
    fail_on(store, *KEYS[:5], error=errors.Internal("a defect"))
    sender = make(store, spool)
    put(sender, *KEYS[:10])  # more of them, one after the other, than make the store count as away
    until(lambda: store.accepted_keys == KEYS[5:10])
    assert sender.flush(5)
    put(sender, "later")
    until(lambda: "later" in store.accepted_keys)
    until(lambda: spool_status(spool.path).pending == 5)
    assert spool_status(spool.path).refused == 0
    monkeypatch.setattr(backlog, "ROUND_SECONDS", 0.0)
    monkeypatch.setattr(backlog, "DOUBT_SECONDS", 0.0)
    put(sender, "latest")
    until(lambda: spool_status(spool.path).refusals == {"INTERNAL: a defect": 5})
    assert "the store refused a record: INTERNAL: a defect" in caplog.text
    sender.close(1)


def test_a_store_that_takes_nothing_has_nothing_set_aside(store, spool, monkeypatch) -> None:
    monkeypatch.setattr(backlog, "ROUND_SECONDS", 0.0)
    monkeypatch.setattr(backlog, "DOUBT_SECONDS", 0.0)
    store.error = errors.Internal("all is broken")
    sender = make(store, spool)
    put(sender, *KEYS[:5])
    assert sender.flush(5)
    calls = store.calls
    until(lambda: store.calls > calls + 10)
    assert (spool_status(spool.path).pending, spool_status(spool.path).refused) == (5, 0)
    store.error = None
    until(lambda: sorted(store.accepted_keys) == KEYS[:5])
    sender.close(1)


def test_a_batch_that_is_too_large_is_sent_in_parts(sender, store, spool) -> None:
    call = store.call

    def bounded(method: str, request: Any) -> Any:
        if request.ByteSize() > 2_000:
            raise errors.TooLarge("Received message larger than max (2001 vs. 2000)")
        return call(method, request)

    store.call = bounded
    put(sender, *KEYS[:5], text="x" * 1000)
    put(sender, "large", text="x" * 3000)
    put(sender, "last")
    assert sender.flush(5)
    assert store.accepted_keys == [*KEYS[:5], "last"]
    [why] = spool_status(spool.path).refusals
    assert why.startswith("TOO_LARGE")


@pytest.mark.parametrize("place", ["spool", "_send", "_settle"])
def test_whatever_is_raised_a_batch_is_put_back(store, spool, monkeypatch, place) -> None:
    sender = make(store, spool)
    original = getattr(sender._courier, place)
    failures = iter([RuntimeError("one"), OSError("two"), errors.DataLoss("three")])

    def fail(*args: Any) -> Any:
        if (error := next(failures, None)) is not None:
            raise error
        return original(*args)

    monkeypatch.setattr(sender._courier, place, fail)
    sender._courier.has_spooled = True
    spool.add([record("first")])
    put(sender, *KEYS[:30])
    until(lambda: set(store.accepted_keys) == {"first", *KEYS[:30]})
    sender.close(1)
