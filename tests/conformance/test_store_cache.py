"""The cache and the records of steps in the Python API, embedded and over a real server."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lineage_server.app import Server
from lineage_server.settings import Settings

from lineage_store import (
    Artifact,
    ArtifactState,
    Context,
    Event,
    EventType,
    Execution,
    ExecutionState,
    LineageStore,
    connect,
    errors,
)
from lineage_store.cache.keys import Component, Key, make_key
from lineage_store.client.cache_answers import (
    Claim,
    ComponentDifference,
    Hit,
    InFlight,
    Miss,
    MissReason,
    WaitEvent,
)
from lineage_store.client.records import Publication, RecordedStep, StepRecord
from lineage_store.client.step_artifacts import StepArtifact

KEY = make_key({"step": "train", "parameters.depth": 6})
OTHER = make_key({"step": "train", "parameters.depth": 7})


@pytest.fixture(params=["embedded", "grpc"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LineageStore]:
    database = f"sqlite:///{tmp_path / 'lineage.db'}"
    if request.param == "embedded":
        with connect(database) as opened:
            yield opened
        return
    server = Server(Settings(database=database, grpc="127.0.0.1:0", drain_seconds=0))
    server.start()
    try:
        with connect(f"grpc://{server.address}") as opened:
            yield opened
    finally:
        server.stop()


def step(name: str = "1", key: Key | None = KEY, **fields: Any) -> StepRecord:
    """Return the record of a step that is complete, and publishes its model."""
    publication = None
    if key is not None:
        claim = fields.pop("claim", None)
        publication = Publication(key=key, output_parameters={"auc": 0.9, "n": 3}, claim=claim)
    defaults: dict[str, Any] = {
        "key": f"test/{name}",
        "execution": Execution(type="Train", state=ExecutionState.COMPLETE),
        "outputs": [
            StepArtifact(artifact=Artifact(type="Model", uri=f"s3://{name}"), name="model")
        ],
        "publication": publication,
    }
    return StepRecord(**defaults | fields)


def test_a_step_is_recorded_whole_and_once(store: LineageStore) -> None:
    running = step(
        key=None,
        execution=Execution(type="Train", state="RUNNING", custom_properties={"depth": 6}),
        inputs=[StepArtifact(artifact=Artifact(type="Data", uri="s3://d"), name="data", time=1234)],
        outputs=[],
        contexts=[Context(type="Run", name="r"), Context(type="Pipeline", name="p")],
        parents=[(0, 1)],
    )
    first = store.record_step(running)
    assert (len(first.input_ids), first.output_ids, len(first.context_ids)) == (1, [], 2)
    assert not first.is_repeated
    assert first.entry_id is None
    again = store.record_step(running)
    assert again.is_repeated
    assert again.execution_id == first.execution_id
    completed = store.record_step(step(contexts=[Context(type="Run", name="r")]))
    assert completed.execution_id == first.execution_id
    assert completed.entry_id is not None
    execution = store.get_execution(completed.execution_id)
    assert execution.state == ExecutionState.COMPLETE
    assert execution.external_id == "test/1"
    assert execution.custom_properties == {"depth": 6}
    assert store.list_events(execution=execution) == [
        Event(
            type=EventType.INPUT,
            artifact_id=first.input_ids[0],
            execution_id=execution.id,
            path=("data", 0),
            time=1234,
        ),
        store.list_events(artifact=completed.output_ids[0])[0],
    ]
    [model] = store.get_artifacts(completed.output_ids)
    assert (model.uri, model.state) == ("s3://1", ArtifactState.LIVE)
    [run] = store.list_parent_contexts(first.context_ids[0])
    assert (run.type, run.name) == ("Pipeline", "p")


def test_each_of_many_steps_is_recorded_by_itself(store: LineageStore) -> None:
    wrong = step("2", None, inputs=[StepArtifact(artifact=99, name="x")])
    answers = store.record_steps([step("1"), wrong, step("3", None)])
    assert [type(answer) for answer in answers] == [
        RecordedStep,
        errors.InvalidArgument,
        RecordedStep,
    ]
    assert len(store.list_executions().items) == 2


def test_a_hit_has_everything(store: LineageStore) -> None:
    assert store.cache.lookup(KEY) == Miss(
        reason=MissReason.NEVER_SEEN, detail="nothing was published for it"
    )
    original = store.record_step(
        step(inputs=[StepArtifact(artifact=Artifact(type="Data"), name="data")])
    )
    hit = store.cache.lookup(KEY)
    assert isinstance(hit, Hit)
    assert hit.entry_id == original.entry_id
    assert hit.source == store.get_execution(original.execution_id)
    assert hit.original_execution_id == original.execution_id
    assert hit.outputs == {"model": store.get_artifacts(original.output_ids)}
    assert hit.output_parameters == {"auc": 0.9, "n": 3}
    assert hit.age >= 0
    by_digest = store.cache.lookup(KEY.digest)
    assert isinstance(by_digest, Hit)
    decisions = store.cache.lookup_many([OTHER, KEY])
    assert [type(decision) for decision in decisions] == [Miss, Hit]


def test_policies(store: LineageStore) -> None:
    store.record_step(step())
    assert isinstance(store.cache.lookup(KEY, scope="else"), Miss)
    time.sleep(0.01)
    late = store.cache.lookup(KEY, max_age=timedelta())
    assert isinstance(late, Miss)
    assert late.reason == MissReason.TOO_OLD
    soon = datetime.now(UTC) + timedelta(hours=1)
    assert isinstance(store.cache.lookup(KEY, not_before=soon), Miss)
    unverified = store.cache.lookup(KEY, verified_within=timedelta(hours=1))
    assert isinstance(unverified, Miss)
    assert unverified.reason == MissReason.NOT_VERIFIED
    assert unverified.artifact_id is not None
    store.cache.report(by="me", verified=[unverified.artifact_id])
    assert isinstance(store.cache.lookup(KEY, verified_within=timedelta(hours=1)), Hit)
    store.cache.report(
        by="me", missing=[unverified.artifact_id], digests={unverified.artifact_id: "sha256:0"}
    )
    miss = store.cache.lookup(KEY)
    assert isinstance(miss, Miss)
    assert miss.reason == MissReason.OUTPUT_MISSING


def test_an_output_that_is_not_live_is_no_hit(store: LineageStore) -> None:
    [model] = store.get_artifacts(store.record_step(step()).output_ids)
    store.put_artifact(Artifact(id=model.id, state=ArtifactState.DELETED), fields=["state"])
    dead = store.cache.lookup(KEY)
    assert isinstance(dead, Miss)
    assert (dead.reason, dead.artifact_id) == (MissReason.OUTPUT_NOT_LIVE, model.id)
    assert isinstance(store.cache.lookup(KEY, require_live=False), Hit)


def test_an_entry_expires(store: LineageStore) -> None:
    soon = Publication(key=KEY, time_to_live=timedelta(milliseconds=1))
    store.record_step(step(publication=soon))
    time.sleep(0.01)
    late = store.cache.lookup(KEY)
    assert isinstance(late, Miss)
    assert late.reason == MissReason.EXPIRED


def test_claims(store: LineageStore) -> None:
    mine = store.cache.lookup(KEY, claim="me", lease=timedelta(seconds=20))
    assert isinstance(mine, Miss)
    claim = mine.claim
    assert isinstance(claim, Claim)
    assert (claim.scope, claim.digest, claim.holder) == ("", KEY.digest, "me")
    assert store.cache.lookup(KEY, claim="you") == InFlight(
        holder="me", expires_at=claim.expires_at
    )
    assert store.cache.claim(KEY, "you") is None
    [longer] = store.cache.heartbeat([claim], lease=timedelta(minutes=1))
    assert longer.expires_at > claim.expires_at
    assert store.cache.stats().claims_held == 1
    store.cache.release([claim])
    store.cache.release([claim])
    assert store.cache.heartbeat([claim]) == []
    yours = store.cache.claim(KEY, "you")
    assert yours is not None
    assert yours.token > claim.token
    with pytest.raises(errors.StaleClaim):
        store.record_step(step(claim=claim))
    assert store.list_executions().items == []
    assert store.record_step(step(claim=yours)).entry_id is not None
    assert isinstance(store.cache.lookup(KEY), Hit)


def test_waiting(store: LineageStore) -> None:
    claim = store.cache.claim(KEY, "me")
    released = store.cache.claim(OTHER, "me")
    assert claim is not None
    assert released is not None
    brief = timedelta(milliseconds=50)
    assert dict(store.cache.wait([KEY], timeout=brief)) == {KEY.digest: WaitEvent.STILL_IN_FLIGHT}

    def finish() -> None:
        time.sleep(0.2)
        store.cache.release([released])
        store.record_step(step(claim=claim))

    thread = threading.Thread(target=finish)
    thread.start()
    outcomes = dict(store.cache.wait([KEY, OTHER], timeout=timedelta(seconds=20)))
    thread.join()
    assert outcomes == {KEY.digest: WaitEvent.PUBLISHED, OTHER.digest: WaitEvent.RELEASED}


def test_a_step_that_is_served_from_the_cache(store: LineageStore) -> None:
    ran = store.record_step(step())
    assert ran.entry_id is not None
    served = StepRecord(key="test/2", execution=Execution(type="Train"))
    cached = store.record_cached(served, ran.entry_id)
    assert cached.original_execution_id == ran.execution_id
    assert cached.outputs == {"model": store.get_artifacts(ran.output_ids)}
    execution = store.get_execution(cached.recorded.execution_id)
    assert execution.state == ExecutionState.CACHED
    assert store.record_cached(served, ran.entry_id).recorded.is_repeated
    hit = store.cache.lookup(KEY)
    assert isinstance(hit, Hit)
    assert hit.hit_count == 1
    with pytest.raises(errors.LineageError):
        store.record_cached(StepRecord(key="test/3", execution=Execution(type="Train")), 99)


def test_invalidation(store: LineageStore) -> None:
    original = store.record_step(step())
    used = [StepArtifact(artifact=original.output_ids[0], name="model")]
    store.record_step(step("2", OTHER, inputs=used))
    selection: dict[str, Any] = {"by": "me", "why": "wrong data", "keys": [KEY], "transitive": True}
    dry = store.cache.invalidate(dry_run=True, **selection)
    assert {entry.digest for entry in dry} == {KEY.digest, OTHER.digest}
    assert isinstance(store.cache.lookup(KEY), Hit)
    store.cache.invalidate(**selection)
    for key in (KEY, OTHER):
        miss = store.cache.lookup(key)
        assert isinstance(miss, Miss)
        assert miss.reason == MissReason.INVALIDATED
        assert "wrong data" in miss.detail
    assert store.cache.list().items == []
    everything = store.cache.list(include_invalidated=True)
    assert [entry.invalidated_why for entry in everything] == ["wrong data"] * 2
    assert all(entry.invalidated_by == "me" for entry in everything)
    stats = store.cache.stats()
    assert (stats.entries, stats.invalidated) == (2, 2)
    with pytest.raises(errors.InvalidArgument):
        store.cache.invalidate(by="me", why="nothing is named")


def test_entries_are_listed(store: LineageStore) -> None:
    recorded = [store.record_step(step("1")), store.record_step(step("2", OTHER))]
    page = store.cache.list(limit=1)
    assert [entry.id for entry in page] == [recorded[1].entry_id]
    rest = store.cache.list(limit=1, page_token=page.next_page_token)
    assert [entry.id for entry in rest] == [recorded[0].entry_id]
    assert rest.next_page_token is None
    [entry] = store.cache.list(keys=[KEY])
    assert entry.components == KEY.components
    assert (entry.execution_id, entry.original_execution_id) == (recorded[0].execution_id,) * 2
    assert entry.expires_at is None
    depth = Component("parameters.depth", "7")
    assert [entry_of_depth.digest for entry_of_depth in store.cache.list(component=depth)] == [
        OTHER.digest
    ]
    assert [e.id for e in store.cache.list(executions=[recorded[0].execution_id])] == [entry.id]
    assert [e.id for e in store.cache.list(artifacts=recorded[0].output_ids)] == [entry.id]


def test_a_miss_is_explained(store: LineageStore) -> None:
    nothing = store.cache.explain(KEY)
    assert (nothing.nearest, list(nothing.differences)) == (None, [])
    original = store.record_step(step())
    why = store.cache.explain(make_key({"step": "train", "parameters.depth": 6.0, "code": "x"}))
    assert why.nearest is not None
    assert why.nearest.id == original.entry_id
    assert why.equal_components == 1
    assert sorted(why.differences, key=lambda difference: difference.name) == [
        ComponentDifference("code", None, '"x"'),
        ComponentDifference("parameters.depth", "6", "6.0"),
    ]
    against = store.cache.explain(OTHER, execution=original.execution_id)
    assert list(against.differences) == [ComponentDifference("parameters.depth", "6", "7")]


@pytest.mark.parametrize(
    "ask",
    [
        lambda cache: cache.lookup(b"short"),
        lambda cache: cache.lookup(KEY, max_age=timedelta(seconds=-1)),
        lambda cache: cache.lookup(KEY, not_before=datetime(2026, 1, 1)),  # noqa: DTZ001
        lambda cache: cache.claim(KEY, ""),
        lambda cache: cache.claim(KEY, "me", lease=timedelta()),
        lambda cache: cache.claim(b"", "me"),
        lambda cache: cache.wait([b"short"]),
        lambda cache: cache.invalidate(by="", why="", keys=[KEY]),
    ],
)
def test_bad_questions_are_refused(store: LineageStore, ask: Any) -> None:
    with pytest.raises(errors.InvalidArgument):
        ask(store.cache)
