"""Features of Dagster alone: mapped and skipped steps, assets of many sorts, interrupts."""

import os
import signal
import socket
from pathlib import Path

import pytest

from lineage_store import LineageStore
from tests.hooks.adapter_dagster import ADAPTER
from tests.hooks.adapters import Adapter
from tests.hooks.project import Project
from tests.hooks.recorded import Attempt, Recorded, recorded
from tests.hooks.test_conformance import assert_nothing_waits, wait_until_recorded
from tests.unit.recordings import until

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.parametrize("adapter", [pytest.param(ADAPTER, id="dagster")], indirect=True),
]

DAGSTER = str(ADAPTER.python.with_name("dagster"))
MATERIALIZE = [DAGSTER, "asset", "materialize", "--python-file", "assets/shop.py", "--select"]


def job(name: str, *options: str) -> list[str]:
    return [DAGSTER, "job", "execute", "--python-file", "more.py", "--job", name, *options]


def play(project: Project, url: str, store: LineageStore, *command: str) -> Recorded:
    """Return the record of a command that has to go well."""
    printed = project.succeed_with(list(command), url, SECRET="do not tell")
    assert "lineage of" not in printed
    assert_nothing_waits(project)
    return recorded(store, project)


def only(run_record: Recorded, step: str) -> Attempt:
    [one] = run_record.steps[step]
    return one


def test_a_job_of_many_shapes(
    adapter: Adapter, project: Project, url: str, store: LineageStore
) -> None:
    run_record = play(project, url, store, *job("more"))
    assert run_record.state == "COMPLETE"
    assert run_record.contexts["Pipeline"] == {"more.more"}
    assert run_record.properties["tags.team"] == "growth"
    doubled = run_record.steps["double"]
    assert [attempt.index for attempt in doubled] == [0, 1, 2]
    assert [attempt.properties["mapping_key"] for attempt in doubled] == ["n1", "n2", "n3"]
    assert [attempt.properties["outputs.result"] for attempt in doubled] == [2, 4, 6]
    assert [attempt.inputs for attempt in doubled] == [
        {f"value:more.more/numbers[n{at}]"} for at in (1, 2, 3)
    ]
    total = only(run_record, "inner.total")
    assert total.inputs == {f"value:more.more/double[n{at}]" for at in (1, 2, 3)}
    assert total.outputs == {"value:more.more/inner.total"}
    numbers = {k: v for k, v in total.properties.items() if k.startswith("outputs.")}
    assert numbers == {"outputs.result": 12, "outputs.result.seconds": 0.5}
    assert only(run_record, "never").state == "CANCELED"
    assert "never" in only(run_record, "never").properties["skip_reason"]


def test_config_and_secrets(
    adapter: Adapter, project: Project, url: str, store: LineageStore
) -> None:
    run_record = play(project, url, store, *job("more"))
    params = run_record.steps["double"][0].params
    assert params["factor"] == 2
    assert "SECRET" in str(params["token"])
    assert "do not tell" not in str(run_record)


def test_files_and_pickles(
    adapter: Adapter, project: Project, url: str, store: LineageStore
) -> None:
    run_record = play(project, url, store, *job("more"))
    file = str(project.directory / "data" / "report.txt")
    report, read_step, use = (only(run_record, step) for step in ("report", "read", "use"))
    assert report.inputs == {"value:more.more/inner.total", "raw"}
    assert report.outputs == {file, "s3://models/churn"}
    assert report.properties["outputs.published.rows"] == 3
    assert read_step.inputs == {file}
    assert read_step.outputs == use.inputs == {"value:more.more/read"}  # known by its pickle
    [model] = run_record.artifacts["value:more.more/read"]
    assert model.custom_properties["digest"].startswith("sha256:")


def test_a_process_that_is_gone(
    adapter: Adapter, project: Project, url: str, store: LineageStore
) -> None:
    process = project._start(job("lost"), url)
    printed, _ = process.communicate(timeout=180)
    assert process.returncode != 0, printed
    run_record = recorded(store, project)
    exit_step = only(run_record, "exits")
    assert (run_record.state, exit_step.state) == ("FAILED", "FAILED")
    assert exit_step.properties["error_message"] == "its process ended with exit code 3"


def test_a_script_and_what_has_no_fingerprint(
    adapter: Adapter, project: Project, url: str, store: LineageStore
) -> None:
    run_record = play(project, url, store, str(adapter.python), "more.py")
    assert run_record.state == "COMPLETE"
    assert run_record.contexts["Pipeline"] == {"more.unhashable"}
    assert "Project" not in run_record.contexts
    name = "value:more.unhashable/unpicklable"
    assert only(run_record, "unpicklable").outputs == only(run_record, "takes").inputs == {name}
    [function] = run_record.artifacts[name]
    assert "has no fingerprint" in function.custom_properties["not_hashed"]


def test_assets(adapter: Adapter, project: Project, url: str, store: LineageStore) -> None:
    first = play(project, url, store, *MATERIALIZE, "stored,own,told,last")
    storage = project.directory / "dagster" / "storage"
    stored, own = str(storage / "stored"), str(project.directory / "data" / "own.txt")
    assert first.contexts["Pipeline"] == {"shop.__ASSET_JOB"}
    assert first.properties["asset_selection"] == '["last","own","stored","told"]'
    assert only(first, "stored").outputs == {stored}
    assert only(first, "stored").properties["version"] == "7"
    assert only(first, "own").inputs == {stored}
    assert only(first, "own").outputs == {own}
    assert only(first, "own").properties["outputs.own.rows"] == 3
    assert only(first, "told").inputs == {own}
    assert only(first, "told").outputs == {"asset:shop/told"}
    assert only(first, "last").inputs == {stored, "asset:shop/told"}
    checked = only(first, "stored_is_full")
    assert checked.inputs == {stored}
    assert checked.properties["outputs.is_full"] is True
    second = play(project, url, store, *MATERIALIZE, "last")
    for name in (stored, "asset:shop/told"):  # which another run made
        assert [a.id for a in second.artifacts[name]] == [a.id for a in first.artifacts[name]]


def test_partitions(adapter: Adapter, project: Project, url: str, store: LineageStore) -> None:
    storage = project.directory / "dagster" / "storage" / "daily"
    for day in ("mon", "tue"):
        run_record = play(project, url, store, *MATERIALIZE, "daily", "--partition", day)
        assert run_record.properties["partition"] == day
        assert only(run_record, "daily").outputs == {str(storage / day)}
        [artifact] = run_record.artifacts[str(storage / day)]
        assert artifact.custom_properties["asset_key"] == "daily"
        assert artifact.custom_properties["partition"] == day
    for day in ("mon", "tue"):  # also when it is not the one that was made last
        run_record = play(project, url, store, *MATERIALIZE, "noted", "--partition", day)
        assert only(run_record, "noted").inputs == {str(storage / day)}
        assert only(run_record, "noted").outputs == {f"asset:shop/noted/{day}"}
    weekly = only(play(project, url, store, *MATERIALIZE, "weekly"), "weekly")
    files = {str(storage / day) for day in ("mon", "tue")}
    assert weekly.inputs == files | {f"asset:shop/noted/{day}" for day in ("mon", "tue")}


def test_an_instance_for_one_process(
    adapter: Adapter, project: Project, url: str, store: LineageStore
) -> None:
    run_record = play(project, url, store, str(adapter.python), "assets/shop.py")
    name = "shop.__ephemeral_asset_job__"
    assert run_record.contexts["Pipeline"] == {name}
    assert only(run_record, "stored").outputs == {f"value:{name}/stored"}  # its file will be gone
    assert only(run_record, "last").inputs == {f"value:{name}/stored", f"asset:{name}/told"}


@pytest.mark.parametrize("mode", ["in_process", "processes"])
def test_an_interrupt(
    adapter: Adapter, mode: str, project: Project, url: str, store: LineageStore
) -> None:
    project.ask("hold", "train_small")
    process = project.start(url, mode)
    project.await_held("train_small", process)
    wait_until_recorded(project, url, "train_small")
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode != 0, printed
    run_record = recorded(store, project)
    assert run_record.state == "CANCELED"
    assert only(run_record, "train_small").state == "CANCELED"
    assert_nothing_waits(project)


WORKSPACE = "load_from: [{{grpc_server: {{host: 127.0.0.1, port: {}, location_name: churn.py}}}}]"
AT_ONCE = "run_coordinator: {module: dagster._core.run_coordinator, class: DefaultRunCoordinator}"
SERVE = [DAGSTER, "api", "grpc", "--python-file", "churn.py", "--location-name", "churn.py"]
LAUNCH = [DAGSTER, "job", "launch", "--workspace", "workspace.yaml", "--job", "churn"]
END_LAST_RUN = """
import dagster as dg
with dg.DagsterInstance.get() as instance:
    instance.report_run_canceled(instance.get_runs(limit=1)[0])
"""


def test_a_code_server_and_an_end_from_outside(
    adapter: Adapter, project: Project, url: str, store: LineageStore
) -> None:
    """As the web UI has it: the run is launched where the code is, and given up from elsewhere."""
    port = str(free_port())
    home = Path(project.environment(url)["DAGSTER_HOME"])
    (home / "dagster.yaml").write_text(AT_ONCE)
    (project.directory / "workspace.yaml").write_text(WORKSPACE.format(port))
    project.ask("hold", "train_small")
    served = project._start([*SERVE, "--host", "127.0.0.1", "--port", port], url)
    try:
        until(lambda: answers(int(port)), seconds=120)
        project.succeed_with(LAUNCH, url)
        project.await_held("train_small", served)
        wait_until_recorded(project, url, "train_small")
    finally:
        os.killpg(served.pid, signal.SIGKILL)
        served.communicate()
    run_record = recorded(store, project)
    assert (run_record.state, run_record.contexts["Pipeline"]) == ("RUNNING", {"churn.churn"})
    assert run_record.contexts["Project"] == {"churn"}
    assert only(run_record, "train_small").state == "RUNNING"
    project.succeed_with([str(adapter.python), "-c", END_LAST_RUN], url)
    assert recorded(store, project).state == "CANCELED"


def answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        return int(asking.getsockname()[1])
