"""Random faults of store, spool and process: every ended step is in the store once, or counted.

A schedule is made from its number alone: `LINEAGE_FAULT_SEED=17` runs that one again.
"""

import itertools
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lineage_store import connect, errors
from lineage_store.recording import RecordingOptions
from lineage_store.recording.delivery.replay import recover, replay, spool_status
from tests.integration.faults import SpoolFaults, StoreFaults, small_disk
from tests.integration.restarts import Restartable

pytestmark = pytest.mark.long

SCHEDULES = int(os.environ.get("LINEAGE_FAULT_SCHEDULES", "12"))
SEED = os.environ.get("LINEAGE_FAULT_SEED")
STEPS = 40
STORE = ("up", "away", "back", "slow", "read_only", "full")
SPOOL = ("fine", "locked", "unwritable", "full", "damaged")
END = ("in_order", "SIGTERM", "SIGKILL")

ALL = list(itertools.product(STORE, SPOOL, END))
random.Random(0).shuffle(ALL)

NO_JOURNAL = ("unwritable", "full")
"""With these no file can be written: what a kill finds in memory alone is lost."""

PIPELINE = """
import sys, time
from lineage_store import connect
from lineage_store.recording import RecordingOptions
url, spool, name, steps, pause, buffer = sys.argv[1:]
options = RecordingOptions(
    spool=spool, retry_seconds=0.1, flush_seconds=0.5, buffer_records=int(buffer)
)
with connect(url, connect_timeout=None, recording=options) as store, store.run(name) as run:
    for number in range(int(steps)):
        with run.step(name, params={"number": number}):
            time.sleep(float(pause))
        print(number, flush=True)
"""


@dataclass(slots=True)
class Schedule:
    """The course of one trial; times in seconds from the first ended step on."""

    seed: int
    store: str
    spool: str
    end: str
    chance: random.Random
    events: list[tuple[float, str]] = field(default_factory=list)

    @classmethod
    def of(cls, seed: int) -> "Schedule":
        chance = random.Random(seed)
        store, spool, end = ALL[seed % len(ALL)]
        schedule = cls(seed, store, spool, end, chance)
        schedule.events = [(chance.uniform(0, 0.3), "store"), (chance.uniform(0, 0.3), "spool")]
        if store != "away" and chance.random() < 0.6:  # else it is repaired after the end
            schedule.events.append((chance.uniform(0.3, 0.7), "store back"))
        if chance.random() < 0.4:
            schedule.events.append((chance.uniform(0.3, 0.7), "spool back"))
        if end != "in_order":
            schedule.events.append((chance.uniform(0.1, 0.8), "end"))
        schedule.events.sort()
        return schedule

    @property
    def name(self) -> str:
        return f"trial{self.seed}"


class Trial:
    """One pipeline in a process of its own, and the faults that it meets."""

    def __init__(
        self, schedule: Schedule, url: str, store: StoreFaults, spool: SpoolFaults
    ) -> None:
        self.schedule = schedule
        self.spool = spool
        self._url = url
        self._store = store
        self._ends: dict[str, Callable[[], None]] = {}
        self.ended_steps: list[int] = []
        self.log = ""
        self.code = 0

    def run(self) -> None:
        self.spool.prepare(self.schedule.spool)
        buffer = self.schedule.chance.choice(["25", "10000"])
        pause = str(self.schedule.chance.uniform(0.002, 0.02))
        args = [
            self._url,
            str(self.spool.path.parent),
            self.schedule.name,
            str(STEPS),
            pause,
            buffer,
        ]
        command = [sys.executable, "-c", PIPELINE, *args]
        # without a buffer, whose rest `communicate` would not see
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "bufsize": 0}
        with subprocess.Popen(command, **pipes) as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            self._go_through(process)
            rest, log = process.communicate(timeout=60)
            self.code, self.log = process.returncode, log.decode()
        self.ended_steps = [int(line) for line in (first + rest).split(b"\n")[:-1]]
        for end in self._ends.values():
            end()

    def _go_through(self, process: "subprocess.Popen[bytes]") -> None:
        start = time.monotonic()
        for at, event in self.schedule.events:
            time.sleep(max(0.0, start + at - time.monotonic()))
            if event == "store":
                self._ends[event] = self._store.begin(self.schedule.store)
            elif event == "spool":
                self._ends[event] = self.spool.begin(self.schedule.spool, process.pid)
            elif event == "end":
                process.send_signal(getattr(signal, self.schedule.end))
            else:
                self._ends.pop(event.removesuffix(" back"))()

    def told_lost(self) -> int:
        """Return how many records the process said to have lost, in all."""
        totals = re.findall(r"(\d+) records of steps were lost in all", self.log)
        return int(totals[-1]) if totals else 0


@pytest.fixture(scope="module")
def store_faults(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Restartable, StoreFaults]]:
    base = tmp_path_factory.mktemp("faults")
    with small_disk(base / "store", "256m") as is_mounted:
        server = Restartable(base / "store", base)
        server.start()
        try:
            yield server, StoreFaults(server, base / "store", is_mounted=is_mounted)
        finally:
            server.kill()


def replay_all(trial: Trial, url: str, seed: int) -> None:
    """Bring the waiting records to the store: by hand, or by a process that records there later."""
    path = trial.spool.path
    recover(path)
    with connect(url, recording=RecordingOptions(spool=path.parent, retry_seconds=0.05)) as store:
        if seed % 2:
            with store.run(f"later{seed}"):
                pass
        deadline = time.monotonic() + 30
        while (status := spool_status(path)).pending or status.refused:
            assert time.monotonic() < deadline, status
            if not seed % 2:
                with suppress(errors.Unavailable):
                    replay(store, path)
            time.sleep(0.05)


def missing_steps(url: str, trial: Trial) -> list[int]:
    """Return which ended steps the store lacks; none may be there twice, or without its end."""
    with connect(url) as store:
        stored = list(store.iter_executions(type=trial.schedule.name))
    # of its key, tool/run/step/index/attempt: what began it may be lost, and with it its parameters
    numbers = [int(str(step.external_id).split("/")[-2]) for step in stored]
    assert len(numbers) == len(set(numbers))
    complete = {n for n, step in zip(numbers, stored, strict=True) if step.state == "COMPLETE"}
    return [number for number in trial.ended_steps if number not in complete]


def allowed(trial: Trial) -> int:
    """Return how many ended steps may be missing, by the promise of docs/recording.md."""
    schedule = trial.schedule
    if schedule.end != "in_order" and schedule.spool in NO_JOURNAL:
        return len(trial.ended_steps)
    return trial.told_lost() + trial.spool.endangered


@pytest.mark.parametrize("seed", [int(SEED)] if SEED else range(SCHEDULES))
def test_no_ended_step_is_lost(seed: int, store_faults, tmp_path: Path, record_property) -> None:
    server, faults = store_faults
    schedule = Schedule.of(seed)
    with small_disk(tmp_path / "disk", "8m") as is_mounted:
        chance = schedule.chance
        spool = SpoolFaults(server.url, tmp_path / "disk", chance, is_mounted=is_mounted)
        trial = Trial(schedule, server.url, faults, spool)
        trial.run()
        replay_all(trial, server.url, seed)
        lost_steps = missing_steps(server.url, trial)
    story = f"{schedule}\n{len(trial.ended_steps)} ended, missing {lost_steps}\n{trial.log}"
    for name, count in (
        ("ended", len(trial.ended_steps)),
        ("missing", len(lost_steps)),
        ("told", trial.told_lost()),
        ("endangered", spool.endangered),
    ):
        record_property(name, count)
    record_property("schedule", f"{schedule.store} {schedule.spool} {schedule.end}")
    assert "Traceback" not in trial.log, story
    assert schedule.end != "in_order" or (trial.code, len(trial.ended_steps)) == (0, STEPS), story
    assert len(lost_steps) <= allowed(trial), story
