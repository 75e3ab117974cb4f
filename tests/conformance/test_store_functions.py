"""Ordinary functions as steps, embedded and over a real server."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lineage_store import LineageStore
from lineage_store.recording import StepFunction, diagnostics, step
from tests.conformance.step_stores import WAYS, Count, opened, steps_of


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


def test_functions_as_steps(store: LineageStore, tmp_path: Path) -> None:
    trained, scored = Count(), Count()

    @step(cache=True, type="Train")
    def train(data: Path, target: str, depth: int = 3) -> Path:
        trained()
        path = Path(target) / f"model-{depth}"
        path.write_text(data.read_text() * depth)
        return path

    @step(cache=True)
    def score(model: Path) -> dict[str, Any]:
        scored()
        return {"auc": 0.5, "size": len(model.read_text()), "ok": True, "none": None}

    data = tmp_path / "data"
    data.write_text("ab")
    expected = {"auc": 0.5, "size": 6, "ok": True, "none": None}
    for _ in range(2):
        with store.run("nightly"):
            model = train(data, str(tmp_path))
            assert model == tmp_path / "model-3"
            assert score(model) == expected
    assert (trained.calls, scored.calls) == (1, 1)
    assert isinstance(train, StepFunction)
    with store.run("nightly"):
        train(data, str(tmp_path), depth=4)
        data.write_text("other")
        train(data, str(tmp_path))
    assert trained.calls == 3
    states = [(each.type, each.state) for each in steps_of(store)]
    first, second = [("Train", "COMPLETE"), ("score", "COMPLETE")], [("Train", "CACHED")]
    assert states == [*first, *second, ("score", "CACHED"), *([("Train", "COMPLETE")] * 2)]
    assert train(data, str(tmp_path)) == tmp_path / "model-3"  # outside of a run: just called
    assert len(steps_of(store)) == 6


def test_outputs_that_are_named_by_parameters(store: LineageStore, tmp_path: Path) -> None:
    calls = Count()

    @step(cache=True, outputs=["target"])
    def copy(source: Path, target: Path) -> None:
        calls()
        target.write_text(source.read_text())

    (tmp_path / "in").write_text("x")
    for name in ("one", "two"):
        with store.run("nightly"):
            copy(tmp_path / "in", tmp_path / name)
        assert (tmp_path / name).read_text() == "x"
    assert calls.calls == 1


def test_values_that_are_returned(store: LineageStore, tmp_path: Path) -> None:
    calls = Count()

    @step(cache=True, save=tmp_path / "saved")
    def make(kind: str) -> Any:
        calls()
        (tmp_path / "a").write_text("a")
        return {
            "none": None,
            "list": [1, 1.0, True, "x"],
            "tuple": (1, {2, 3}),
            "paths": {"a": tmp_path / "a"},
            "bytes": b"\x00",
            "nan": float("nan"),
        }[kind]

    kinds = ["none", "list", "tuple", "paths", "bytes", "nan"]
    results = []
    for _ in range(2):
        with store.run("nightly"):
            results.append([make(kind) for kind in kinds])
    assert repr(results[0]) == repr(results[1])
    assert calls.calls == len(kinds)


def test_what_can_not_be_kept_is_not_cached(store: LineageStore, caplog) -> None:
    calls = Count()

    @step(cache=True)
    def make() -> Any:
        calls()
        return {1, 2}

    for _ in range(2):
        with store.run("nightly"):
            assert make() == {1, 2}
    assert calls.calls == 2
    assert [each.state for each in steps_of(store)] == ["COMPLETE"] * 2
    assert caplog.text.count("make is not cached") == 1
    caplog.clear()


def test_retries(store: LineageStore, caplog) -> None:
    calls = Count()

    @step(retries=2)
    def shaky() -> int:
        calls()
        if calls.calls < 3:
            raise OSError("not yet")
        return 1

    with store.run("nightly"):
        assert shaky() == 1
    attempts = [(e.state, e.custom_properties["attempt_id"]) for e in steps_of(store)]
    assert attempts == [("FAILED", 1), ("FAILED", 2), ("COMPLETE", 3)]
    caplog.clear()
    calls.calls = -10
    with pytest.raises(OSError, match="not yet"), store.run("nightly"):
        shaky()
    assert [e.state for e in steps_of(store)][3:] == ["FAILED"] * 3
    caplog.clear()
