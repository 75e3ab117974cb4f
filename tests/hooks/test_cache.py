"""With LINEAGE_STORE_CACHE=1 what did not change is skipped, and recorded as CACHED."""

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
ON = {"LINEAGE_STORE_CACHE": "1"}


def assert_ran(project: Project, store: LineageStore, *ran: str) -> Recorded:
    """Check that of the last run just these ran of those that can be skipped, and forget it."""
    adapter = project.adapter
    wanted = adapter.after(*ran)
    found = recorded(store, project)
    assert found.state == "COMPLETE"
    states = {name: attempts[-1].state for name, attempts in found.steps.items()}
    assert states == {adapter.step_name(name): state for name, state in wanted.items()}
    really = {name for name, state in wanted.items() if state == "COMPLETE"}
    assert project.calls() == dict.fromkeys(really, 1)
    (project.signals / CALLS).unlink(missing_ok=True)
    return found


def decision(found: Recorded, adapter: Adapter, name: str) -> str:
    attempt = found.steps[adapter.step_name(name)][-1]
    return str(attempt.properties["log.cache_decision"])


def test_nothing_changed(project: Project, url: str, store: LineageStore) -> None:
    project.succeed(url, **ON)
    first = assert_ran(project, store, *CHURN)
    project.succeed(url, **ON)
    second = assert_ran(project, store)
    known = second.steps[project.adapter.step_name("evaluate")][0]
    assert decision(second, project.adapter, "evaluate").startswith("HIT: from execution")
    assert known.outputs == {"metrics"}
    assert second.artifacts["metrics"][0].id == first.artifacts["metrics"][0].id


def test_a_parameter_changed(project: Project, url: str, store: LineageStore) -> None:
    project.succeed(url, **ON)
    assert_ran(project, store, *CHURN)
    project.adapter.set_depth(project.directory, 3)
    project.succeed(url, **ON)
    found = assert_ran(project, store, "train_large", "evaluate")
    assert decision(found, project.adapter, "train_large").startswith("NEVER_SEEN")
    project.succeed(url, **ON)
    assert_ran(project, store)


def test_the_data_changed(project: Project, url: str, store: LineageStore) -> None:
    project.succeed(url, **ON)
    assert_ran(project, store, *CHURN)
    raw = project.path("raw")
    assert raw is not None
    raw.write_text(f"{raw.read_text()}7,2,1\n8,80,0\n")
    project.succeed(url, **ON)
    assert_ran(project, store, *CHURN)


def test_a_file_was_damaged(project: Project, url: str, store: LineageStore) -> None:
    project.succeed(url, **ON)
    assert_ran(project, store, *CHURN)
    metrics = project.path("metrics")
    assert metrics is not None
    whole = metrics.read_text()
    metrics.unlink()
    project.succeed(url, **ON)
    assert metrics.read_text() == whole
    assert_ran(project, store, "evaluate")


def test_it_is_off(project: Project, url: str, store: LineageStore) -> None:
    project.succeed(url)
    project.forget_outputs()
    project.succeed(url)
    assert project.calls() == dict.fromkeys(CHURN, 2)
    states = recorded(store, project).states()
    assert {state for several in states.values() for state in several} == {"COMPLETE"}


def test_the_store_is_away(project: Project, url: str) -> None:
    project.succeed(url, **ON)
    project.forget_outputs()
    project.succeed("grpc://127.0.0.1:9", **ON)
    assert project.calls() == dict.fromkeys(CHURN, 2)
