"""Pipelines of kfp of many shapes: loops, pipelines in pipelines, parameters, its cache."""

import subprocess
from pathlib import Path

import pytest

from lineage_store import LineageStore
from tests.hooks.adapter_kfp import ADAPTER
from tests.hooks.adapters import Adapter
from tests.hooks.project import Project
from tests.hooks.recorded import Attempt, Recorded, recorded

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.parametrize("adapter", [pytest.param(ADAPTER, id="kfp")], indirect=True),
]


def play(project: Project, url: str, pipeline: str) -> tuple[int, str]:
    """Run a pipeline of `shapes.py`; return the exit code and its output."""
    process = subprocess.run(
        [str(project.adapter.python), "shapes.py", pipeline],
        cwd=project.directory,
        env=project.environment(url),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert "lineage of kfp is incomplete" not in process.stdout + process.stderr
    return process.returncode, process.stdout + process.stderr


def played(project: Project, url: str, pipeline: str, store: LineageStore) -> Recorded:
    code, printed = play(project, url, pipeline)
    assert code == 0, printed
    return recorded(store, project)


def only(attempts: list[Attempt]) -> Attempt:
    [one] = attempts
    return one


def names(uris: frozenset[str]) -> set[str]:
    """Return the last parts of uris."""
    return {uri.rpartition("/")[2] for uri in uris}


def test_a_loop(adapter: Adapter, project: Project, url: str, store: LineageStore) -> None:
    run_record = played(project, url, "loops", store)
    assert run_record.state == "COMPLETE"
    assert run_record.properties["parameters.rows"] == 3
    assert run_record.properties["runner"] == "SubprocessRunner"
    assert run_record.contexts["Pipeline"] == {"loops"}
    assert run_record.steps.keys() == {
        "generate",
        "train",
        "choose",
    }  # what no condition let run is not
    iterations = run_record.steps["train"]
    assert [attempt.index for attempt in iterations] == [0, 1, 2]
    assert [attempt.params["rate"] for attempt in iterations] == [*(0.1, 0.2, 0.3)]
    assert {attempt.state for attempt in iterations} == {"COMPLETE"}
    models = frozenset(uri for one in iterations for uri in one.outputs if "model" in uri)
    choice = only(run_record.steps["choose"])
    assert choice.inputs == models
    assert len(models) == 3
    assert choice.properties["outputs.report.tried"] == 3


def test_what_goes_from_task_to_task_as_a_parameter(
    adapter: Adapter, project: Project, url: str, store: LineageStore
) -> None:
    run_record = played(project, url, "passing", store)
    generate = only(run_record.steps["generate"])
    assert generate.properties["outputs.Output"] == 6
    assert names(generate.outputs) == {"table", "generate.Output"}
    trainings = [
        *run_record.steps["train"],
        *run_record.steps["train-2"],
    ]  # the latter within a condition
    assert len(trainings) == 2
    for attempt in trainings:
        assert attempt.inputs == generate.outputs
        assert attempt.params["size"] == 6
    [table] = [
        a for name, several in run_record.artifacts.items() for a in several if "table" in name
    ]
    assert table.custom_properties["metadata.rows"] == 3
    assert table.custom_properties["schema_title"] == "system.Dataset"


def test_tasks_of_one_name(
    adapter: Adapter, project: Project, url: str, store: LineageStore
) -> None:
    """Two pipelines in a pipeline, each with a task of the same name."""
    run_record = played(project, url, "nested", store)
    assert [a.state for a in run_record.steps["generate"]] == ["COMPLETE"] * 2
    assert [a.attempt for a in run_record.steps["generate"]] == [1, 1]
    assert sorted(a.params["rows"] for a in run_record.steps["generate"]) == [1, 2]
    assert run_record.steps.keys() == {"generate", "train", "train-2"}


def test_the_cache_of_kfp(
    adapter: Adapter, project: Project, url: str, store: LineageStore
) -> None:
    again = played(project, url, "twice", store)
    assert {a.state for several in again.steps.values() for a in several} == {"CACHED"}
    decisions = {a.properties["log.cache_decision"] for s in again.steps.values() for a in s}
    assert decisions == {"HIT: in the cache of kfp.local"}
    runs = [run.id for run in store.list_executions(type="PipelineRun")]
    assert len(runs) == 2
    for attempts in again.steps.values():
        assert all(attempt.outputs for attempt in attempts)


def test_a_component_alone(
    adapter: Adapter, project: Project, url: str, store: LineageStore
) -> None:
    run_record = played(project, url, "alone", store)
    assert (run_record.state, run_record.contexts["Pipeline"]) == ("COMPLETE", {"generate"})
    generate = only(run_record.steps["generate"])
    assert generate.params == {"rows": 4}
    assert names(generate.outputs) == {"table", "generate.Output"}


def test_why_a_task_failed(
    adapter: Adapter, project: Project, url: str, store: LineageStore
) -> None:
    code, printed = play(project, url, "failing")
    assert code != 0, printed
    assert "ValueError: xyzzy is refused" in printed  # what kfp prints is printed as ever
    run_record = recorded(store, project)
    assert run_record.state == "FAILED"
    failed = only(run_record.steps["refuse"]).properties
    assert (failed["error_type"], failed["error_message"]) == ("ValueError", "xyzzy is refused")


def test_without_a_store_nothing_is_touched(
    adapter: Adapter, project: Project, tmp_path: Path
) -> None:
    code = "import kfp.local.task_dispatcher as t; print(t.run_single_task_implementation)"
    process = subprocess.run(
        [str(adapter.python), "-c", f"import kfp.dsl; {code}; import sys; print(*sys.modules)"],
        env=project.environment(None),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "lineage_store" not in process.stdout
