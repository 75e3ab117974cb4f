"""The thread of a worker: woken, due, idle, after a defect, and at the end."""

import threading
import time
from collections.abc import Iterator

import pytest

from lineage_store import worker as workers
from lineage_store.worker import Worker
from tests.unit.recordings import until


class Cycles:
    """Cycles of a test: each has to be let begin, and may fail."""

    def __init__(self) -> None:
        self.count = 0
        self.threads: set[int] = set()
        self.seconds: float | None = None
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self) -> float | None:
        self.count += 1
        self.threads.add(threading.get_ident())
        self.gate.wait(10)
        if self.error is not None:
            raise self.error
        return self.seconds


@pytest.fixture
def cycles() -> Iterator[Cycles]:
    cycles = Cycles()
    yield cycles
    cycles.gate.set()


def thread_names() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_it_starts_with_the_first_cycle_and_runs_one_for_each_time_it_is_woken(cycles) -> None:
    worker = Worker("some-work", cycles)
    worker.wait()
    assert "some-work" not in thread_names()
    for count in (1, 2, 3):
        worker.wake()
        worker.wait()
        assert cycles.count == count
    assert "some-work" in thread_names()
    assert len(cycles.threads) == 1
    worker.stop()
    assert "some-work" not in thread_names()


def test_calls_during_a_cycle_cost_one_more_and_none_if_an_idle_worker_is_meant(cycles) -> None:
    worker = Worker("busy", cycles)
    cycles.gate.clear()
    worker.wake()
    until(lambda: cycles.count == 1)
    for _ in range(5):
        worker.wake_idle()
    cycles.gate.set()
    worker.wait()
    assert cycles.count == 1
    cycles.gate.clear()
    worker.wake_idle()
    until(lambda: cycles.count == 2)
    for _ in range(5):
        worker.wake()
    cycles.gate.set()
    worker.wait()
    assert cycles.count == 3
    worker.stop()


def test_no_wake_is_lost() -> None:
    """Each item is seen by a cycle that begins after it was added."""
    added, seen, done = [], [0], threading.Event()

    def look() -> None:
        seen[0] = len(added)
        if seen[0] == 4000:
            done.set()

    worker = Worker("looks", look, idle_seconds=0.0)

    def add() -> None:
        for number in range(1000):
            added.append(number)
            worker.wake()

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done.wait(10)
    worker.stop()


def test_a_cycle_comes_when_it_is_due(cycles) -> None:
    cycles.seconds = 0.01
    worker = Worker("due", cycles)
    worker.wake()
    until(lambda: cycles.count >= 5)
    worker.stop()


def test_an_idle_thread_ends_and_another_runs_the_next_cycle(cycles) -> None:
    worker = Worker("brief", cycles, idle_seconds=0.0)
    worker.wake()
    until(lambda: cycles.count == 1 and "brief" not in thread_names())
    worker.wake()
    worker.wait()
    assert cycles.count == 2
    worker.stop()


def test_a_defect_is_logged_and_the_thread_goes_on(cycles, monkeypatch, caplog) -> None:
    monkeypatch.setattr(workers, "RETRY_SECONDS", 0.01)
    cycles.error = ZeroDivisionError("a defect")
    worker = Worker("defective", cycles)
    worker.wake()
    until(lambda: cycles.count >= 3)
    cycles.error = None
    worker.wake()
    worker.stop()
    assert "the thread defective goes on" in caplog.text
    assert "ZeroDivisionError: a defect" in caplog.text


def test_a_defect_is_handed_over(cycles) -> None:
    cycles.error = ZeroDivisionError("a defect")
    errors = []
    worker = Worker("handing", cycles, on_defect=errors.append)
    worker.wake()
    worker.wait()
    assert errors == [cycles.error]
    worker.stop()


def test_a_stop_ends_a_pause_waits_no_longer_than_it_may_and_is_final(cycles) -> None:
    events: list[object] = []

    def pause() -> None:
        events.append("begin")
        events.append(worker.pause(60))

    worker = Worker("pausing", pause, at_end=lambda: events.append("end"))
    worker.wake()
    until(lambda: "begin" in events)
    worker.stop(10)
    assert events == ["begin", True, "end"]
    worker.wake()
    worker.wait()
    assert "pausing" not in thread_names()
    cycles.gate.clear()
    stuck = Worker("stuck", cycles)
    stuck.wake()
    until(lambda: cycles.count == 1)
    start = time.monotonic()
    stuck.stop(0.05)
    assert time.monotonic() - start < 5
    assert stuck.is_stopped
    assert "stuck" in thread_names()


def test_a_worker_that_never_had_a_cycle_stops_without_an_end() -> None:
    ends = []
    worker = Worker("unused", lambda: None, at_end=lambda: ends.append(1))
    worker.stop()
    assert ends == []
