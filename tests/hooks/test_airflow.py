"""What only Airflow has: mapped tasks, XComs, assets, skipped tasks, states set by hand."""

from pathlib import Path

import pytest

from lineage_store import LineageStore
from lineage_store.recording.history import list_runs
from tests.hooks.adapter_airflow import ADAPTER
from tests.hooks.adapters import Adapter
from tests.hooks.airflow_commands import AirflowCommands
from tests.hooks.project import Project
from tests.hooks.recorded import Attempt, Recorded, recorded

pytestmark = [pytest.mark.timeout(400)]

BY_HAND = Path(__file__).parent / "airflow_by_hand.py"


@pytest.fixture(params=[ADAPTER], ids=["airflow"])
def adapter(adapter: Adapter) -> Adapter:
    return adapter


def one(found: Recorded, step: str) -> Attempt:
    [attempt] = found.steps[step]
    return attempt


def test_what_churn_has_not(project: Project, url: str, store: LineageStore) -> None:
    """One Airflow runs it all, as it takes longer to load than to run."""
    notes = project.directory / "data" / "notes.txt"
    notes.write_text("first\n")
    with AirflowCommands(project) as commands:
        commands.run_dag("more", url)
        more = recorded(store, project)
        commands.run_dag("reader", url)
        reader = recorded(store, project)
        project.ask("fail", "clean")
        code, _ = commands.run(["dags", "test", "churn"], url)
    assert more.state == "COMPLETE"
    assert_mapped(more)
    assert_by_hand(more)
    assert_skipped(more)
    model = assert_assets(more)
    assert_appended(more, notes)
    assert_read(reader, model)
    assert code != 0
    assert_never_ran(recorded(store, project))
    assert_set_by_hand(project, url, store, str(more.properties["run_id"]))


def assert_mapped(found: Recorded) -> None:
    doubled = found.steps["double"]
    assert [attempt.index for attempt in doubled] == [0, 1, 2]
    assert all(attempt.inputs == {"value:more/numbers"} for attempt in doubled)
    assert [attempt.params["factor"] for attempt in doubled] == [2, 2, 2]
    assert [attempt.params["x"] for attempt in doubled] == [1, 2, 3]
    assert [attempt.properties["outputs.return_value"] for attempt in doubled] == [2, 4, 6]
    assert len(found.artifacts["value:more/double"]) == 3
    assert one(found, "total").inputs == {"value:more/double"}
    assert one(found, "total").properties["outputs.return_value"] == 12


def assert_by_hand(found: Recorded) -> None:
    """Check the XComs that the code of a task pulled and pushed."""
    by_hand = one(found, "by_hand")
    assert (by_hand.inputs, by_hand.outputs) == (
        {"value:more/numbers"},
        {"value:more/by_hand.largest"},
    )


def assert_skipped(found: Recorded) -> None:
    for step in ("nothing", "after_nothing"):
        assert (step, one(found, step).state) == (step, "CANCELED")
        assert one(found, step).properties["skip_reason"] == "skipped"


def assert_assets(found: Recorded) -> int | None:
    """Check the assets that a task updated; return the id of the first."""
    publish = one(found, "publish")
    assert publish.outputs == {"s3://models/churn", "s3://models/other"}
    assert publish.params == {"password": "***"}
    [model] = found.artifacts["s3://models/churn"]
    assert model.custom_properties["extra.rows"] == 3
    return model.id


def assert_appended(found: Recorded, notes: Path) -> None:
    """Check the file that a task read and then wrote."""
    assert one(found, "append").inputs == one(found, "append").outputs == {str(notes)}
    before, after = sorted(
        found.artifacts[str(notes)], key=lambda a: "digest" in a.custom_properties
    )
    assert before.custom_properties["version"].startswith("before more/")
    assert after.custom_properties["bytes"] == len("first\nmore\n")


def assert_read(found: Recorded, model: int | None) -> None:
    """Check that the run of another DAG read what this one wrote."""
    assert one(found, "read").inputs == {"s3://models/churn"}
    assert [artifact.id for artifact in found.artifacts["s3://models/churn"]] == [model]


def assert_never_ran(found: Recorded) -> None:
    """Check what comes after a task that failed."""
    assert one(found, "clean").state == "FAILED"
    for step in ("train_small", "train_large", "evaluate"):
        assert one(found, step).state == "CANCELED"
        assert one(found, step).properties["skip_reason"] == "upstream_failed"


def assert_set_by_hand(project: Project, url: str, store: LineageStore, run: str) -> None:
    """Set the state of a task of a run that has ended, and check what is recorded of it."""
    command = [str(ADAPTER.python), str(BY_HAND), "more", "total", "failed"]
    assert "lineage of" not in project.succeed_with(command, url)
    assert len(list_runs(store, limit=5).items) == 3  # no other has begun
    found = recorded(store, project, run)
    total = one(found, "total")
    assert total.state == "COMPLETE"  # what was recorded is not taken back
    assert total.properties["state_set_by_hand"] == "FAILED"
    assert "state_set_by_hand" not in one(found, "publish").properties
