"""Runs and steps of plain Python programs, embedded and over a real server."""

import logging
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lineage_store import Artifact, ArtifactType, LineageStore
from lineage_store.cache.keys import Identity
from lineage_store.recording import Caching, current_run, diagnostics
from tests.conformance.step_stores import WAYS, opened, steps_of


@pytest.fixture(params=WAYS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LineageStore]:
    with opened(request.param, tmp_path, heartbeat_seconds=0.1) as store:
        yield store


@pytest.fixture(autouse=True)
def silence(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing may be complained of, unless a test expects it and clears the log."""
    caplog.set_level(logging.WARNING, logger="lineage_store.recording")
    diagnostics.reset()
    yield
    assert [record.getMessage() for record in caplog.records] == []


def test_a_run_and_a_step(store: LineageStore, tmp_path: Path) -> None:
    data, model = tmp_path / "data.csv", tmp_path / "model.bin"
    data.write_text("a,b\n")
    with store.run("nightly", pipeline="churn", properties={"team": "red"}) as run:
        assert current_run() is run
        with run.step("train", inputs={"data": data}, params={"depth": 6, "lr": 0.1}) as train:
            model.write_text("m")
            model_artifact = train.output("model", model, type="Model", properties={"rows": 3})
            train.metric("auc", 0.9)
        with run.step("report", inputs={"model": model_artifact, "also": [model, "s3://x"]}):
            pass
    assert current_run() is None
    [trained, reported] = steps_of(store)
    assert (trained.type, trained.state) == ("train", "COMPLETE")
    assert trained.external_id == f"python/{run.id}/train/0/1"
    properties = dict(trained.custom_properties)
    assert properties.pop("ended_at") >= properties.pop("started_at")
    assert properties.pop("duration_ms") >= 0
    assert properties == {
        "run_id": run.id,
        "log.index": 0,
        "attempt_id": 1,
        "parameters.depth": 6,
        "parameters.lr": 0.1,
        "outputs.auc": 0.9,
    }
    stored_model = store.get_artifact(external_id=model_artifact.external_id)
    assert (stored_model.type, stored_model.uri, stored_model.state) == (
        "Model",
        str(model),
        "LIVE",
    )
    assert stored_model.custom_properties["rows"] == 3
    assert stored_model.custom_properties["bytes"] == 1
    paths = {(event.path, event.artifact_id) for event in store.list_events(execution=reported)}
    other = store.find_artifacts_by_uri("s3://x")[0]
    assert paths == {(("model", 0, "also", 0), stored_model.id), (("also", 1), other.id)}
    lineage = store.lineage(artifact=stored_model.id).upstream()
    assert {node.type for node in lineage.nodes} >= {"Model", "train", "Artifact"}


def test_what_is_recorded_of_a_run(store: LineageStore) -> None:
    with store.run("nightly", pipeline="churn", run_id="r1") as run:
        pass
    assert run.id == "r1"
    whole = store.get_execution(external_id="python/r1")
    assert (whole.type, whole.state) == ("PipelineRun", "COMPLETE")
    properties = whole.custom_properties
    assert properties["run_name"] == "nightly"
    assert properties["pipeline"] == "churn"
    assert properties["python_version"] == sys.version.split()[0]
    assert properties["host"]
    assert "grpcio" in properties["packages"]
    context = store.get_context(type="Run", name="r1")
    [pipeline] = store.list_parent_contexts(context)
    assert (pipeline.type, pipeline.name) == ("Pipeline", "churn")
    assert [e.id for e in store.list_executions(context=context).items] == [whole.id]


def test_runs_within_runs(store: LineageStore) -> None:
    with (
        store.run("outer", pipeline="churn") as outer,
        store.run("inner") as inner,
        inner.step("work"),
    ):
        assert current_run() is inner
    store.flush_recording()
    assert inner.parent is outer
    context = store.get_context(type="Run", name=inner.id)
    parents = {(parent.type, parent.name) for parent in store.list_parent_contexts(context)}
    assert parents == {("Pipeline", "churn"), ("Run", outer.id)}
    whole = store.get_execution(external_id=f"python/{inner.id}")
    assert whole.custom_properties["parent_run_id"] == outer.id


class Trouble(RuntimeError):
    pass


def test_how_steps_end(store: LineageStore) -> None:
    def pipeline() -> None:
        with store.run("nightly", run_id="r") as run:
            with pytest.raises(ValueError, match="bad"), run.step("fails"):
                raise ValueError("bad value")
            with pytest.raises(KeyboardInterrupt), run.step("is_stopped"):
                raise KeyboardInterrupt
            run.skip("not_needed", "there is nothing to do")
            with run.step("ends"):
                raise Trouble("\ud800" + "x" * 10_000)

    with pytest.raises(Trouble):
        pipeline()
    fails, stopped, skipped, ends = steps_of(store)
    assert (fails.state, fails.custom_properties["error_type"]) == ("FAILED", "ValueError")
    assert fails.custom_properties["error_message"] == "bad value"
    assert stopped.state == "CANCELED"
    assert skipped.state == "CANCELED"
    assert skipped.custom_properties["skip_reason"] == "there is nothing to do"
    assert ends.state == "FAILED"
    assert ends.custom_properties["error_type"] == f"{__name__}.Trouble"
    assert len(ends.custom_properties["error_message"]) == 4000
    assert store.get_execution(external_id="python/r").state == "FAILED"


def test_a_step_that_runs_gives_signs_of_life(store: LineageStore) -> None:
    with store.run("nightly") as run, run.step("slow"):
        deadline = time.monotonic() + 20
        while not any("updated_at" in each.custom_properties for each in steps_of(store)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        [slow] = steps_of(store)
        assert slow.state == "RUNNING"
    assert steps_of(store)[0].state == "COMPLETE"


def test_what_a_step_has_read_is_told_while_it_runs(store: LineageStore) -> None:
    with store.run("nightly") as run, run.step("slow", inputs={"a": "s3://a"}) as step:
        step.input("b", "s3://b")
        deadline = time.monotonic() + 20
        while len(store.list_events(execution=[e.id or 0 for e in steps_of(store)])) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert steps_of(store)[0].state == "RUNNING"
        step.input("b", "s3://c")
    [slow] = steps_of(store)
    paths = [event.path for event in store.list_events(execution=[slow.id or 0])]
    assert paths == [("a", 0), ("b", 0), ("b", 1)]


def test_steps_of_one_name_and_retries(store: LineageStore) -> None:
    with store.run("nightly", run_id="r/1", orchestrator="cron") as run:
        for attempt in (1, 2):
            with run.step("load", attempt=attempt):
                pass
        with run.step("load"):
            pass
    keys = [each.external_id for each in steps_of(store)]
    assert keys == ["cron/r%2F1/load/0/1", "cron/r%2F1/load/0/2", "cron/r%2F1/load/1/1"]


def test_why_a_step_ran_all_the_same(store: LineageStore, tmp_path: Path) -> None:
    """An entry may be of no use, or a step may have no key: the reason is recorded."""
    model = tmp_path / "model"

    def train(reject: bool = False, unkept: bool = False, **params: object) -> None:
        cached = {"params": params, "cache": True, "code": "sha256:1"}
        with store.run("nightly") as run, run.step("train", **cached) as step:  # type: ignore[arg-type]
            if reject and step.hit is not None:
                step.reject_hit("its format is old")
            if step.hit is None:
                model.write_text("whole")
                step.output("model", model)
            if unkept:
                step.dont_publish("it is a trial")

    train()
    model.unlink()
    train()
    train(reject=True)
    train(unkept=True, trial=1)
    train(connection=sys.stderr)
    train()
    decisions = [e.custom_properties["log.cache_decision"] for e in steps_of(store)]
    starts = ["NEVER_SEEN: ", "OUTPUT_MISSING: the cached output", "REJECTED: its format is old"]
    starts += ["NOT_CACHED: it is a trial", "NOT_CACHED: ", "HIT: from execution"]
    assert [why[: len(start)] for why, start in zip(decisions, starts, strict=True)] == starts


def test_a_hit_has_what_the_step_put_out(store: LineageStore, tmp_path: Path) -> None:
    ran = []
    for depth in (6, 6, 7):
        with store.run("nightly") as run:
            with run.step("train", params={"depth": depth}, cache=True, code="sha256:1") as train:
                if not train.hit:
                    (tmp_path / f"m{depth}").write_text(str(depth))
                    train.output("model", tmp_path / f"m{depth}", type="Model")
                    train.metric("auc", depth / 10)
                    ran.append(depth)
            assert train.results == {"auc": depth / 10}
            assert [a.uri for a in train.outputs["model"]] == [str(tmp_path / f"m{depth}")]
            with run.step("use", inputs=train.outputs):
                pass
    assert ran == [6, 7]
    trained = [each for each in steps_of(store) if each.type == "train"]
    assert [each.state for each in trained] == ["COMPLETE", "CACHED", "COMPLETE"]
    decisions = [each.custom_properties["log.cache_decision"] for each in trained]
    assert decisions[0].startswith("NEVER_SEEN")
    assert decisions[1] == f"HIT: from execution {trained[0].id}"
    assert train.cache_key is not None
    why = store.cache.explain(train.cache_key, execution=trained[0].id)
    assert [(d.name, d.stored, d.given) for d in why.differences] == [
        ("parameters.depth", "6", "7")
    ]


def test_a_file_that_changed_is_no_hit(store, tmp_path: Path, caplog) -> None:
    path = tmp_path / "out"
    for content in ("1", "1", "1"):
        with store.run("nightly") as run, run.step("make", cache=True) as make:
            if not make.hit:
                path.write_text(content)
                make.output("out", path)
        if make.hit:
            path.write_text("something else")
    store.flush_recording()
    assert [each.state for each in steps_of(store)] == ["COMPLETE", "CACHED", "COMPLETE"]
    assert "has changed since" in caplog.text
    caplog.clear()


def test_twins_run_once(store: LineageStore) -> None:
    ran, hits = [], []

    def twin() -> None:
        with store.run("nightly") as run, run.step("slow", cache=True) as slow:
            if slow.hit:
                hits.append(slow.hit)
            else:
                time.sleep(0.3)
                ran.append(1)

    threads = [threading.Thread(target=twin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(ran), len(hits)) == (1, 3)


def test_a_failure_passes_the_claim_on(store: LineageStore) -> None:
    has_begun, seconds = threading.Event(), []

    def other() -> None:
        has_begun.wait()
        start = time.monotonic()
        with store.run("second") as run, run.step("work", cache=True) as work:
            assert work.hit is None
        seconds.append(time.monotonic() - start)

    waiter = threading.Thread(target=other)
    waiter.start()

    def fail() -> None:
        with store.run("first") as run, run.step("work", cache=True):
            has_begun.set()
            time.sleep(0.3)
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        fail()
    waiter.join()
    assert 0.2 < seconds[0] < 10
    assert sorted(each.state for each in steps_of(store)) == ["COMPLETE", "FAILED"]


def test_a_claim_is_kept_alive(store: LineageStore) -> None:
    brief = Caching(lease=timedelta(seconds=1))
    ran = []

    def work(seconds: float) -> None:
        with store.run("nightly") as run, run.step("work", cache=brief) as step:
            if not step.hit:
                ran.append(1)
                time.sleep(seconds)

    first = threading.Thread(target=work, args=(3,))
    first.start()
    time.sleep(0.5)
    work(0)
    first.join()
    assert ran == [1]


def test_how_inputs_are_told_apart(store: LineageStore, tmp_path: Path) -> None:
    keys = []
    with store.run("nightly") as run:
        for name, identity in (("a", "AUTO"), ("b", "AUTO"), ("a", "ID")):
            (tmp_path / name).write_text("same")
            inputs = {"data": Artifact(id=_put(store, tmp_path / name), uri=name)}
            if identity == "AUTO":
                inputs = {"data": tmp_path / name}
            caching = Caching(identity=Identity(identity), names=False)
            with run.step("use", inputs=inputs, cache=caching) as use:
                keys.append(use.cache_key.digest)
    assert keys[0] == keys[1] != keys[2]


def _put(store: LineageStore, path: Path) -> int:
    store.put_artifact_type(ArtifactType(name="Data"))
    return store.put_artifact(Artifact(type="Data", uri=str(path)))


def test_a_file_is_one_artifact_whoever_meets_it(store: LineageStore, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_text("1")
    with store.run("first") as run, run.step("read", inputs={"data": path}):
        pass
    with store.run("second") as run, run.step("write") as write:
        write.output("data", path, type="Dataset")
    store.flush_recording()
    [artifact] = store.find_artifacts_by_uri(str(path))
    assert artifact.type == "Artifact"  # a type is never changed
    assert len(store.list_events(artifact=artifact)) == 2


def test_nothing_that_is_recorded_raises(store: LineageStore, tmp_path: Path, caplog) -> None:
    inputs: Any = {"gone": tmp_path / "gone", "odd": object()}
    params: Any = {"odd": object(), "half": "\ud800", "huge": 10**5000, 1: 2, "set": {1}}
    with store.run("nightly") as run:
        with run.step("odd", inputs=inputs, params=params, cache=True) as odd:
            assert odd.output("gone", tmp_path / "gone") is None
            odd.output("fine", uri="s3://fine")
            odd.result("odd", object())
            odd.metric("auc", "not a number")  # type: ignore[arg-type]
        with run.step("next", inputs={"x": odd.outputs["fine"]}):
            pass
    assert [each.state for each in steps_of(store)] == ["COMPLETE"] * 2
    assert "is not recorded" in caplog.text
    caplog.clear()


def test_what_could_not_be_recorded_is_not_published(store, tmp_path: Path, caplog) -> None:
    (tmp_path / "file").write_text("x")
    for _ in range(2):
        with store.run("nightly") as run:
            with run.step("gone", cache=True) as step:
                assert not step.hit
                step.output("out", tmp_path / "gone")
            with run.step("twice", cache=True) as twice:
                assert not twice.hit
                twice.output("one", tmp_path / "file")
                twice.output("other", tmp_path / "file")
    assert [each.state for each in steps_of(store)] == ["COMPLETE"] * 4
    assert store.cache.stats().entries == 0
    deadline = time.monotonic() + 10
    while store.cache.stats().claims_held:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert "its outputs one and other are one artifact" in caplog.text
    caplog.clear()


def test_a_step_within_a_step_of_the_same_key_does_not_wait(store: LineageStore) -> None:
    start = time.monotonic()
    with (
        store.run("nightly") as run,
        run.step("same", cache=True) as outer,
        run.step("same", cache=True) as inner,
    ):
        assert not outer.hit
        assert not inner.hit
    assert time.monotonic() - start < 5
    assert [each.state for each in steps_of(store)] == ["COMPLETE"] * 2
