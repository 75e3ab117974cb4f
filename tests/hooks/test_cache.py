"""With LINEAGE_STORE_CACHE=1 unchanged steps are skipped, and recorded as CACHED."""

from collections import Counter

import pytest

from lineage_store import LineageStore
from tests.hooks.adapters import Adapter, adapters
from tests.hooks.churn_steps import CALLS
from tests.hooks.expected import CHURN
from tests.hooks.project import Project
from tests.hooks.recorded import Recorded, recorded

CACHING = [pytest.param(adapter, id=adapter.name) for adapter in adapters() if adapter.caches]

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.parametrize("adapter", CACHING, indirect=True),
]


@pytest.fixture
def on(adapter: Adapter) -> dict[str, str]:
    return {"LINEAGE_STORE_CACHE": "1", **adapter.keeping}


def assert_ran(project: Project, store: LineageStore, *ran: str) -> Recorded:
    """Check that of the last run just these ran of those that can be skipped, and forget it."""
    adapter = project.adapter
    expected = adapter.after(*ran)
    run_record = recorded(store, project)
    assert run_record.state == "COMPLETE"
    states = {name: attempts[-1].state for name, attempts in run_record.steps.items()}
    assert states == {adapter.step_name(name): state for name, state in expected.items()}
    really = {name for name, state in expected.items() if state == "COMPLETE"}
    assert project.calls() == dict.fromkeys(really, 1)
    (project.signals / CALLS).unlink(missing_ok=True)
    return run_record


def decision(run_record: Recorded, adapter: Adapter, name: str) -> str:
    attempt = run_record.steps[adapter.step_name(name)][-1]
    return str(attempt.properties["log.cache_decision"])


def test_nothing_changed(
    project: Project, url: str, store: LineageStore, on: dict[str, str]
) -> None:
    project.succeed(url, **on)
    first = assert_ran(project, store, *CHURN)
    project.succeed(url, **on)
    second = assert_ran(project, store)
    evaluate = second.steps[project.adapter.step_name("evaluate")][0]
    assert decision(second, project.adapter, "evaluate").startswith("HIT: from execution")
    assert evaluate.outputs == {"metrics"}
    assert second.artifacts["metrics"][0].id == first.artifacts["metrics"][0].id


def test_a_parameter_changed(
    project: Project, url: str, store: LineageStore, on: dict[str, str]
) -> None:
    project.succeed(url, **on)
    assert_ran(project, store, *CHURN)
    project.adapter.set_depth(project.directory, 3)
    project.succeed(url, **on)
    run_record = assert_ran(project, store, "train_large", "evaluate")
    assert decision(run_record, project.adapter, "train_large").startswith("NEVER_SEEN")
    project.succeed(url, **on)
    assert_ran(project, store)


def test_the_data_changed(
    project: Project, url: str, store: LineageStore, on: dict[str, str]
) -> None:
    project.succeed(url, **on)
    assert_ran(project, store, *CHURN)
    raw = project.path("raw")
    assert raw is not None
    raw.write_text(f"{raw.read_text()}7,2,1\n8,80,0\n")
    project.succeed(url, **on)
    assert_ran(project, store, *CHURN)


def test_a_file_was_damaged(
    project: Project, url: str, store: LineageStore, on: dict[str, str]
) -> None:
    project.succeed(url, **on)
    assert_ran(project, store, *CHURN)
    output, step = project.adapter.kept_output
    path = project.path(output)
    assert path is not None
    whole = path.read_text()
    path.unlink()
    project.succeed(url, **on)
    assert path.read_text() == whole
    run_record = assert_ran(project, store, step)
    assert decision(run_record, project.adapter, step).startswith(
        ("OUTPUT_MISSING: ", "REJECTED: ")
    )


def test_the_code_changed(
    project: Project, url: str, store: LineageStore, on: dict[str, str]
) -> None:
    project.succeed(url, **on)
    assert_ran(project, store, *CHURN)
    name, old, new = project.adapter.code
    path = project.directory / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    project.succeed(url, **on)
    after = () if project.adapter.cuts_off else ("evaluate",)
    run_record = assert_ran(project, store, "train_large", *after)
    assert decision(run_record, project.adapter, "train_large").startswith("NEVER_SEEN")


def test_a_step_that_failed_is_no_hit(
    project: Project, url: str, store: LineageStore, on: dict[str, str]
) -> None:
    failing = project.ask("fail", "train_large")
    code, printed = project.run(url, **on)
    assert code != 0, printed
    failing.unlink()
    before = project.calls()
    project.succeed(url, **on)
    run_record = recorded(store, project)
    states = {name: run_record.steps[project.adapter.step_name(name)][-1].state for name in CHURN}
    assert (states["train_large"], states["evaluate"]) == ("COMPLETE", "COMPLETE")
    assert project.calls() - before == Counter(
        {name: 1 for name, state in states.items() if state == "COMPLETE"}
    )


def test_it_is_off(project: Project, url: str, store: LineageStore) -> None:
    project.succeed(url)
    project.forget_outputs()
    project.succeed(url)
    assert project.calls() == dict.fromkeys(CHURN, 2)
    states = recorded(store, project).states()
    assert {state for several in states.values() for state in several} == {"COMPLETE"}


def test_the_store_is_away(project: Project, url: str, on: dict[str, str]) -> None:
    project.succeed(url, **on)
    project.forget_outputs()
    project.succeed("grpc://127.0.0.1:9", **on)
    assert project.calls() == dict.fromkeys(CHURN, 2)
