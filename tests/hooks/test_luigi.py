"""Features of Luigi alone: requirements of a running task, families, processes that die."""

import json
from pathlib import Path
from textwrap import dedent

import pytest

from lineage_store import LineageStore
from tests.hooks.adapter_luigi import ADAPTER
from tests.hooks.project import Project
from tests.hooks.recorded import recorded

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.parametrize("adapter", [pytest.param(ADAPTER, id="luigi")], indirect=True),
]

HEAD = """
import os
import luigi

def touch(target, text="x"):
    with target.open("w") as file:
        file.write(text)
"""
WORKERS = pytest.mark.parametrize("mode", ["sequential", "processes"])


def write(project: Project, tasks: str) -> None:
    """Give the project other tasks, of which `Evaluate` is the last."""
    (project.directory / "churn_tasks.py").write_text(HEAD + dedent(tasks))


@WORKERS
def test_tasks_of_one_family(project: Project, url: str, store: LineageStore, mode: str) -> None:
    tasks = """
    class Day(luigi.Task):
        day = luigi.IntParameter()
        secret = luigi.Parameter(default="hush", visibility=2)
        def output(self):
            return luigi.LocalTarget(f"data/{self.day}")
        def run(self):
            touch(self.output(), str(self.day))

    class Evaluate(luigi.Task):
        def requires(self):
            return [Day(day) for day in range(3)]
        def output(self):
            return {"all": luigi.LocalTarget("data/all"), "none": luigi.LocalTarget("data/none")}
        def run(self):
            for target in self.output().values():
                touch(target)
    """
    write(project, tasks)
    project.succeed(url, mode)
    run_record = recorded(store, project)
    days = run_record.steps["Day"]
    assert sorted(attempt.params["day"] for attempt in days) == [0, 1, 2]
    assert all(set(attempt.params) == {"day"} for attempt in days)  # and not the secret
    paths = {str(project.directory / f"data/{day}") for day in range(3)}
    [evaluate] = run_record.steps["Evaluate"]
    assert evaluate.inputs == paths == {path for attempt in days for path in attempt.outputs}
    assert evaluate.outputs == {str(project.directory / f"data/{n}") for n in ("all", "none")}


@WORKERS
def test_what_a_task_requires_while_it_runs(
    project: Project, url: str, store: LineageStore, mode: str
) -> None:
    tasks = """
    class Part(luigi.Task):
        def output(self):
            return luigi.LocalTarget("data/part")
        def run(self):
            touch(self.output())

    class Evaluate(luigi.Task):
        def output(self):
            return luigi.LocalTarget("data/all")
        def run(self):
            yield Part()
            touch(self.output())
    """
    write(project, tasks)
    project.succeed(url, mode)
    run_record = recorded(store, project)
    assert run_record.states() == {"Part": ["COMPLETE"], "Evaluate": ["COMPLETE"]}
    assert "while it runs" in run_record.steps["Evaluate"][0].properties["inputs_incomplete"]


def test_a_process_that_dies(project: Project, url: str, store: LineageStore) -> None:
    tasks = """
    class Evaluate(luigi.Task):
        def output(self):
            return luigi.LocalTarget("data/all")
        def run(self):
            os._exit(7)
    """
    write(project, tasks)
    code, printed = project.run(url, "processes")
    assert code != 0, printed
    run_record = recorded(store, project)
    assert run_record.state == "FAILED"
    assert {attempt.state for attempt in run_record.steps["Evaluate"]} == {"FAILED"}
    assert run_record.steps["Evaluate"][0].properties["error_type"] == "luigi.ProcessFailure"
    assert "died unexpectedly" in run_record.steps["Evaluate"][0].properties["error_message"]


def test_what_was_complete_before(project: Project, url: str, store: LineageStore) -> None:
    project.succeed(url)
    (project.directory / "data/metrics.json").unlink()
    project.succeed(url)
    run_record = recorded(store, project)
    states = run_record.states()
    assert states.pop("Evaluate") == ["COMPLETE"]
    assert states == {name: ["CACHED"] for name in ("Clean", "TrainSmall", "TrainLarge")}
    assert run_record.steps["Clean"][0].outputs == {"table"}
    why = run_record.steps["Clean"][0].properties["log.cache_decision"]
    assert why == "COMPLETE: its outputs were there before the run"


def test_files_that_the_store_does_not_know_are_left_alone(project: Project, url: str) -> None:
    project.succeed(None)
    calls = project.calls()
    project.succeed(url, LINEAGE_STORE_CACHE="1")
    assert project.calls() == calls


def test_several_runs_in_one_process(project: Project, url: str, store: LineageStore) -> None:
    (project.directory / "twice.py").write_text(
        dedent(
            """
            import json, os, luigi, churn_tasks
            for name in ("TrainSmall", "TrainLarge"):
                luigi.build([getattr(churn_tasks, name)()], local_scheduler=True, no_lock=True)
            print(json.dumps(sorted(name for name in os.environ if "LUIGI_RUN" in name)))
            """
        )
    )
    printed = project.succeed_with([str(ADAPTER.python), "twice.py"], url)
    json.loads(printed.splitlines()[-1])
    runs = list(store.list_executions(type="PipelineRun"))
    pipelines = {str(run.custom_properties["pipeline"]): str(run.state) for run in runs}
    expected = ("churn_tasks.TrainSmall", "churn_tasks.TrainLarge")
    assert pipelines == dict.fromkeys(expected, "COMPLETE")


def test_the_startup_line_leaves_other_programs_alone(project: Project, url: str) -> None:
    code = "import sys; print([m for m in sys.modules if m.startswith(('luigi', 'google'))])"
    printed = project.succeed_with([str(ADAPTER.python), "-c", code], url)
    assert printed == "[]\n"
    assert not Path(url.removeprefix("sqlite:///")).exists()
