"""A store that goes away while pipelines record: they never notice, and all is there once."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from lineage_store import Execution, LineageStore, connect, errors
from lineage_store.recording import Caching, RecordingOptions, diagnostics
from lineage_store.recording.delivery.replay import (
    Spool,
    SpoolDamaged,
    recover,
    replay,
    spool_path,
    spool_status,
)
from lineage_store.recording.delivery.sending import send
from tests.integration.restarts import Restartable

pytestmark = pytest.mark.long

STEPS = int(os.environ.get("LINEAGE_OUTAGE_STEPS", "60"))
AWAY_SECONDS = float(os.environ.get("LINEAGE_OUTAGE_SECONDS", "2"))
OVERHEAD_SECONDS = 1.0
"""What a step may cost beside its work; a decision may take decide_seconds more."""


@contextmanager
def restartable(directory: Path) -> Iterator[Restartable]:
    server = Restartable(directory)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Restartable]:
    with restartable(tmp_path) as started:
        yield started


@pytest.fixture
def options(tmp_path: Path) -> RecordingOptions:
    return RecordingOptions(spool=tmp_path / "spool", retry_seconds=0.2)


@pytest.fixture(autouse=True)
def fresh_diagnostics() -> None:
    diagnostics.reset()


def steps_of(store: LineageStore) -> list[Execution]:
    """Return the executions of steps, in the order in which they began."""
    steps = [each for each in store.iter_executions() if each.type != "PipelineRun"]
    return sorted(steps, key=lambda step: int(step.custom_properties["parameters.number"]))


def expect_each_once(store: LineageStore, count: int, state: str = "COMPLETE") -> None:
    steps = steps_of(store)
    numbers = [step.custom_properties["parameters.number"] for step in steps]
    assert numbers == list(range(count))
    assert Counter(step.state for step in steps) == {state: count}
    outputs = list(store.iter_artifacts())
    assert len(outputs) == count
    for step in steps:
        assert len(store.list_events(execution=step)) == (1 if step is steps[0] else 2)


def run_step(run, number: int, previous):
    inputs = {} if previous is None else {"before": previous}
    with run.step("work", params={"number": number}, inputs=inputs) as step:
        return step.output("out", uri=f"memory://{run.id}/{number}", type="Number")


def test_the_server_is_killed_in_the_middle_of_a_run(server, options, caplog) -> None:
    slowest, previous = 0.0, None
    killed = threading.Event()

    def outage() -> None:
        server.kill()
        killed.set()
        time.sleep(AWAY_SECONDS)
        server.start()

    away = threading.Thread(target=outage)
    with caplog.at_level(logging.WARNING), connect(server.url, recording=options) as store:
        with store.run("nightly", pipeline="churn") as run:
            for number in range(STEPS):
                if number == STEPS // 3:
                    away.start()
                    killed.wait()
                start = time.monotonic()
                previous = run_step(run, number, previous)
                slowest = max(slowest, time.monotonic() - start)
                time.sleep(3 * AWAY_SECONDS / STEPS if number >= STEPS // 3 else 0)
        away.join()
        wait_until_replayed(server.url, options)
        expect_each_once(store, STEPS)
        [whole] = store.list_executions(type="PipelineRun").items
        assert whole.state == "COMPLETE"
    assert slowest < OVERHEAD_SECONDS
    warnings = [record for record in caplog.records if "away" in record.getMessage()]
    assert len(warnings) == 1


def wait_until_replayed(url: str, options: RecordingOptions) -> None:
    path = spool_path(url, options.spool)
    deadline = time.monotonic() + 60
    while spool_status(path).pending:
        assert time.monotonic() < deadline, spool_status(path)
        time.sleep(0.05)


def test_a_decision_is_a_miss_while_the_server_is_away(server, options) -> None:
    with connect(server.url, recording=options) as store:
        with store.run("first") as run, run.step("work", params={"number": 0}, cache=True) as step:
            assert step.hit is None
        server.kill()
        start = time.monotonic()
        with store.run("second") as run:
            for number in range(3):
                with run.step("work", params={"number": number}, cache=Caching()) as step:
                    assert step.hit is None
                    assert step.decision == "NO_DECISION"
        assert time.monotonic() - start < 3 * options.decide_seconds
        server.start()
        wait_until_replayed(server.url, options)
        with store.run("third") as run, run.step("work", params={"number": 2}, cache=True) as step:
            assert step.hit is not None


def test_a_server_that_hangs_is_in_nobodys_way(server, options) -> None:
    impatient = replace(options, decide_seconds=0.5, flush_seconds=1.0)
    with connect(server.url, recording=impatient) as store:
        with store.run("first") as run:
            run_step(run, 0, None)
        server.freeze()
        start = time.monotonic()
        with store.run("second") as run:
            for number in range(1, 20):
                with run.step("work", params={"number": number}, cache=True) as step:
                    assert step.hit is None
                    step.output("out", uri=f"memory://{number}", version="1")
        store.close()
        assert time.monotonic() - start < 5
        server.thaw()
    with connect(server.url, recording=options) as store:
        with store.run("third"):
            pass
        wait_until_replayed(server.url, options)
        assert [step.custom_properties["parameters.number"] for step in steps_of(store)] == list(
            range(20)
        )


SPOOLING = """
import os, sys
from lineage_store import connect
from lineage_store.recording import RecordingOptions
url, spool, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = connect(url, connect_timeout=None, recording=RecordingOptions(spool=spool))
run = store.run("killed", run_id="killed").__enter__()
previous = None
for number in range(count):
    inputs = {} if previous is None else {"before": previous}
    with run.step("work", params={"number": number}, inputs=inputs) as step:
        previous = step.output("out", uri=f"memory://killed/{number}", type="Number")
assert store.flush_recording()
print("spooled", flush=True)
os.kill(os.getpid(), 9)
"""


def spool_from_a_process_that_is_killed(url: str, directory: Path, count: int) -> Path:
    process = subprocess.run(
        [sys.executable, "-c", SPOOLING, url, str(directory), str(count)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.stdout == "spooled\n", process.stderr
    assert process.returncode == -signal.SIGKILL
    return spool_path(url, directory)


def test_what_a_killed_process_spooled_another_replays(server, options) -> None:
    server.kill()
    path = spool_from_a_process_that_is_killed(server.url, Path(str(options.spool)), 20)
    status = spool_status(path)
    assert (status.pending, status.refused, status.url) == (41, 0, server.url)
    assert status.oldest is not None
    with connect(server.url, connect_timeout=None) as store:
        with pytest.raises(errors.Unavailable):
            replay(store, path)
        assert spool_status(path).pending == 41
    server.start()
    progress: list[tuple[int, int]] = []
    with connect(server.url) as store:
        result = replay(store, path, lambda *counts: progress.append(counts))
        assert (result.sent, result.refused, result.left) == (41, 0, 0)
        assert progress[-1] == (41, 41)
        expect_each_once(store, 20)
        assert replay(store, path).sent == 0


def test_a_process_that_records_replays_what_another_left(server, options) -> None:
    server.kill()
    path = spool_from_a_process_that_is_killed(server.url, Path(str(options.spool)), 5)
    server.start()
    with connect(server.url, recording=options) as store:
        with store.run("later"):
            pass
        wait_until_replayed(server.url, options)
        expect_each_once(store, 5)
    assert spool_status(path).pending == 0


def test_a_replay_that_breaks_off_goes_on_where_it_was(server, options) -> None:
    server.kill()
    path = spool_from_a_process_that_is_killed(server.url, Path(str(options.spool)), 10)
    server.start()
    with connect(server.url) as store:
        spool = Spool(path)
        batch = spool.first(7)  # sent, and never settled: the process was killed in between
        assert send(store.fail_fast_transport(), [record for _, record in batch]).tried_count == 7
        assert replay(store, path).sent == 21
        expect_each_once(store, 10)


def test_a_spool_that_was_cut_in_half(server, options) -> None:
    server.kill()
    count = 200
    path = spool_from_a_process_that_is_killed(server.url, Path(str(options.spool)), count)
    total = spool_status(path).pending
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    server.start()
    with connect(server.url) as store:
        for reader in (lambda: spool_status(path), lambda: replay(store, path)):
            with pytest.raises(SpoolDamaged, match="is damaged"):
                reader()
        assert not steps_of(store)
        saved = recover(path)
        assert saved is not None
        assert saved.damaged.exists()
        assert saved.saved > 0
        assert saved.lost is not None
        assert saved.saved + saved.lost == total
        assert recover(path) is None
        assert replay(store, path).sent == saved.saved
        numbers = [
            step.custom_properties.get("parameters.number") for step in store.iter_executions()
        ]
        saved_numbers = [number for number in numbers if number is not None]
        assert sorted(saved_numbers) == sorted(set(saved_numbers))
        assert 0 < len(saved_numbers) <= count
