"""Recording where processes begin and end: forks, exits, and the files left behind."""

import os
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lineage_store import LineageStore, connect
from tests.integration.serving import serving

PRELUDE = """
import os, sys
from lineage_store import connect
from lineage_store.recording import RecordingOptions, step, current_run
store = connect(sys.argv[1], recording=RecordingOptions(spool=sys.argv[2], retry_seconds=0.1))
"""

FORKS = """
with store.run("forks", run_id="r") as run:
    with run.step("before"):
        pass
    children = []
    for name in "ab":
        child = os.fork()
        if not child:
            with run.step(f"child_{name}", cache=True, attempt=1) as inside:
                assert inside.hit is None
            os._exit(0)
        children.append(child)
    for child in children:
        status = os.waitpid(child, 0)[1]
        assert status == 0, status
    with run.step("after"):
        pass
store.close()
"""

NEVER_CLOSED = """
run = store.run("open", run_id="r").__enter__()
with run.step("work"):
    pass
sys.exit(3)
"""

ENDS_IN_AN_ERROR = """
with store.run("fails", run_id="r") as run:
    with run.step("work"):
        raise RuntimeError("boom")
"""

OTHER_STORE = """
other = connect("sqlite://")
with store.run("outer", run_id="r") as run, other.run("inner", run_id="i") as inner:
    assert inner.parent is None
"""


def python(code: str, url: str, spool: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", PRELUDE + code, url, str(spool)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(params=["embedded", "grpc"])
def url(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "embedded":
        yield f"sqlite:///{tmp_path}/store.db"
        return
    with serving(tmp_path) as served:
        yield f"grpc://{served.address}"


def states(store: LineageStore) -> dict[str, str]:
    return {each.type: str(each.state) for each in store.iter_executions() if each.type}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_process_that_forks(url: str, tmp_path: Path) -> None:
    process = python(FORKS, url, tmp_path / "spool")
    # gRPC itself tells of forks, and of a server that is busy.
    log_lines = [line for line in process.stderr.splitlines() if not re.search(r"\.cc:\d+\]", line)]
    assert (process.returncode, log_lines) == (0, [])
    with connect(url) as store:
        # what a child spooled is sent by the parent, or by the next process that records
        if set(states(store)) != {"PipelineRun", "before", "after", "child_a", "child_b"}:
            python("with store.run('next'): store.flush_recording()\n", url, tmp_path / "spool")
        final_states = states(store)
    assert set(final_states) == {"PipelineRun", "before", "after", "child_a", "child_b"}
    assert set(final_states.values()) == {"COMPLETE"}


def test_a_process_that_never_closes_the_store(url: str, tmp_path: Path) -> None:
    process = python(NEVER_CLOSED, url, tmp_path / "spool")
    assert (process.returncode, process.stderr) == (3, "")
    with connect(url) as store:
        assert states(store) == {"PipelineRun": "RUNNING", "work": "COMPLETE"}


def test_an_error_of_the_user_is_the_users(url: str, tmp_path: Path) -> None:
    process = python(ENDS_IN_AN_ERROR, url, tmp_path / "spool")
    assert process.returncode == 1
    assert process.stderr.splitlines()[-1] == "RuntimeError: boom"
    with connect(url) as store:
        assert states(store) == {"PipelineRun": "FAILED", "work": "FAILED"}


def test_runs_in_two_stores_do_not_mix(url: str, tmp_path: Path) -> None:
    process = python(OTHER_STORE, url, tmp_path / "spool")
    assert (process.returncode, process.stderr) == (0, "")


TWINS = """
import time
keys, rounds = 6, 5
with store.run("twins") as run:
    for number in range(keys * rounds):
        key = (number * 7 + os.getpid()) % keys
        with run.step("work", params={"key": key}, cache=True) as work:
            if not work.hit:
                time.sleep(0.05)
                work.output("out", uri="memory://out", version=str(os.getpid()))
            assert len(work.outputs["out"]) == 1
store.close()
"""


def test_processes_that_run_the_same_run_it_once(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        url = f"grpc://{served.address}"
        with ThreadPoolExecutor(4) as pool:
            spools = [tmp_path / f"spool{number}" for number in range(4)]
            processes = list(pool.map(lambda spool: python(TWINS, url, spool), spools))
        assert [(each.returncode, each.stderr) for each in processes] == [(0, "")] * 4
        with connect(url) as store:
            steps = list(store.iter_executions(type="work"))
            ran = [each for each in steps if each.state == "COMPLETE"]
            keys = [each.custom_properties["parameters.key"] for each in ran]
            assert sorted(keys) == list(range(6))
            assert Counter(each.state for each in steps) == {"COMPLETE": 6, "CACHED": 114}
            assert store.cache.stats().hits == 114
