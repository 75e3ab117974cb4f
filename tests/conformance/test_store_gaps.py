"""Gaps of a step are recorded with it, embedded and over a real server."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lineage_store import Artifact, LineageStore
from lineage_store.recording import diagnostics
from lineage_store.recording.history import RunStep, list_runs, read_run
from tests.conformance.step_stores import WAYS, opened


@pytest.fixture(params=WAYS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LineageStore]:
    with opened(request.param, tmp_path, heartbeat_seconds=60) as store:
        yield store


@pytest.fixture(autouse=True)
def warnings(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING, logger="lineage_store.recording")
    diagnostics.reset()
    return caplog


class DataFrame:
    """Yields its columns, as that of pandas does."""

    def __iter__(self) -> Iterator[str]:
        return iter("ab")


def only_step(store: LineageStore) -> RunStep:
    store.flush_recording()
    [step] = read_run(store).steps
    return step


def test_a_step_without_gaps_has_none(store: LineageStore, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    with store.run("nightly") as run, run.step("train", params={"depth": 6}) as step:
        step.output("x", tmp_path / "x")
        step.metric("loss", float("nan"))
    assert only_step(store).incomplete is None
    assert not step.gaps
    assert list_runs(store).items[0].incomplete_steps == 0


def test_everything_that_is_missing_is_told(
    store: LineageStore, tmp_path: Path, warnings: pytest.LogCaptureFixture
) -> None:
    table: Any = DataFrame()
    good = Artifact(type="T", uri="s3://kept")
    odd = Artifact(type="T", uri="s3://odd", custom_properties={"x": object()})  # type: ignore[dict-item]
    inputs: Any = {"gone": tmp_path / "gone", "table": table, "kept": good, "odd": odd}
    params = {"connection": object(), "depth": 6, "\ud800": 1}
    with store.run("nightly") as run, run.step("train", inputs=inputs, params=params) as step:
        step.output("fig", table)
        step.output("gone", tmp_path / "gone")
        step.output("table", uri="s3://table")
        step.output(3, uri="s3://third")  # type: ignore[arg-type]
        step.output("strange", odd)
        step.metric("passed", value=True)
        step.metric("auc", "0.9")  # type: ignore[arg-type]
        step.metric(4, 0.5)  # type: ignore[arg-type]
        step.result("handle", object())
        step.input("late", 1.5)  # type: ignore[arg-type]
    train_step = only_step(store)
    assert train_step.state == "COMPLETE"
    incomplete = train_step.incomplete or ""
    assert incomplete == str(step.gaps)
    starts = ("4 inputs not recorded: gone (", "1 parameter not recorded: connection (only its")
    starts += ("3 outputs not recorded: fig (a DataFrame is no output), gone (",)
    starts += ("2 metrics not recorded: passed (True is no number), auc ('0.9' is no number)",)
    starts += ("1 result not recorded: handle (only its type is",)
    assert [part for part in starts if part not in incomplete] == []
    assert "table (a DataFrame is no input)" in incomplete
    execution = store.get_execution(train_step.execution_id)
    properties = execution.custom_properties
    assert properties["parameters.connection"] == "<object object>"
    assert (properties["outputs.4"], properties["parameters.?"]) == (0.5, 1)
    assert not {"outputs.auc", "outputs.passed"} & properties.keys()
    events = {event.path: event.type for event in store.list_events(execution=execution)}
    assert events == {("kept", 0): "INPUT", ("table", 0): "OUTPUT", ("3", 0): "OUTPUT"}
    assert all(
        message.startswith(f"step train of run {run.id}: the ") for message in warnings.messages
    )


def test_a_run_counts_its_steps_with_gaps(store: LineageStore) -> None:
    for bad in (2, 0):
        with store.run("nightly") as run:
            for at in range(3):
                with run.step(f"step{at}") as step:
                    if at < bad:
                        step.metric("m", None)  # type: ignore[arg-type]
    store.flush_recording()
    newest, oldest = list_runs(store).items
    assert (newest.incomplete_steps, oldest.incomplete_steps) == (0, 2)
    assert read_run(store, oldest.run).summary.incomplete_steps == 2
    assert read_run(store, oldest.run).summary.incomplete is None


def test_inputs_without_names_are_told_and_the_step_is_whole_otherwise(store: LineageStore) -> None:
    inputs: Any = ["s3://x"]
    with store.run("nightly") as run, run.step("train", inputs=inputs, params={"depth": 6}):
        pass
    train_step = only_step(store)
    assert (train_step.state, train_step.incomplete) == (
        "COMPLETE",
        "1 input not recorded: * (a list has no names)",
    )
    assert store.get_execution(train_step.execution_id).custom_properties["parameters.depth"] == 6


def test_a_name_that_is_dropped_is_told(store: LineageStore, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    with store.run("nightly") as run, run.step("train") as step:
        for name in ("one", "other", "other"):
            step.output(name, tmp_path / "x")
    incomplete = "1 output not recorded: other (it is the artifact of one, too)"
    assert only_step(store).incomplete == incomplete


def test_a_hit_tells_what_it_lacks(store: LineageStore) -> None:
    for _ in range(2):
        with store.run("nightly") as run, run.step("train", cache=True) as step:
            step.input("late", 1.5)  # type: ignore[arg-type]
        store.flush_recording()
    train_step = only_step(store)
    assert (train_step.state, train_step.incomplete) == (
        "CACHED",
        "1 input not recorded: late (a float is no input)",
    )


def test_a_hit_tells_what_its_source_lacks(store: LineageStore) -> None:
    for _ in range(2):
        with store.run("nightly") as run, run.step("train", cache=True) as step:
            if not step.hit:
                step.metric("m", "x")  # type: ignore[arg-type]
        store.flush_recording()
    train_step = only_step(store)
    incomplete = "1 metric not recorded: m ('x' is no number)"
    source = train_step.original_execution_id or 0
    assert store.get_execution(source).custom_properties["log.incomplete"] == incomplete
    assert (train_step.state, train_step.incomplete) == (
        "CACHED",
        f"served from execution {source} ({incomplete})",
    )


def test_a_record_that_can_not_be_sent_is_replaced_by_one_that_says_so(
    store: LineageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.run("nightly") as run, run.step("train") as step:
        monkeypatch.setattr(step, "_output_places", lambda: ["no place"])
    train_step = only_step(store)
    assert train_step.state == "COMPLETE"
    assert (train_step.incomplete or "").startswith("failed: record (AttributeError")
