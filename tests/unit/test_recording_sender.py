"""The thread that sends records: in order, once, in bounded memory, and never in the way."""

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lineage_store import errors
from lineage_store.recording import RecordingOptions, diagnostics
from lineage_store.recording.delivery.records import STEP, Record
from lineage_store.recording.delivery.sender import Sender
from lineage_store.recording.delivery.spool import Spool
from tests.unit.recordings import FakeStore, record, until

OPTIONS = RecordingOptions(retry_seconds=0.05, flush_seconds=5.0)
KEYS = [f"k{number:04}" for number in range(1000)]


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "s.spool", url="grpc://x:1")


@pytest.fixture
def sender(store: FakeStore, spool: Spool) -> Iterator[Sender]:
    with_spool = make(store, spool)
    yield with_spool
    with_spool.close(1.0)


@pytest.fixture(autouse=True)
def fresh_diagnostics() -> None:
    diagnostics.reset()


def make(store: FakeStore, spool: Spool | None, **options: Any) -> Sender:
    return Sender(lambda: store, spool, replace(OPTIONS, **options), lambda: 60.0)


def test_what_is_put_is_sent_in_order_and_in_batches(sender, store, spool) -> None:
    for key in KEYS:
        sender.put(record(key))
    assert sender.flush(10)
    assert store.accepted_keys == KEYS
    assert store.calls < 20
    assert not spool.path.exists()


def test_what_can_not_be_sent_is_spooled_and_replayed_in_order(
    sender, store, spool, caplog
) -> None:
    store.error = errors.Unavailable("gone")
    for key in KEYS[:50]:
        sender.put(record(key))
    assert sender.flush(5)
    for key in KEYS[50:100]:
        sender.put(record(key))
    assert sender.flush(5)
    assert spool.status().pending == 100
    store.error = None
    until(lambda: len(store.accepted_keys) == 100)
    for key in KEYS[100:110]:
        sender.put(record(key))
    until(lambda: len(store.accepted_keys) == 110)
    assert store.accepted_keys == KEYS[:110]
    assert [r.levelname for r in caplog.records if "away" in r.getMessage()] == ["WARNING"]


@pytest.mark.parametrize(
    "error",
    [
        errors.DeadlineExceeded("slow"),
        errors.Unauthenticated("expired"),
        errors.PermissionDenied("no"),
        errors.Unimplemented("an old server"),
        errors.Aborted("busy"),
    ],
)
def test_errors_that_pass_lose_nothing(sender, store, spool, error) -> None:
    store.error = error
    sender.put(record("a"))
    assert sender.flush(5)
    assert spool.status().pending == 1
    store.error = None
    until(lambda: store.accepted_keys == ["a"])


def test_a_call_that_never_returns_is_in_nobodys_way(store, spool) -> None:
    sender = make(store, spool, buffer_records=20)
    store.gate.clear()
    start = time.monotonic()
    for key in KEYS[:100]:
        sender.put(record(key))
    assert time.monotonic() - start < 2
    assert len(sender._buffer) <= 21
    sender.close(0.2)
    assert time.monotonic() - start < 5
    kept_keys = [r.request.step.key for _, r in spool.first(200)]
    # What the thread had in hand may be kept twice: the store knows what it has.
    assert list(dict.fromkeys(kept_keys)) == KEYS[:100]
    store.gate.set()


def test_a_full_buffer_in_bytes_goes_to_the_spool(store, spool) -> None:
    sender = make(store, spool, buffer_bytes=50_000)
    store.gate.clear()
    for key in KEYS[:20]:
        sender.put(record(key, text="x" * 10_000))
        assert sender._buffer.bytes <= 50_000
    store.gate.set()
    assert sender.flush(5)
    until(lambda: sorted(set(store.accepted_keys)) == KEYS[:20])
    sender.close(1)


def test_without_a_spool_a_full_buffer_waits(store) -> None:
    sender = make(store, None, buffer_records=10)
    for key in KEYS[:200]:
        sender.put(record(key))
    sender.close(10)
    assert store.accepted_keys == KEYS[:200]


def test_what_is_refused_is_kept_aside_and_blocks_nothing(sender, store, spool, caplog) -> None:
    store.refuses = lambda step: errors.InvalidArgument("no") if step.key == "bad" else None
    for key in ("a", "bad", "b"):
        sender.put(record(key))
    assert sender.flush(5)
    assert store.accepted_keys == ["a", "b"]
    status = spool.status()
    assert (status.pending, status.refused) == (0, 1)
    assert status.refusals == {"INVALID_ARGUMENT: no": 1}
    assert "refused a record" in caplog.text


def test_a_request_that_is_refused_as_a_whole_is_taken_apart(sender, store, spool) -> None:
    original = store.call

    def call(method: str, request: Any) -> Any:
        if method == "RecordSteps" and any(step.key == "bad" for step in request.steps):
            raise errors.Internal("a defect")
        return original(method, request)

    store.call = call
    for key in ("a", "bad", "b"):
        sender.put(record(key))
    assert sender.flush(5)
    assert store.accepted_keys == ["a", "b"]
    status = spool.status()  # whether the store will ever take it can't be told yet
    assert (status.pending, status.refused) == (1, 0)


def test_a_step_is_recorded_even_if_it_may_not_publish(sender, store, spool) -> None:
    store.refuses = lambda step: errors.StaleClaim("late") if step.HasField("cache") else None
    request = record("a").request
    request.step.cache.digest = b"x" * 32
    sender.put(Record.of(STEP, request))
    assert sender.flush(5)
    assert store.accepted_keys == ["a"]
    assert not spool.path.exists()


def test_a_damaged_spool_is_saved_as_far_as_it_goes(store, spool, caplog) -> None:
    spool.add([record(key) for key in KEYS])
    with spool.path.open("r+b") as file:
        file.truncate(spool.path.stat().st_size // 2)
    sender = make(store, spool)
    sender.put(record("new"))
    until(lambda: "new" in store.accepted_keys)
    assert 0 < len(store.accepted_keys) - 1 < len(KEYS)
    assert store.accepted_keys[:-1] == sorted(store.accepted_keys[:-1])
    assert "is damaged" in caplog.text
    assert "records are lost" in caplog.text
    assert list(spool.path.parent.glob("*.damaged-*"))
    sender.close(1)


def test_a_spool_that_can_not_be_written_is_told_once(store, tmp_path, caplog) -> None:
    (tmp_path / "file").write_text("")
    sender = make(store, Spool(tmp_path / "file" / "s.spool"))
    store.error = errors.Unavailable("gone")
    for key in KEYS[:5]:
        sender.put(record(key))
        assert not sender.flush(5)
    assert [r.levelname for r in caplog.records if "can't be used" in r.getMessage()] == ["WARNING"]
    store.error = None
    sender.put(record("later"))
    until(lambda: store.accepted_keys == [*KEYS[:5], "later"])
    sender.close(1)
    assert "lost" not in caplog.text


def test_what_does_not_fit_into_the_spool_waits_elsewhere(store, tmp_path, caplog) -> None:
    spool = Spool(tmp_path / "s.spool", max_bytes=200_000)
    sender = make(store, spool)
    store.error = errors.Unavailable("gone")
    for key in KEYS[:40]:
        sender.put(record(key, text="x" * 10_000))
        sender.flush(5)
    assert 0 < spool.status().pending < 40
    store.error = None
    until(lambda: len(store.accepted_keys) == 40)
    assert sorted(store.accepted_keys) == KEYS[:40]
    sender.close(1)
    assert "lost" not in caplog.text


def test_what_is_put_after_the_end_is_spooled(sender, store, spool) -> None:
    sender.close(1)
    sender.put(record("late"))
    assert [r.request.step.key for _, r in spool.first()] == ["late"]


def test_a_defect_does_not_stop_the_thread(store, spool, caplog) -> None:
    sender = make(store, spool)
    store.error = ZeroDivisionError("a defect")
    sender.put(record("a"))
    until(lambda: "after a defect" in caplog.text)
    store.error = None
    sender.put(record("b"))
    until(lambda: "b" in store.accepted_keys)
    assert "a" in [*store.accepted_keys, *(r.request.step.key for _, r in spool.first())]
    sender.close(1)


def test_many_threads_put(sender, store) -> None:
    def put(name: str) -> None:
        for number in range(200):
            sender.put(record(f"{name}/{number:03}"))

    threads = [threading.Thread(target=put, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sender.flush(10)
    assert len(store.accepted_keys) == len(set(store.accepted_keys)) == 800
    for name in "abcd":
        mine = [key for key in store.accepted_keys if key.startswith(name)]
        assert mine == sorted(mine)


def test_a_complaint_is_told_once(caplog) -> None:
    caplog.set_level(logging.DEBUG)
    for _ in range(3):
        diagnostics.warn_once("kind", "it is %s", "so")
    assert [r.levelname for r in caplog.records] == ["WARNING", "DEBUG", "DEBUG"]
    diagnostics.rearm("kind")
    diagnostics.warn_once("kind", "it is %s", "so")
    assert caplog.records[-1].levelname == "WARNING"


def test_a_record_reads_back() -> None:
    step_record = record("a", depth=6)
    assert Record.of(step_record.method, step_record.request) == step_record
    assert step_record.is_readable
    for method, body in (("Nope", b""), ("RecordStep", b"\xff")):
        with pytest.raises(errors.DataLoss):
            _ = Record(method, body).request
        assert not Record(method, body).is_readable
