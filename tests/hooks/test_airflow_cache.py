"""`LineageCacheOperator` skips unchanged tasks, and the tasks behind read the original outputs."""

import sqlite3
from collections import Counter
from collections.abc import Iterator

import pytest

from lineage_store import LineageStore
from lineage_store.recording.history import list_runs
from tests.hooks.adapter_airflow import ADAPTER, SERVED
from tests.hooks.adapters import Adapter
from tests.hooks.airflow_commands import AirflowCommands
from tests.hooks.project import Project
from tests.hooks.recorded import Recorded, recorded

pytestmark = [pytest.mark.timeout(500)]

ON = {"LINEAGE_STORE_CACHE": "1"}
DAG = "dags/cached.py"
STEPS = ("clean", "train_small", "train_large", "evaluate", "report")

NEVER = {
    "pair": "NOT_CACHED: others are mapped over its output",
    "of_the_run": "NOT_CACHED: it is given run_id by the context of its run",
    "of_context": "NOT_CACHED: it is given the whole context of its run",
    "secret": "NOT_CACHED: its argument password is a secret",
    "nothing": "NOT_CACHED: it put out nothing",
    "unnamed": "NOT_CACHED: it read ",
    "shell": "NOT_CACHED: it is no Python task",
    "each": "NOT_CACHED: it is mapped",
}
"""The tasks of the DAG `never` that are never skipped, and what is said of them."""


@pytest.fixture(params=[ADAPTER], ids=["airflow"])
def adapter(adapter: Adapter) -> Adapter:
    return adapter


class Runs:
    """Runs of DAGs of a project, and which of their tasks really ran."""

    def __init__(self, project: Project, commands: AirflowCommands) -> None:
        self._project = project
        self.commands = commands

    def run(self, url: str | None, dag: str = "cached", **variables: str) -> Counter[str]:
        """Run a DAG, which has to go well; return which of its tasks really ran."""
        before = self._project.calls()
        self.commands.run_dag(dag, url, **variables)
        return self._project.calls() - before

    def assert_ran(self, url: str, store: LineageStore, *ran: str) -> Recorded:
        """Run the DAG; check that just these of its tasks ran, and that the others were known."""
        assert self.run(url, **ON) == Counter([*ran, "report"])
        run_record = recorded(store, self._project)
        assert run_record.state == "COMPLETE"
        states = {name: run_record.states()[name] for name in STEPS}
        expected = {name: ["COMPLETE" if name in {*ran, "report"} else "CACHED"] for name in STEPS}
        assert states == expected
        return run_record


@pytest.fixture
def runs(project: Project) -> Iterator[Runs]:
    with AirflowCommands(project) as commands:
        yield Runs(project, commands)


def decision(run_record: Recorded, step: str) -> str:
    return str(run_record.steps[step][-1].properties["log.cache_decision"])


def edit(project: Project, old: str, new: str) -> None:
    path = project.directory / DAG
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_what_changed_runs_again(
    project: Project, url: str, store: LineageStore, runs: Runs
) -> None:
    first = runs.assert_ran(url, store, *STEPS[:-1])
    again = runs.assert_ran(url, store)
    for name in STEPS[:-1]:
        assert decision(again, name).startswith("HIT: from execution"), name
        assert again.steps[name][0].outputs == first.steps[name][0].outputs
        assert again.steps[name][0].inputs == first.steps[name][0].inputs
    for name in ("metrics", "large"):
        assert [a.id for a in again.artifacts[name]] == [a.id for a in first.artifacts[name]]
    assert again.steps["report"][0].inputs == {"table", "metrics"}

    edit(project, "train_large(table, depth=2)", "train_large(table, depth=3)")
    run_record = runs.assert_ran(url, store, "train_large", "evaluate")
    assert decision(run_record, "train_large").startswith("NEVER_SEEN")

    edit(project, "model = churn_steps.train_small", "model = (churn_steps.train_small or None)")
    runs.assert_ran(url, store, "train_small")  # whose output is what it was

    (project.directory / "data/large.json").unlink()
    run_record = runs.assert_ran(url, store, "train_large")
    assert decision(run_record, "train_large").startswith("OUTPUT_MISSING: the cached output")

    raw = project.directory / "data/raw.csv"
    raw.write_text(f"{raw.read_text()}7,2,1\n8,80,0\n")
    runs.assert_ran(url, store, *STEPS[:-1])
    runs.assert_ran(url, store)


def test_without_the_variable_or_the_store(url: str, runs: Runs) -> None:
    everything = Counter(STEPS)
    assert runs.run(url, **ON) == everything
    assert runs.run(url) == everything
    assert runs.run(None, **ON) == everything
    assert runs.run("grpc://127.0.0.1:9", **ON) == everything


def test_what_failed_or_is_gone(
    project: Project, url: str, store: LineageStore, runs: Runs
) -> None:
    failing = project.ask("fail", "train_large")
    code, printed = runs.commands.run(["dags", "test", "cached"], url, **ON)
    assert code != 0
    assert "no luck in train_large" in printed
    failing.unlink()
    runs.assert_ran(url, store, "train_large", "evaluate")
    forget_xcoms(project)
    run_record = runs.assert_ran(url, store, "clean", "evaluate")
    assert decision(run_record, "clean").startswith(
        "REJECTED: Airflow has its XCom return_value of"
    )


def forget_xcoms(project: Project) -> None:
    """Remove the XComs of all runs so far, as `airflow db clean` does."""
    with sqlite3.connect(project.directory / "airflow" / "airflow.db") as database:
        database.execute("DELETE FROM xcom")


def test_what_is_never_skipped(project: Project, url: str, store: LineageStore, runs: Runs) -> None:
    for _ in range(2):
        runs.run(url, "never", **ON)
    run_record = recorded(store, project)
    states = {name: set(several) for name, several in run_record.states().items()}
    assert states.pop("remote") == {"CACHED"}
    assert states == {name: {"COMPLETE"} for name in [*NEVER, "gate"]}
    for step, why in NEVER.items():
        assert decision(run_record, step).startswith(why), step
    assert [attempt.params["x"] for attempt in run_record.steps["each"]] == [1, 2]
    assert run_record.steps["remote"][0].outputs == {"s3://models/remote"}


def test_in_processes_of_their_own(project: Project, url: str, store: LineageStore) -> None:
    """A run begins and ends in the scheduler, which does not record skipped tasks again."""
    project.succeed_with([str(ADAPTER.python), str(SERVED), "cached", "cached"], url, **ON)
    assert project.calls() == Counter([*STEPS, "report"])
    second, first = (run.run for run in list_runs(store, limit=5).items)
    for run, ran in ((first, STEPS), (second, ("report",))):
        run_record = recorded(store, project, run)
        states = {name: run_record.states()[name] for name in STEPS}
        assert states == {name: ["COMPLETE" if name in ran else "CACHED"] for name in STEPS}
