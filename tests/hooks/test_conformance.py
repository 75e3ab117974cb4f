"""Every hook records the churn pipeline as `expected.CHURN` has it, whatever happens to it."""

import os
import signal
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from lineage_store import LineageStore, connect
from lineage_store.cli.group import cli
from lineage_store.lineage.identity import digest_of
from lineage_store.recording.delivery.replay import spool_status
from tests.hooks.adapters import Adapter, adapters
from tests.hooks.expected import ACCURACY, CHURN, LINEAGE
from tests.hooks.project import Project
from tests.hooks.recorded import Recorded, lineage_of, recorded
from tests.integration.serving import serving
from tests.unit.recordings import until

pytestmark = [pytest.mark.timeout(400)]


def assert_whole(
    run_record: Recorded, project: Project, attempts: dict[str, int] | None = None
) -> None:
    """Check that a run is recorded as it went, node by node."""
    adapter = project.adapter
    assert run_record.state == "COMPLETE"
    assert run_record.steps.keys() == {*map(adapter.step_name, CHURN), *adapter.extra}
    for name, expected in CHURN.items():
        several = run_record.steps[adapter.step_name(name)]
        assert len(several) == (attempts or {}).get(name, 1), name
        last = several[-1]
        assert (name, last.state) == (name, "COMPLETE")
        assert (name, last.inputs) == (name, expected.inputs)
        assert (name, last.outputs) == (name, expected.outputs)
        params = adapter.params(name, expected.params)
        assert {k: v for k, v in last.params.items() if k in params} == params, name
        assert last.properties["started_at"] <= last.properties["ended_at"]
    assert_artifacts(run_record, project)


def assert_artifacts(run_record: Recorded, project: Project) -> None:
    """Check that each thing is one artifact, and has the digest of the file that is there."""
    assert run_record.artifacts.keys() == {
        "raw",
        *(o for step in CHURN.values() for o in step.outputs),
    }
    for name, several in run_record.artifacts.items():
        assert len(several) == 1, (name, several)
        path, digest = project.path(name), digest_of(several[0])
        assert several[0].type == "Artifact"
        assert digest is not None
        if path is not None:
            assert digest.value == sha256(path.read_bytes()).hexdigest(), name


def assert_as_it_went(project: Project, printed: str, store: LineageStore) -> Recorded:
    """Check all that is known of the only run there is, and that went well; return it."""
    assert "lineage_store" not in printed  # nothing went wrong that is told
    adapter, run_record = project.adapter, recorded(store, project)
    assert_whole(run_record, project)
    assert len(list(store.list_executions(type="PipelineRun"))) == 1
    assert project.calls() == dict.fromkeys(CHURN, 1)
    assert run_record.properties["orchestrator"] == adapter.name
    assert run_record.contexts["Pipeline"] == {adapter.pipeline}
    assert run_record.contexts.get("Project", set()) == ({adapter.project} - {None})
    assert len(run_record.contexts["Run"]) == 1
    results = run_record.steps[adapter.step_name("evaluate")][0].properties
    numbers = {k.rpartition(".")[2]: v for k, v in results.items() if k.startswith("outputs.")}
    assert {k: v for k, v in numbers.items() if k in ACCURACY} == (
        ACCURACY if adapter.returns else {}
    )
    assert lineage_of(store, project, run_record.artifacts["metrics"][0]) == LINEAGE
    assert_nothing_waits(project)
    return run_record


def assert_nothing_waits(project: Project) -> None:
    statuses = [spool_status(path) for path in project.spool.glob("*.spool")]
    assert [(status.pending, status.refused) for status in statuses if status.pending] == []
    assert sum(status.refused for status in statuses) == 0


def test_two_runs(project: Project, url: str) -> None:
    printed = project.succeed(url)
    with connect(url) as store:  # the first run has made it
        first = assert_as_it_went(project, printed, store)
        project.forget_outputs()
        project.succeed(url)
        second = recorded(store, project)
    assert_whole(second, project)
    assert first.contexts["Run"] != second.contexts["Run"]
    for name, artifacts in first.artifacts.items():  # the same content at the same place
        assert [a.id for a in second.artifacts[name]] == [a.id for a in artifacts], name


OTHER_MODES = [
    pytest.param(adapter, mode, id=f"{adapter.name}-{mode}")
    for adapter in adapters()
    for mode in adapter.modes[1:]
    if mode not in adapter.parallel
]


@pytest.mark.parametrize(("adapter", "mode"), OTHER_MODES, indirect=["adapter"])
def test_a_run_in_another_mode(mode: str, project: Project, url: str) -> None:
    printed = project.succeed(url, mode)
    with connect(url) as store:
        assert_as_it_went(project, printed, store)


def test_a_step_that_fails(project: Project, url: str, store: LineageStore) -> None:
    project.ask("fail", "train_large")
    code, printed = project.run(url)
    assert code != 0, printed
    run_record = recorded(store, project)
    failed = run_record.steps[project.adapter.step_name("train_large")]
    assert run_record.state == "FAILED"
    assert {attempt.state for attempt in failed} == {"FAILED"}
    assert failed[-1].properties["error_type"].rpartition(".")[2] == "RuntimeError"
    assert "no luck in train_large" in failed[-1].properties["error_message"]
    assert (failed[-1].inputs, failed[-1].outputs) == ({"table"}, set())
    assert run_record.steps[project.adapter.step_name("clean")][-1].state == "COMPLETE"
    evaluate = run_record.steps.get(project.adapter.step_name("evaluate"), [])
    assert all(attempt.state == "CANCELED" for attempt in evaluate)


RETRYING = [pytest.param(a, id=a.name) for a in adapters() if a.retries]


@pytest.mark.parametrize("adapter", RETRYING, indirect=True)
def test_a_step_that_is_tried_again(project: Project, url: str, store: LineageStore) -> None:
    project.ask("flaky", "train_large")
    project.succeed(url)
    run_record = recorded(store, project)
    assert_whole(run_record, project, attempts={"train_large": 2})
    failed, good = run_record.steps[project.adapter.step_name("train_large")]
    assert (failed.attempt, failed.state) == (1, "FAILED")
    assert "once" in failed.properties["error_message"]
    assert (good.attempt, good.state) == (2, "COMPLETE")


PARALLEL = [
    pytest.param(adapter, mode, id=f"{adapter.name}-{mode}")
    for adapter in adapters()
    for mode in adapter.parallel
]


@pytest.mark.parametrize(("adapter", "mode"), PARALLEL, indirect=["adapter"])
def test_steps_that_run_at_the_same_time(
    adapter: Adapter, mode: str, project: Project, url: str
) -> None:
    """The checks of one run, in the modes in which steps run at the same time."""
    holds = [project.ask("hold", name) for name in ("train_small", "train_large")]
    process = project.start(url, mode)
    for name in ("train_small", "train_large"):
        project.await_held(name, process)
    for hold in holds:
        hold.unlink()
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 0, printed
    with connect(url) as store:
        run_record = assert_as_it_went(project, printed, store)
    one, other = (
        run_record.steps[adapter.step_name(name)][0].properties
        for name in ("train_small", "train_large")
    )
    assert one["started_at"] < other["ended_at"]
    assert other["started_at"] < one["ended_at"]


def test_a_store_that_goes_away(project: Project, tmp_path: Path) -> None:
    hold = project.ask("hold", "train_small")
    with serving(tmp_path) as served:
        url = f"grpc://{served.address}"
        process = project.start(url)
        project.await_held("train_small", process)
        assert served.stop(signal.SIGKILL) == -signal.SIGKILL
        hold.unlink()
        printed, _ = process.communicate(timeout=120)
    assert process.returncode == 0, printed
    assert printed.count("the store is away") <= 4  # once in each process, not once for each record
    [spool] = project.spool.glob("*.spool")
    assert spool_status(spool).pending > 0
    database = f"sqlite:///{tmp_path}/store.db"
    replay = ["spool", "replay", "--file", str(spool), "--store", database]
    result = CliRunner().invoke(cli, replay)
    assert result.exit_code == 0, result.output
    with connect(database) as store:
        assert_whole(recorded(store, project), project)


def test_a_run_that_is_killed(project: Project, url: str) -> None:
    project.ask("hold", "train_small")
    process = project.start(url)
    project.await_held("train_small", process)
    wait_until_recorded(project, url, "train_small")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    with connect(url) as store:
        run_record = recorded(store, project)
    assert run_record.state == "RUNNING"
    assert run_record.steps[project.adapter.step_name("clean")][0].state == "COMPLETE"
    killed = run_record.steps[project.adapter.step_name("train_small")][0]
    assert (killed.state, killed.inputs) == ("RUNNING", {"table"})
    assert "ended_at" not in killed.properties


def wait_until_recorded(project: Project, url: str, name: str) -> None:
    """Wait for records that a thread of its own sends, 0.02 seconds after they happened."""
    step = project.adapter.step_name(name)
    with connect(url) as store:
        until(lambda: step in {e.type for e in store.iter_executions()}, seconds=30)


def test_no_url(project: Project, url: str) -> None:
    printed = project.succeed(None)
    assert project.calls() == dict.fromkeys(CHURN, 1)
    assert "lineage" not in printed.lower()
    assert not project.spool.exists()


@pytest.mark.parametrize("wrong", ["grpc://127.0.0.1:9", "sqlit:///lineage.db", "grpc://nowhere"])
def test_a_url_that_leads_nowhere(project: Project, wrong: str, url: str) -> None:
    project.succeed(wrong)
    [spool] = project.spool.glob("*.spool")
    assert spool_status(spool).pending > 0
    result = CliRunner().invoke(cli, ["spool", "replay", "--file", str(spool), "--store", url])
    assert result.exit_code == 0, result.output
    with connect(url) as store:
        assert_whole(recorded(store, project), project)
