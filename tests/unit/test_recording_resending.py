"""Records that a real store gets late, twice, or after the nodes that they rely on are gone."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lineage_store import LineageStore, connect
from lineage_store.recording.delivery.records import CACHED, STEP, Record
from lineage_store.recording.delivery.sending import send
from lineage_store.v1 import cache_pb2 as pb


class Listening:
    """A transport that keeps the records which it carries."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self.records: list[Record] = []

    def call(self, method: str, request: Any) -> Any:
        if method == "RecordSteps":
            wrapped = [Record.of(STEP, pb.RecordStepRequest(step=step)) for step in request.steps]
            self.records += wrapped
        elif method == CACHED:
            self.records.append(Record.of(CACHED, request))
        return self._transport.call(method, request)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[LineageStore]:
    with connect("sqlite://") as opened:
        listening = Listening(opened.fail_fast_transport())
        monkeypatch.setattr(opened, "fail_fast_transport", lambda: listening)
        yield opened


def pipeline(store: LineageStore, directory: Path) -> list[Record]:
    """Run some steps, of which the last is a hit; return their records."""
    for number in range(2):
        with store.run(f"run{number}") as run:
            raw = directory / "raw.csv"
            raw.write_text("a,b")
            with run.step("clean", inputs={"raw": raw}, params={"floor": 2}, cache=True) as step:
                if not step.hit:
                    step.output("table", uri="s3://table", digest="sha256:" + "0" * 64)
                    step.metric("rows", 3)
    assert step.hit
    store.flush_recording()
    return list(store.fail_fast_transport().records)


def contents(store: LineageStore) -> Any:
    """Return all that the store says of its nodes and edges, but for the times of its own."""
    executions = list(store.iter_executions())
    events = [store.list_events(execution=each) for each in executions]
    states = [(e.external_id, e.state, e.custom_properties) for e in executions]
    artifacts = [(a.external_id, a.uri, a.state) for a in store.iter_artifacts()]
    return states, events, artifacts, store.cache.stats().hits


@pytest.mark.parametrize("seed", range(5))
def test_records_that_come_twice_and_in_any_order_change_nothing(store, tmp_path, seed) -> None:
    records = pipeline(store, tmp_path)
    before = contents(store)
    random.Random(seed).shuffle(records)
    result = send(store.fail_fast_transport(), records)
    assert (result.accepted_count, result.outage) == (len(records), None)
    assert contents(store) == before


def test_a_hit_whose_entry_is_gone_is_recorded_all_the_same(store, tmp_path) -> None:
    *_, hit = (r for r in pipeline(store, tmp_path) if r.method == CACHED)
    store.cache.invalidate(why="wrong labels", by="me", entries=[hit.request.entry_id])
    request = hit.request
    request.step.key = request.step.key.replace("run1", "run2")
    for entry_id in (request.entry_id, 999):
        request.entry_id = entry_id
        request.step.key += "x"
        result = send(store.fail_fast_transport(), [Record.of(CACHED, request)])
        assert (result.accepted_count, result.refusals, result.doubts) == (1, {}, {})
        assert store.get_execution(external_id=request.step.key).state == "CACHED"
