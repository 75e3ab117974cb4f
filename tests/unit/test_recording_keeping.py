"""Records that meet a spool that fails, and a process that is killed: each is sent, or counted."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lineage_store import errors
from lineage_store.recording import RecordingOptions, diagnostics
from lineage_store.recording.delivery import backlog, courier
from lineage_store.recording.delivery import sender as sender_module
from lineage_store.recording.delivery.records import Record
from lineage_store.recording.delivery.replay import recover, replay, spool_paths, spool_status
from lineage_store.recording.delivery.sender import Sender
from lineage_store.recording.delivery.sending import DeliveryResult
from lineage_store.recording.delivery.spool import Spool, SpoolDamaged
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


def test_a_locked_spool_holds_up_no_store_that_is_there(store, spool, caplog) -> None:
    spool.add([record("waits")])
    sender = make(store, spool)
    with closing(sqlite3.connect(spool.path)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        put(sender, *KEYS[:50])
        until(lambda: store.accepted_keys == KEYS[:50])
        store.error = errors.Unavailable("gone")
        put(sender, *KEYS[50:60])
        assert sender.flush(5)  # they are in the journal
        assert "lost" not in caplog.text
    store.error = None
    until(lambda: set(store.accepted_keys) == {"waits", *KEYS[:60]})
    sender.close(1)


def test_what_a_full_disk_keeps_in_the_spool_is_sent_once(store, spool, monkeypatch) -> None:
    spool.add([record(key) for key in KEYS[:10]])
    full = errors.Unavailable("database or disk is full")

    def fail(*_: Any) -> None:
        raise full

    settle = Spool.settle
    monkeypatch.setattr(Spool, "settle", fail)
    monkeypatch.setattr(Spool, "add", fail)
    sender = make(store, spool)
    sender.wake()
    until(lambda: store.accepted_keys == KEYS[:10])
    put(sender, *KEYS[10:20])
    until(lambda: store.accepted_keys == KEYS[:20])
    assert spool_status(spool.path).pending == 10
    monkeypatch.setattr(Spool, "settle", settle)
    until(lambda: spool_status(spool.path).pending == 0)
    assert store.accepted_keys == KEYS[:20]
    sender.close(1)


def test_memory_is_used_up_to_its_bound_and_each_loss_is_counted(store, tmp_path, caplog) -> None:
    (tmp_path / "file").write_text("")
    spool = Spool(tmp_path / "file" / "s.spool")
    store.error = errors.Unavailable("gone")
    sender = make(store, spool, buffer_records=10)
    put(sender, *KEYS[:30])
    (tmp_path / "file").unlink()
    store.error = None
    until(
        lambda: (
            store.accepted_keys == KEYS[: len(store.accepted_keys)]
            and len(store.accepted_keys) >= 10
        )
    )
    sender.close(5)
    lost_count = 30 - len(store.accepted_keys)
    assert 0 < lost_count <= 20
    assert caplog.messages[-1] == f"{lost_count} records of steps were lost in all"
    status = spool_status(spool.path)
    assert (status.lost, sum(status.losses.values())) == (lost_count, lost_count)
    [why] = status.losses
    assert "memory for them is full" in why


def test_what_no_file_takes_at_the_end_is_counted(store, tmp_path, caplog) -> None:
    (tmp_path / "file").write_text("")
    store.error = errors.Unavailable("gone")
    sender = make(store, Spool(tmp_path / "file" / "s.spool"))
    put(sender, *KEYS[:7])
    sender.close(0.2)
    assert caplog.messages[-1] == "7 records of steps were lost in all"


def test_losses_are_added_up_and_half_a_line_is_told(spool) -> None:
    lines = [json.dumps({"at": 1, "records": n, "why": why}) for n, why in ((3, "a"), (4, "b"))]
    spool.path.with_suffix(".losses").write_text("\n".join(lines) + '\n{"at": 1, "rec')
    status = spool_status(spool.path)
    assert status.losses == {"a": 3, "b": 4, "a line of the file can't be read": 1}
    assert spool_paths(spool.path.parent) == [spool.path]


def killed(sender: Sender) -> None:
    """Take the locks of a process from a sender whose thread stands still."""
    sender._journal.forget()


def test_the_next_process_sends_what_a_killed_one_recorded(store, spool) -> None:
    dead_store = FakeStore()
    dead_store.gate.clear()
    sender = make(dead_store, spool)
    put(sender, *KEYS[:20])
    assert spool_status(spool.path).pending == 0  # it lives
    killed(sender)
    status = spool_status(spool.path)
    assert (status.pending, status.journals, status.url) == (20, 1, "grpc://x:1")
    assert status.oldest is not None
    later = make(store, spool)
    later.wake()
    until(lambda: store.accepted_keys == KEYS[:20])
    until(lambda: spool_status(spool.path).journals == 0)
    later.close(1)
    dead_store.gate.set()


def test_a_journal_is_sent_although_the_spool_takes_nothing(store, spool) -> None:
    dead_store = FakeStore()
    dead_store.gate.clear()
    sender = make(dead_store, spool)
    put(sender, *KEYS[:20])
    killed(sender)
    spool.path.mkdir()
    later = make(store, spool)
    later.wake()
    until(lambda: store.accepted_keys == KEYS[:20])
    spool.path.rmdir()
    until(lambda: spool_status(spool.path).journals == 0)
    later.close(1)
    dead_store.gate.set()


def test_a_full_memory_goes_on_in_the_journal(store, spool, caplog) -> None:
    spool.path.mkdir()
    store.error = errors.Unavailable("gone")
    sender = make(store, spool, buffer_records=10)
    put(sender, *KEYS[:100])
    assert len(sender._buffer) <= 11
    sender.close(0.2)
    spool.path.rmdir()
    assert spool_status(spool.path).pending == 100
    store.error = None
    result = replay(Opened(store), spool.path)
    assert (result.sent, result.refused, result.left) == (100, 0, 0)
    assert sorted(store.accepted_keys) == KEYS[:100]
    assert "lost" not in caplog.text
    assert list(spool.path.parent.iterdir()) == [spool.path]


def test_replay_offers_what_was_refused_again(store, spool) -> None:
    store.refuses = lambda step: errors.NotFound("no type") if step.key in KEYS[:3] else None
    sender = make(store, spool)
    put(sender, *KEYS[:5])
    sender.close(5)
    assert spool_status(spool.path).refused == 3
    again = replay(Opened(store), spool.path)
    assert (again.sent, again.refused, again.left) == (0, 3, 0)
    store.error = errors.Unavailable("gone")
    with pytest.raises(errors.Unavailable):
        replay(Opened(store), spool.path)
    store.error, store.refuses = None, lambda step: None
    result = replay(Opened(store), spool.path)
    assert (result.sent, result.refused, result.left) == (3, 0, 0)
    assert sorted(store.accepted_keys) == KEYS[:5]


def test_what_only_a_later_version_can_read_is_set_aside(store, spool) -> None:
    spool.add(
        [record("a"), Record("RecordDream", b"\xff"), Record("RecordStep", b"\xff"), record("b")]
    )
    sender = make(store, spool)
    sender.wake()
    until(lambda: store.accepted_keys == ["a", "b"])
    until(lambda: spool_status(spool.path).refused == 2)
    [why] = spool_status(spool.path).refusals
    assert why.startswith("UNREADABLE")
    sender.close(1)


def test_the_file_of_a_later_version_is_left_alone(store, spool, caplog) -> None:
    spool.add([record("old")])
    with closing(sqlite3.connect(spool.path)) as connection:
        connection.execute("PRAGMA user_version = 1")
    content = spool.path.read_bytes()
    with pytest.raises(errors.Unavailable, match="a later version"):
        spool_status(spool.path)
    with pytest.raises(errors.Unavailable, match="a later version"):
        recover(spool.path)
    sender = make(store, spool)
    put(sender, *KEYS[:5])
    until(lambda: store.accepted_keys == KEYS[:5])
    sender.close(1)
    assert spool.path.read_bytes() == content


def test_a_format_that_sqlite_does_not_know_is_damage(store, spool) -> None:
    spool.add([record("a")])
    with spool.path.open("r+b") as file:
        file.seek(44)  # the schema format number
        file.write((9).to_bytes(4, "big"))
    with pytest.raises(SpoolDamaged):
        spool_status(spool.path)
    store.error = errors.Unavailable("gone")
    sender = make(store, spool)
    put(sender, *KEYS[:5])
    assert sender.flush(5)
    assert spool_status(spool.path).pending == 5
    sender.close(1)


def test_only_the_user_may_read_what_waits(spool) -> None:
    spool.add([record("a")])
    assert spool.path.stat().st_mode & 0o077 == 0


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_uses_a_journal_of_its_own(store, spool) -> None:
    sender = make(store, spool)
    put(sender, "parent")
    assert sender.flush(5)
    spool.path.mkdir(exist_ok=True)
    child = os.fork()
    if not child:
        sender.after_fork()
        put(sender, *KEYS[:5])
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    spool.path.rmdir()
    until(lambda: set(store.accepted_keys) == {"parent", *KEYS[:5]})
    sender.close(1)


def test_a_call_that_comes_back_after_the_spill_sends_nothing_twice(store, spool) -> None:
    sender = make(store, spool, buffer_records=5)
    store.gate.clear()
    put(sender, *KEYS[:20])
    threading.Timer(0.2, store.gate.set).start()
    assert sender.settle(10)
    assert sorted(set(store.accepted_keys)) == KEYS[:20]
    sender.close(1)


def test_numbers_of_a_file_that_was_replaced_say_nothing(spool, monkeypatch) -> None:
    spool.add([record(key) for key in KEYS[:3]])
    reading = backlog.Backlog(spool)
    batch = reading.batch()

    def fail(*_: Any) -> None:
        raise errors.Unavailable("database or disk is full")

    monkeypatch.setattr(Spool, "settle", fail)
    reading.settle(batch, DeliveryResult(tried_count=3))
    assert reading.batch() == []
    monkeypatch.undo()
    spool.path.rename(spool.path.with_name("aside"))
    spool.add([record(key) for key in KEYS[3:6]])  # under the same numbers
    assert [r.request.step.key for _, r in reading.batch()] == KEYS[3:6]


def test_a_full_memory_costs_the_caller_nothing_while_nothing_works(store, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    spool = Spool(tmp_path / "file" / "s.spool")
    store.error = errors.Unavailable("gone")
    sender = make(store, spool, buffer_records=10, retry_seconds=60.0)
    put(sender, *KEYS[:20])
    # The thread of the sender may come late: until it has tried the store and the spool once,
    # it is to do so.
    until(lambda: sender._courier.is_away and sender._losses.total == 10)
    tried = []
    sender._courier.spool = tried.append  # type: ignore[method-assign, assignment]
    put(sender, *KEYS[20:40])
    assert (tried, sender._losses.total) == ([], 30)
    sender._courier.spool = lambda records: False  # type: ignore[method-assign]
    sender.close(0.1)
    assert sender._losses.total == 40


def test_a_store_that_is_there_loses_nothing_although_no_file_can_be_written(
    store, tmp_path
) -> None:
    (tmp_path / "file").write_text("")
    sender = make(store, Spool(tmp_path / "file" / "s.spool"), buffer_records=10)
    put(sender, *KEYS[:500])
    sender.close(5)
    assert store.accepted_keys == KEYS[:500]
    assert sender._losses.total == 0


def test_what_is_unanswered_at_the_end_is_counted(store, tmp_path, caplog) -> None:
    (tmp_path / "file").write_text("")
    store.gate.clear()
    sender = make(store, Spool(tmp_path / "file" / "s.spool"))
    put(sender, *KEYS[:7])
    until(lambda: store.calls)
    sender.close(0.2)
    assert caplog.messages[-1] == "7 records of steps were lost in all"
    store.gate.set()
