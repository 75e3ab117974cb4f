"""Many processes that run the same steps: each key is executed once, also if holders die.

LINEAGE_CACHE_STEPS makes the tests longer (CONTRIBUTING.md).
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lineage_store.client.channel import GrpcTransport
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service
from tests.integration.serving import serving

STEPS = int(os.environ.get("LINEAGE_CACHE_STEPS", "25"))
PROCESSES, KEYS = 8, 50
WORKER = Path(__file__).with_name("cache_worker.py")
LIVING, DYING = (60_000, 0.01), (1_000, 0.2)
"""How long a lease is, in ms, and a step, in s; where some die, a step is long enough to die in."""

KILLS = 16

pytestmark = [pytest.mark.long, pytest.mark.timeout(120 + 2 * STEPS)]


def start(
    address: str, name: str, lease: int, work: float, steps: int = STEPS
) -> "subprocess.Popen[str]":
    arguments = [address, name, str(steps), str(KEYS), str(lease), str(work)]
    command = [sys.executable, str(WORKER), *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    )


def finished(worker: "subprocess.Popen[str]") -> list[str]:
    """Wait for a worker that nobody killed; return its output."""
    output, error = worker.communicate(timeout=120 + 2 * STEPS)
    assert (worker.returncode, error) == (0, "")
    return output.splitlines()


def executions(address: str) -> Iterator[pb.Execution]:
    request = service.GetExecutionsRequest()
    request.options.max_result_size = 100
    with closing(GrpcTransport(address)) as transport:
        while True:
            answer: Any = transport.call("GetExecutions", request)
            yield from answer.executions
            if not answer.next_page_token:
                return
            request.options.next_page_token = answer.next_page_token


def until_begun(address: str) -> None:
    """Return when a worker has begun to run something."""
    while not list(executions(address)):
        time.sleep(0.02)


def by_key(stored_executions: list[pb.Execution]) -> dict[str, dict[int, int]]:
    """Return, for each key, the tokens under which it was run and the states that came of it."""
    runs: dict[str, dict[int, int]] = defaultdict(dict)
    for execution in stored_executions:
        if execution.last_known_state != pb.Execution.CACHED:
            values = execution.custom_properties
            key, token = values["key"].string_value, values["token"].int_value
            assert token not in runs[key], f"{key} was run twice under the token {token}"
            runs[key][token] = execution.last_known_state
    return runs


def test_each_key_is_executed_exactly_once(tmp_path):
    with serving(tmp_path) as server:
        workers = [start(server.address, f"p{n}", *LIVING) for n in range(PROCESSES)]
        assert [finished(worker) for worker in workers] == [[]] * PROCESSES
        stored = list(executions(server.address))
    runs = by_key(stored)
    assert all(states == {1: pb.Execution.COMPLETE} for states in runs.values())
    assert len(stored) == PROCESSES * STEPS
    assert len(runs) > KEYS / 3
    cached = [e for e in stored if e.last_known_state == pb.Execution.CACHED]
    assert len(cached) == PROCESSES * STEPS - len(runs)
    ran = {e.id for e in stored if e.last_known_state == pb.Execution.COMPLETE}
    assert {e.custom_properties["cached_execution_id"].int_value for e in cached} <= ran


def test_each_key_is_executed_once_for_each_lease_that_survives(tmp_path):
    chance = random.Random(STEPS)
    killed, lost = 0, []
    with serving(tmp_path) as server:
        workers = [start(server.address, f"p{n}.0", *DYING) for n in range(PROCESSES)]
        until_begun(server.address)
        while killed < KILLS:
            at = chance.randrange(PROCESSES)
            workers[at].kill()
            lost += workers[at].communicate()[0].splitlines()
            killed += 1
            workers[at] = start(server.address, f"p{at}.{killed}", *DYING)
            time.sleep(chance.uniform(0.1, 0.5))
        lost += [line for worker in workers for line in finished(worker)]
        runs = by_key(list(executions(server.address)))
    for key, states in runs.items():
        assert list(states.values()).count(pb.Execution.COMPLETE) == 1, key
        assert states[max(states)] == pb.Execution.COMPLETE, key
        assert set(states.values()) <= {pb.Execution.COMPLETE, pb.Execution.RUNNING}
    abandoned = sum(len(states) - 1 for states in runs.values())
    assert abandoned <= killed + len(lost)
    print(f"{len(runs)} keys, {killed} processes killed, {abandoned} runs abandoned, {lost=}")


def test_a_holder_that_comes_back_late_publishes_nothing(tmp_path):
    with serving(tmp_path) as server:
        late = start(server.address, "late", *DYING, steps=1)
        until_begun(server.address)
        late.send_signal(signal.SIGSTOP)
        assert finished(start(server.address, "next", *DYING, steps=1)) == []
        late.send_signal(signal.SIGCONT)
        assert finished(late) == ["lost k0 1"]
        stored = list(executions(server.address))
    states = {1: pb.Execution.RUNNING, 2: pb.Execution.COMPLETE}
    assert by_key(stored) == {"k0": states}
    [cached] = [e for e in stored if e.last_known_state == pb.Execution.CACHED]
    assert cached.external_id == "late/0"
