"""The memory of a sender, and the states in which records leave it."""

import threading
import time
from pathlib import Path

import pytest

from lineage_store import errors
from lineage_store.recording import RecordingOptions, diagnostics
from lineage_store.recording.delivery.buffer import Buffer
from lineage_store.recording.delivery.record_queue import QueuedRecord, settle
from lineage_store.recording.delivery.sender import Sender
from lineage_store.recording.delivery.spool import Spool
from tests.unit.recordings import FakeStore, record

RETRY_SECONDS = 0.05


@pytest.fixture
def buffer() -> Buffer:
    """One with room for three records, that has four."""
    buffer = Buffer(most_records=3, most_bytes=10_000, retry_seconds=RETRY_SECONDS)
    for number, key in enumerate("abcd", start=1):
        buffer.append(QueuedRecord(record(key), number))
    return buffer


@pytest.fixture(autouse=True)
def fresh_diagnostics() -> None:
    diagnostics.reset()


def keys(records: list[QueuedRecord]) -> str:
    return "".join(each.record.request.step.key for each in records)


def test_what_comes_back_unsettled_waits_before_all_others(buffer) -> None:
    with buffer.changed:
        batch = buffer.take_batch()
        assert (keys(batch), len(buffer), buffer.is_empty) == ("abcd", 0, False)
        buffer.append(QueuedRecord(record("e"), 5))
        settle(batch[:2])
        assert keys(buffer.gather()) == "cde"
        buffer.take_back([])
    assert keys(list(buffer.unsent())) == "cde"
    assert buffer.failure_count == 1
    assert buffer.bytes == sum(each.record.size() for each in buffer.all)


def test_what_is_put_off_waits_until_its_time_or_until_all_is_gathered(buffer) -> None:
    with buffer.changed:
        batch = buffer.take_batch()
        settle(batch[2:])
        buffer.take_back([batch[0]])
        assert keys(buffer.all) == "b"
        assert buffer.due(0.0) == 0.0
        assert keys(buffer.take_batch()) == "b"
        settle(buffer.sending)
        buffer.take_back([])
        assert 0 < buffer.due(0.0) - time.monotonic() <= RETRY_SECONDS
        assert buffer.take_batch() == []
        time.sleep(RETRY_SECONDS)
        assert keys(buffer.take_batch()) == "a"
        buffer.take_back(buffer.sending)
        assert keys(buffer.gather()) == "a"
        assert len(buffer) == 1


def test_an_empty_buffer_is_never_due(buffer) -> None:
    with buffer.changed:
        settle(buffer.take_batch())
        buffer.take_back([])
    assert buffer.is_empty
    assert buffer.due(0.0) == float("inf")
    assert buffer.failure_count == 0


def test_it_is_journalled_if_all_records_have_numbers(buffer) -> None:
    assert buffer.is_journalled
    buffer.append(QueuedRecord(record("e")))
    assert not buffer.is_journalled
    with buffer.changed:
        buffer.take_batch()
        assert not buffer.is_journalled


def test_space_is_awaited_while_there_is_hope_and_time(buffer) -> None:
    def take() -> None:
        with buffer.changed:
            buffer.take_batch()

    with buffer.changed:
        start = time.monotonic()
        buffer.await_space(lambda: True, 60)
        buffer.await_space(lambda: False, 0.01)
        assert buffer.is_full
        threading.Thread(target=take).start()
        buffer.await_space(lambda: False, 60)
    assert time.monotonic() - start < 30
    assert not buffer.is_full


def test_nobody_who_is_in_a_hurry_waits_for_more_records(buffer, monkeypatch) -> None:
    monkeypatch.setattr("lineage_store.recording.delivery.buffer.LINGER_SECONDS", 60)
    start = time.monotonic()
    with buffer.changed, buffer.hurry():
        buffer.linger(lambda: False)
    with buffer.changed:
        buffer.linger(lambda: True)
        settle(buffer.take_batch())
        buffer.take_back([])
        buffer.linger(lambda: False)  # there is nothing for others to join
    assert time.monotonic() - start < 30


def make(store: FakeStore, spool: Spool | None) -> Sender:
    options = RecordingOptions(retry_seconds=RETRY_SECONDS, flush_seconds=1.0)
    return Sender(lambda: store, spool, options, lambda: 60.0)


def test_a_forked_sender_spools_also_after_its_end(tmp_path: Path) -> None:
    store, spool = FakeStore(), Spool(tmp_path / "s.spool")
    sender = make(store, spool)
    sender.after_fork()
    sender.put(record("a"))
    sender.wake()
    assert sender.flush(1)
    assert not sender.settle(1)
    sender.close(1)
    sender.put(record("b"))
    assert sender.is_child
    assert [r.request.step.key for _, r in spool.first()] == ["a", "b"]
    assert (store.calls, sender._losses.total) == (0, 0)


def test_a_forked_sender_without_a_file_keeps_records_until_its_end(caplog) -> None:
    store = FakeStore()
    sender = make(store, None)
    sender.after_fork()
    sender.put(record("a"))
    assert (len(sender._buffer), sender._losses.total) == (1, 0)
    sender.close(1)
    sender.put(record("b"))
    assert (len(sender._buffer), sender._losses.total) == (0, 2)
    assert caplog.messages[-1] == "1 records of steps were lost in all"


def test_a_closed_sender_drops_what_no_file_takes() -> None:
    store = FakeStore()
    store.error = errors.Unavailable("gone")
    sender = make(store, None)
    sender.put(record("a"))
    sender.close(0.2)
    sender.put(record("b"))
    assert (len(sender._buffer), sender._losses.total) == (0, 2)
    sender.wake()
    sender.close(1)
    assert store.accepted_keys == []
