"""Features of Metaflow alone: foreach, inherited artifacts, processes that die, resume."""

import os
import signal
import time
from pathlib import Path

import pytest

from lineage_store import LineageStore
from tests.hooks.adapter_metaflow import ADAPTER
from tests.hooks.project import Project
from tests.hooks.recorded import Attempt, Recorded, recorded

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.parametrize("adapter", [pytest.param(ADAPTER, id="metaflow")], indirect=True),
]

MORE = [str(ADAPTER.python), "more_flow.py"]


def fail(project: Project, url: str) -> str:
    process = project._start([*MORE, "run"], url)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode != 0, printed
    return printed


def only(run_record: Recorded, step: str) -> Attempt:
    [attempt] = run_record.steps[step]
    return attempt


def values(*names: str) -> set[str]:
    return {f"value:shop.More/{name}" for name in names}


def test_foreach_and_what_is_inherited(project: Project, url: str, store: LineageStore) -> None:
    printed = project.succeed_with([*MORE, "run", "--scale", "2"], url)
    assert "lineage of" not in printed
    run_record = recorded(store, project)
    assert run_record.state == "COMPLETE"
    assert run_record.contexts["Project"] == {"shop"}
    assert run_record.contexts["Pipeline"] == {"shop.More"}
    for name in ("part", "half"):
        assert [attempt.index for attempt in run_record.steps[name]] == [0, 1, 2]
        foreach = [attempt.properties["foreach"] for attempt in run_record.steps[name]]
        assert foreach == ["samples=a", "samples=b", "samples=c"]
    for part, size in zip(run_record.steps["part"], (2, 4, 6), strict=True):
        assert (part.inputs, part.outputs) == (values("samples"), values("size"))
        assert part.params == {"scale": 2}  # by way of a method; and not the one that is not used
        assert part.properties["outputs.size"] == size
    join = only(run_record, "join")
    assert (join.inputs, join.outputs) == (values("halved"), values("total"))
    assert len(run_record.artifacts["value:shop.More/halved"]) == 3
    assert only(run_record, "end").inputs == values("total", "kept")
    kept_values = run_record.artifacts["value:shop.More/kept"]
    assert len(kept_values) == 2  # as it was put out first, and then
    assert only(run_record, "caught").state == "COMPLETE"
    assert only(run_record, "caught").outputs == values("kept", "problem")
    assert only(run_record, "start").properties["log.pathspec"].startswith("More/")


def test_a_process_that_dies(project: Project, url: str, store: LineageStore) -> None:
    project.succeed_with([*MORE, "run"], url)
    first, second = recorded(store, project).steps["dies"]
    assert (first.state, first.attempt) == ("FAILED", 1)
    assert first.properties["error_type"] == "metaflow.TaskFailed"
    assert first.properties["error_message"] == "its process ended with the exit code 7"
    assert (second.state, second.attempt) == ("COMPLETE", 2)


def test_a_process_that_always_dies(project: Project, url: str, store: LineageStore) -> None:
    (project.directory / "always-die").touch()
    fail(project, url)
    run_record = recorded(store, project)
    assert run_record.state == "FAILED"
    assert run_record.properties["error_type"] == "metaflow.runtime.TaskFailed"
    assert run_record.states()["dies"] == ["FAILED", "FAILED"]


def test_what_cannot_be_kept(project: Project, url: str, store: LineageStore) -> None:
    (project.directory / "keep-a-lock").touch()
    fail(project, url)
    run_record = recorded(store, project)
    assert run_record.state == "FAILED"
    unkept = only(run_record, "unkept")
    assert (unkept.state, unkept.outputs) == ("FAILED", set())
    assert unkept.properties["error_message"]


def test_resume(project: Project, url: str, store: LineageStore) -> None:
    (project.directory / "always-die").touch()
    fail(project, url)
    first = recorded(store, project)
    (project.directory / "always-die").unlink()
    project.succeed_with([*MORE, "resume"], url)
    second = recorded(store, project)
    assert second.state == "COMPLETE"
    assert second.states() == {
        "dies": ["FAILED", "COMPLETE"],
        "unkept": ["COMPLETE"],
        "end": ["COMPLETE"],
    }
    assert str(first.properties["run_id"]).endswith(second.properties["origin_run_id"])
    total = "value:shop.More/total"
    assert second.artifacts[total] == first.artifacts[total]  # the thread that leads back


def test_ctrl_c(project: Project, url: str, store: LineageStore) -> None:
    project.ask("hold", "train_small")
    process = project.start(url)
    project.await_held("train_small", process)
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode != 0, printed
    run_record = recorded(store, project)
    assert run_record.state == "CANCELED"
    assert run_record.states()["clean"] == ["COMPLETE"]
    assert run_record.states()["train_small"] == ["CANCELED"]


def test_another_file(project: Project, url: str, store: LineageStore) -> None:
    other = project.directory / "data/other.csv"
    raw = project.path("raw")
    assert raw is not None
    raw.rename(other)
    project.succeed_with([*ADAPTER.command("sequential"), "--raw", "data/other.csv"], url)
    [clean] = recorded(store, project).steps["clean"]
    assert clean.inputs == {str(other)}


def test_what_is_no_run(project: Project, url: str) -> None:
    project.succeed(None)
    for options in (["show"], ["check"], ["dump", "--help"]):
        project.succeed_with([str(ADAPTER.python), "churn_flow.py", *options], url)
    assert not Path(url.removeprefix("sqlite:///")).exists()
    assert not project.spool.exists()
