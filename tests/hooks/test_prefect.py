"""Features of Prefect alone: mapped and asynchronous tasks, flows within flows, cached states."""

import shutil
from collections import Counter

import pytest

from lineage_store import LineageStore
from lineage_store.recording.history import list_runs
from tests.hooks.adapter_prefect import ADAPTER
from tests.hooks.adapters import Adapter
from tests.hooks.project import Project
from tests.hooks.recorded import Recorded, recorded

pytestmark = [pytest.mark.timeout(400)]


@pytest.fixture(params=[ADAPTER], ids=["prefect"])
def adapter(adapter: Adapter) -> Adapter:
    return adapter


@pytest.fixture
def runs(project: Project, url: str, store: LineageStore) -> dict[str, Recorded]:
    """Return the runs of `more_flow.py`, by pipeline."""
    flow(project, url, "more_flow.py")
    return newest(store, project)


def flow(project: Project, url: str, *command: str, **variables: str) -> str:
    printed = project.succeed_with([str(ADAPTER.python), *command], url, **variables)
    assert "lineage of" not in printed
    return printed


def newest(store: LineageStore, project: Project) -> dict[str, Recorded]:
    """Return the newest run of each pipeline."""
    records = [recorded(store, project, run.run) for run in list_runs(store, limit=9).items]
    return {str(run.properties["pipeline"]): run for run in reversed(records)}


def test_what_churn_has_not(runs: dict[str, Recorded]) -> None:
    assert runs.keys() == {"more", "within", "numbers"}
    assert {run.state for run in runs.values()} == {"COMPLETE"}
    more, within = runs["more"], runs["within"]
    doubled = more.steps["double"]
    assert [attempt.index for attempt in doubled] == [0, 1, 2]
    assert sorted(attempt.properties["outputs.result"] for attempt in doubled) == [2, 4, 6]
    assert all(attempt.params["factor"] == 2 for attempt in doubled)
    assert more.states()["total"] == ["COMPLETE", "CACHED"]
    first, second = more.steps["total"]
    assert first.outputs == second.outputs == {"value:more/total"}
    assert first.inputs == {"value:more/double"}
    assert [attempt.outputs for attempt in more.steps["publish"]] == [{"s3://models/churn"}]
    assert within.properties["parent_run_id"] == more.properties["run_id"]
    assert within.properties["parameters.start"] == 4
    [inner] = within.steps["double"]
    assert (inner.state, inner.outputs) == ("COMPLETE", {"value:within/double"})
    assert [attempt.state for attempt in runs["numbers"].steps["numbers"]] == ["COMPLETE"]


ON = {"LINEAGE_STORE_CACHE": "1", **ADAPTER.keeping}

NEVER = {
    "forgotten": "NOT_CACHED: its result is not persisted",
    "own_policy": "NOT_CACHED: it has a cache policy of its own",
    "no_policy": "NOT_CACHED: it has a cache policy of its own",
    "refreshed": "NOT_CACHED: it is to refresh its cache",
    "nothing": "NOT_CACHED: it returned nothing",
    "unknown": "NOT_CACHED: its output result is not hashed",
    "given": "NOT_CACHED: its input unknown is not hashed",
    "given_directly": "NOT_CACHED: ",
    "parts": "NOT_CACHED: it yields its results one by one",
    "asset": "NOT_CACHED: it makes assets",
}
"""The tasks of `kept_flow.py` that are never skipped, and what is said of them."""


def run_kept_flow(
    project: Project, store: LineageStore, url: str, **variables: str
) -> tuple[Counter[str], Recorded]:
    """Run `kept_flow.py`; return which tasks really ran, and the run."""
    before = project.calls()
    flow(project, url, "kept_flow.py", **variables)
    return project.calls() - before, newest(store, project)["kept"]


def decisions(run_record: Recorded, step: str) -> list[str]:
    return [str(attempt.properties["log.cache_decision"]) for attempt in run_record.steps[step]]


def test_what_is_skipped(project: Project, url: str, store: LineageStore) -> None:
    project.ask("flaky", "flaky")
    first, run_record = run_kept_flow(project, store, url, **ON)
    several = {"double": 4, "flaky": 2, "twin": 2}  # which don't wait for each other
    assert first == Counter({**dict.fromkeys([*NEVER, "total"], 1), **several})
    second, run_record = run_kept_flow(project, store, url, **ON)
    # the policy of its own is Prefect's, and works as it does without the hook
    assert second == Counter(NEVER.keys() - {"own_policy"})
    states = {name: set(states) for name, states in run_record.states().items()}
    skipped = {name for name, several in states.items() if several == {"CACHED"}}
    assert skipped == {"double", "total", "flaky", "twin", "own_policy"}
    assert {name for name, several in states.items() if several == {"COMPLETE"}} == (
        NEVER.keys() - {"own_policy"}
    )
    for step, why in NEVER.items():
        [decision] = decisions(run_record, step)
        assert decision.startswith(why), step
    assert all(
        decision.startswith("HIT: from execution") for decision in decisions(run_record, "double")
    )
    [total] = run_record.steps["total"]
    assert (total.inputs, total.outputs) == ({"value:kept/double"}, {"value:kept/total"})
    assert total.properties["outputs.result"] == 12
    assert newest(store, project)["within"].states() == {"double": ["CACHED"]}


def test_one_of_several_changed(project: Project, url: str, store: LineageStore) -> None:
    run_kept_flow(project, store, url, **ON)
    ran, run_record = run_kept_flow(project, store, url, THIRD="5", **ON)
    assert (ran["double"], ran["total"]) == (1, 1)
    assert sorted(run_record.states()["double"]) == ["CACHED", "CACHED", "COMPLETE"]
    assert run_record.steps["total"][0].properties["outputs.result"] == 16
    assert decisions(run_record, "total")[0].startswith("NEVER_SEEN")


def test_the_order_of_what_is_put_together(project: Project, url: str, store: LineageStore) -> None:
    """Each argument of a task counts as the task gets it, wherever the parts come from."""
    states = []
    for values in ("one, two, 5", "one, two, 5", "two, one, 5", "two, one, 6"):
        script = project.directory / "put_together.py"
        script.write_text(PUT_TOGETHER.format(values=values))
        flow(project, url, script.name, **ON)
        [attempt] = newest(store, project)["together"].steps["join"]
        states.append((attempt.state, sorted(attempt.inputs)))
    inputs = ["value:together/part"]
    assert states == [(state, inputs) for state in ("COMPLETE", "CACHED", "COMPLETE", "COMPLETE")]


PUT_TOGETHER = """
from prefect import flow, task

@task
def part(x):
    return [x]

@task
def join(parts):
    return repr(parts)

@flow
def together():
    one, two = part.submit(1), part.submit(2)
    join([{values}])

if __name__ == "__main__":
    together()
"""


def test_where_a_task_writes(project: Project, url: str, store: LineageStore) -> None:
    """A hit stands for a file at its place, not for another one with the same content."""
    script = project.directory / "write.py"
    script.write_text(WRITE)
    for name, state in [("a", "COMPLETE"), ("a", "COMPLETE"), ("a", "CACHED"), ("b", "COMPLETE")]:
        (project.directory / "b.txt").write_text("text")
        flow(project, url, script.name, f"{name}.txt", **ON)
        run_record = newest(store, project)["writing"]
        assert (name, run_record.states()["write"]) == (name, [state])
        assert run_record.steps["write"][0].outputs == {str(project.directory / f"{name}.txt")}


WRITE = """
import sys
from pathlib import Path
from prefect import flow, task

@task
def write(text, path):
    path.write_text(text)
    return path

@flow
def writing(name):
    write("text", Path(name).absolute())

if __name__ == "__main__":
    writing(sys.argv[1])
"""


def test_results_that_are_gone(project: Project, url: str, store: LineageStore) -> None:
    run_kept_flow(project, store, url, **ON)
    shutil.rmtree(project.directory / "prefect" / "storage")
    ran, run_record = run_kept_flow(project, store, url, **ON)
    assert (ran["double"], ran["total"]) == (4, 1)
    assert all(
        decision.startswith("REJECTED: FileNotFoundError: Prefect has no result")
        for decision in decisions(run_record, "double")
    )
    ran, _ = run_kept_flow(project, store, url, **ON)
    assert (ran["double"], ran["total"]) == (0, 0)


def test_nothing_is_kept(project: Project, url: str, store: LineageStore) -> None:
    """If Prefect persists no results, all tasks run, and say which setting is missing."""
    for _ in range(2):
        ran, run_record = run_kept_flow(project, store, url, LINEAGE_STORE_CACHE="1")
    assert ran["double"] == 4
    why = "NOT_CACHED: its result is not persisted: set PREFECT_RESULTS_PERSIST_BY_DEFAULT=true"
    assert decisions(run_record, "double") == [why] * 3
