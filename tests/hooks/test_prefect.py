"""What only Prefect has: mapped and asynchronous tasks, flows within flows, cached states."""

import subprocess

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
    done = subprocess.run(
        [str(ADAPTER.python), "more_flow.py"],
        cwd=project.directory,
        env=project.environment(url),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "lineage of" not in done.stdout
    found = [recorded(store, project, run.run) for run in list_runs(store, limit=9).items]
    return {str(run.properties["pipeline"]): run for run in found}


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
