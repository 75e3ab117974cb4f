"""Programs in which one thing is changed: no step may be served what it would not put out now."""

import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lineage_store import connect
from tests.truth import programs
from tests.truth.programs import Change, Program

pytestmark = pytest.mark.long

PROGRAMS = [(f"{group}: {program.name}", program) for group, program in programs.each()]
WITHIN = [(name, program) for name, program in PROGRAMS if not program.changes]
CHANGED = [(name, program) for name, program in PROGRAMS if program.changes]

LEAST_CHANGES = 400
LEAST_HITS = 60

BY_HAND_CHANGES = 2
"""Changes of each program that are tried by `run.step` as well."""

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def runner() -> Iterator[subprocess.Popen[str]]:
    path = Path(__file__).with_name("runner.py")
    with subprocess.Popen(
        [sys.executable, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a store that has its tables, and nothing in them."""
    path = tmp_path_factory.mktemp("empty") / "lineage.db"
    connect(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def run(runner: subprocess.Popen[str], tmp_path: Path) -> Run:
    """Return what runs a program in a directory of its own, against a store, or without any."""
    numbers = itertools.count()

    def once(files: dict[str, str], store: Path | None, *, by_hand: bool = False) -> dict[str, Any]:
        directory = tmp_path / f"run{next(numbers)}"
        programs.write(files, directory)
        url = None if store is None else f"sqlite:///{store}"
        assert runner.stdin is not None
        assert runner.stdout is not None
        places = {
            "LINEAGE_STORE_SPOOL": str(tmp_path / "spool"),
            "SAVED": str(tmp_path / "saved"),
        }
        job = {
            "directory": str(directory),
            "store": url,
            "environment": places,
            "by_hand": by_hand,
        }
        runner.stdin.write(json.dumps(job) + "\n")
        runner.stdin.flush()
        answer = json.loads(runner.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer

    return once


@pytest.mark.parametrize("program", [p for _, p in CHANGED], ids=[n for n, _ in CHANGED])
def test_a_changed_program_is_not_served_what_it_was(
    run: Run, program: Program, empty: Path, tmp_path: Path
) -> None:
    store = Path(shutil.copy(empty, tmp_path / "lineage.db"))
    before = run(program.files, store)
    again = run(program.files, store)
    assert again["result"] == before["result"]
    assert _are_hits(again) is program.is_cached, again["steps"]
    assert before["result"] == run(program.files, None)["result"]
    truth = before["result"]
    several = [_faults(run, program, change, store, truth) for change in program.changes]
    assert [fault for faults in several for fault in faults] == []


BY_HAND = [
    (name, program) for name, program in CHANGED if program.files["main.py"].endswith(programs.MAIN)
]


@pytest.mark.parametrize("program", [p for _, p in BY_HAND], ids=[n for n, _ in BY_HAND])
def test_a_step_that_names_its_code_is_not_served_what_it_was(
    run: Run, program: Program, empty: Path, tmp_path: Path
) -> None:
    by_hand = partial(run, by_hand=True)
    store = Path(shutil.copy(empty, tmp_path / "lineage.db"))
    before = by_hand(program.files, store)
    assert by_hand(program.files, store)["result"] == before["result"]
    changes = [change for change in program.changes if _changes_code(change)][:BY_HAND_CHANGES]
    several = [_faults(by_hand, program, change, store, before["result"]) for change in changes]
    assert [fault for faults in several for fault in faults] == []


def _changes_code(change: Change) -> bool:
    """Return whether a change is one of the code, and not of the arguments of the call."""
    return not change.is_hit and not change.old.startswith("b(3")


def _faults(run: Run, program: Program, change: Change, store: Path, before: str) -> Iterator[str]:
    """Yield what is wrong after a change."""
    files = program.changed(change)
    copy = store.with_name("copy.db")
    shutil.copy(store, copy)
    truth = run(files, None)["result"]
    after = run(files, copy)
    if after["result"] != truth:
        yield f"STALE {change.text}: {after['result']}, and not {truth}: {after['steps']}"
    if change.is_hit and not _are_hits(after):
        yield f"NO HIT {change.text}: {after['steps']}"
    if not change.is_hit and truth == before:
        yield f"{change.text} changes nothing"


def _are_hits(answer: dict[str, Any]) -> bool:
    return all(state == "CACHED" for state, _ in answer["steps"])


@pytest.mark.parametrize("program", [p for _, p in WITHIN], ids=[n for n, _ in WITHIN])
def test_a_change_within_one_run_counts(
    run: Run, program: Program, empty: Path, tmp_path: Path
) -> None:
    truth = run(program.files, None)["result"]
    store = shutil.copy(empty, tmp_path / "lineage.db")
    for _ in range(1 if "[once]" in program.name else 2):
        assert run(program.files, store)["result"] == truth


def test_there_are_as_many_changes_as_are_promised() -> None:
    changes = [change for _, program in CHANGED for change in program.changes]
    assert sum(not change.is_hit for change in changes) >= LEAST_CHANGES
    reruns = sum(program.is_cached for _, program in CHANGED)  # elsewhere, in another process
    assert sum(change.is_hit for change in changes) + reruns >= LEAST_HITS
