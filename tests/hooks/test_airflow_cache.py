"""`LineageCacheOperator` skips what is known, and what comes after goes on with what is there."""

import sqlite3
from collections import Counter

import pytest

from lineage_store import LineageStore
from tests.hooks.adapter_airflow import ADAPTER, SERVED
from tests.hooks.adapters import Adapter
from tests.hooks.project import Project
from tests.hooks.recorded import Recorded, recorded

pytestmark = [pytest.mark.timeout(500)]

ON = {"LINEAGE_STORE_CACHE": "1"}
DAG = "dags/cached.py"
STEPS = ("clean", "train_small", "train_large", "evaluate", "report")

NEVER = {
    "pair": "NOT_CACHED: others are mapped over what it puts out",
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


def run_dag(
    project: Project, url: str | None, dag: str = "cached", **variables: str
) -> Counter[str]:
    """Run a DAG, which has to go well; return which of its tasks really ran."""
    before = project.calls()
    command = [str(ADAPTER.python.with_name("airflow")), "dags", "test", dag]
    printed = project.succeed_with(command, url, **variables)
    assert "lineage of" not in printed
    return project.calls() - before


def assert_ran(project: Project, url: str, store: LineageStore, *ran: str) -> Recorded:
    """Run the DAG, and check that just these of its tasks ran, and that the others were known."""
    assert run_dag(project, url, **ON) == Counter([*ran, "report"])
    found = recorded(store, project)
    assert found.state == "COMPLETE"
    states = {name: found.states()[name] for name in STEPS}
    wanted = {name: ["COMPLETE" if name in {*ran, "report"} else "CACHED"] for name in STEPS}
    assert states == wanted
    return found


def decision(found: Recorded, step: str) -> str:
    return str(found.steps[step][-1].properties["log.cache_decision"])


def edit(project: Project, old: str, new: str) -> None:
    path = project.directory / DAG
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_what_changed_runs_again(project: Project, url: str, store: LineageStore) -> None:
    first = assert_ran(project, url, store, *STEPS[:-1])
    again = assert_ran(project, url, store)
    for name in STEPS[:-1]:
        assert decision(again, name).startswith("HIT: from execution"), name
        assert again.steps[name][0].outputs == first.steps[name][0].outputs
        assert again.steps[name][0].inputs == first.steps[name][0].inputs
    for what in ("metrics", "large"):
        assert [a.id for a in again.artifacts[what]] == [a.id for a in first.artifacts[what]]
    assert again.steps["report"][0].inputs == {"table", "metrics"}

    edit(project, "train_large(table, depth=2)", "train_large(table, depth=3)")
    found = assert_ran(project, url, store, "train_large", "evaluate")
    assert decision(found, "train_large").startswith("NEVER_SEEN")

    edit(project, "model = churn_steps.train_small", "model = (churn_steps.train_small)")
    assert_ran(project, url, store, "train_small")  # whose output is what it was

    (project.directory / "data/large.json").unlink()
    found = assert_ran(project, url, store, "train_large")
    assert decision(found, "train_large").startswith("OUTPUT_MISSING: the cached output")

    raw = project.directory / "data/raw.csv"
    raw.write_text(f"{raw.read_text()}7,2,1\n8,80,0\n")
    assert_ran(project, url, store, *STEPS[:-1])
    assert_ran(project, url, store)


def test_without_the_variable_or_the_store(project: Project, url: str) -> None:
    everything = Counter(STEPS)
    assert run_dag(project, url, **ON) == everything
    assert run_dag(project, url) == everything
    assert run_dag(project, None, **ON) == everything
    assert run_dag(project, "grpc://127.0.0.1:9", **ON) == everything


def test_what_failed_or_is_gone(project: Project, url: str, store: LineageStore) -> None:
    failing = project.ask("fail", "train_large")
    command = [str(ADAPTER.python.with_name("airflow")), "dags", "test", "cached"]
    with pytest.raises(AssertionError, match="no luck in train_large"):
        project.succeed_with(command, url, **ON)
    failing.unlink()
    assert_ran(project, url, store, "train_large", "evaluate")
    forget_xcoms(project)
    found = assert_ran(project, url, store, "clean", "evaluate")
    assert decision(found, "clean").startswith("REJECTED: Airflow has its XCom return_value of")


def forget_xcoms(project: Project) -> None:
    """Remove the XComs of all runs so far, as `airflow db clean` does."""
    with sqlite3.connect(project.directory / "airflow" / "airflow.db") as database:
        database.execute("DELETE FROM xcom")


def test_what_is_never_skipped(project: Project, url: str, store: LineageStore) -> None:
    for _ in range(2):
        run_dag(project, url, "never", **ON)
    found = recorded(store, project)
    states = {name: set(several) for name, several in found.states().items()}
    assert states.pop("remote") == {"CACHED"}
    assert states == {name: {"COMPLETE"} for name in [*NEVER, "gate"]}
    for step, why in NEVER.items():
        assert decision(found, step).startswith(why), step
    assert [attempt.params["x"] for attempt in found.steps["each"]] == [1, 2]
    assert found.steps["remote"][0].outputs == {"s3://models/remote"}


def test_in_processes_of_their_own(project: Project, url: str, store: LineageStore) -> None:
    """A run begins and ends in the scheduler; what was skipped is not told again by it."""
    served = [str(ADAPTER.python), str(SERVED), "cached"]
    for ran in (STEPS, ("report",)):
        before = project.calls()
        project.succeed_with(served, url, **ON)
        assert project.calls() - before == Counter(ran)
        found = recorded(store, project)
        states = {name: found.states()[name] for name in STEPS}
        assert states == {name: ["COMPLETE" if name in ran else "CACHED"] for name in STEPS}
