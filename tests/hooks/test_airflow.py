"""Features of Airflow alone: mapped tasks, XComs, assets, skipped tasks, states set by hand."""

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


def one(run_record: Recorded, step: str) -> Attempt:
    [attempt] = run_record.steps[step]
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


def assert_mapped(run_record: Recorded) -> None:
    doubled = run_record.steps["double"]
    assert [attempt.index for attempt in doubled] == [0, 1, 2]
    assert all(attempt.inputs == {"value:more/numbers"} for attempt in doubled)
    assert [attempt.params["factor"] for attempt in doubled] == [2, 2, 2]
    assert [attempt.params["x"] for attempt in doubled] == [1, 2, 3]
    assert [attempt.properties["outputs.return_value"] for attempt in doubled] == [2, 4, 6]
    assert len(run_record.artifacts["value:more/double"]) == 3
    assert one(run_record, "total").inputs == {"value:more/double"}
    assert one(run_record, "total").properties["outputs.return_value"] == 12


def assert_by_hand(run_record: Recorded) -> None:
    """Check the XComs that the code of a task pulled and pushed."""
    by_hand = one(run_record, "by_hand")
    assert (by_hand.inputs, by_hand.outputs) == (
        {"value:more/numbers"},
        {"value:more/by_hand.largest"},
    )


def assert_skipped(run_record: Recorded) -> None:
    for step in ("nothing", "after_nothing"):
        assert (step, one(run_record, step).state) == (step, "CANCELED")
        assert one(run_record, step).properties["skip_reason"] == "skipped"


def assert_assets(run_record: Recorded) -> int | None:
    """Check the assets that a task updated; return the id of the first."""
    publish = one(run_record, "publish")
    assert publish.outputs == {"s3://models/churn", "s3://models/other"}
    assert publish.params == {"password": "***"}
    [model] = run_record.artifacts["s3://models/churn"]
    assert model.custom_properties["extra.rows"] == 3
    return model.id


def assert_appended(run_record: Recorded, notes: Path) -> None:
    """Check the file that a task read and then wrote."""
    assert one(run_record, "append").inputs == one(run_record, "append").outputs == {str(notes)}
    before, after = sorted(
        run_record.artifacts[str(notes)], key=lambda a: "digest" in a.custom_properties
    )
    assert before.custom_properties["version"].startswith("before more/")
    assert after.custom_properties["bytes"] == len("first\nmore\n")


def assert_read(run_record: Recorded, model: int | None) -> None:
    """Check that the run of another DAG read the output of this one."""
    assert one(run_record, "read").inputs == {"s3://models/churn"}
    assert [artifact.id for artifact in run_record.artifacts["s3://models/churn"]] == [model]


def assert_never_ran(run_record: Recorded) -> None:
    """Check the tasks that come after a failed one."""
    assert one(run_record, "clean").state == "FAILED"
    for step in ("train_small", "train_large", "evaluate"):
        assert one(run_record, step).state == "CANCELED"
        assert one(run_record, step).properties["skip_reason"] == "upstream_failed"


def assert_set_by_hand(project: Project, url: str, store: LineageStore, run: str) -> None:
    """Set the state of a task of a run that has ended, and check the record of it."""
    command = [str(ADAPTER.python), str(BY_HAND), "more", "total", "failed"]
    assert "lineage of" not in project.succeed_with(command, url)
    assert len(list_runs(store, limit=5).items) == 3  # no other has begun
    run_record = recorded(store, project, run)
    total = one(run_record, "total")
    assert total.state == "COMPLETE"  # what was recorded is not taken back
    assert total.properties["state_set_by_hand"] == "FAILED"
    assert "state_set_by_hand" not in one(run_record, "publish").properties
