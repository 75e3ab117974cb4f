"""Steps of real tools, each with one thing changed: none may be served a wrong result.

The right result is that of the changed project, when it was asked to run anew.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from lineage_store import LineageStore, connect
from lineage_store.recording.history import list_runs
from tests.hooks.project import Project
from tests.hooks.recorded import recorded
from tests.hooks.truth import TRUTHS, Truth, change, is_same, outcomes, step_of

pytestmark = pytest.mark.timeout(600)


def of_tools(*names: str) -> pytest.MarkDecorator:
    """Have a test run with these tools."""
    several = [pytest.param(truth, id=truth.name) for truth in TRUTHS if truth.name in names]
    return pytest.mark.parametrize("adapter", several, indirect=True)


LEAST_CHANGES = 20
LEAST_HITS = 6


@dataclass
class Seen:
    """The outcome of a run.

    Attributes:
        outcomes: The outputs of the steps, by the names of their files.
        decisions: The end of each step, and the decision of the cache about it.
    """

    outcomes: dict[str, bytes]
    decisions: dict[str, str]

    def hits(self) -> set[str]:
        return {
            name for name, decision in self.decisions.items() if decision.startswith("CACHED HIT")
        }

    def cached(self) -> set[str]:
        return {name for name, decision in self.decisions.items() if decision.startswith("CACHED")}

    def of(self, steps: set[str]) -> dict[str, str]:
        """Return the decisions on these steps."""
        return {step: self.decisions.get(step, "no step") for step in steps}


def run(project: Project, url: str, store: LineageStore, cache: str) -> Seen:
    project.succeed(url, LINEAGE_STORE_CACHE=cache)
    return Seen(outcomes(project), decisions(project, store))


def decisions(project: Project, store: LineageStore, run: str | None = None) -> dict[str, str]:
    run_record = recorded(store, project, run)
    assert run_record.state == "COMPLETE"
    last = {name: attempts[-1] for name, attempts in run_record.steps.items()}
    return {
        name: f"{each.state} {each.properties.get('log.cache_decision')}"
        for name, each in last.items()
    }


def stale(after: Seen, truth: Seen) -> dict[str, tuple[bytes, bytes, str]]:
    """Return the wrong outputs, the right ones, and the decisions."""
    return {
        name: (after.outcomes[name], right, after.decisions[step_of(name)])
        for name, right in truth.outcomes.items()
        if after.outcomes[name] != right
    }


@of_tools("kedro", "luigi", "prefect")
def test_each_step_puts_out_what_it_would_if_nothing_was_known(
    project: Project, url: str, store: LineageStore
) -> None:
    assert isinstance(project.adapter, Truth)
    before = run(project, url, store, "1")
    again = run(project, url, store, "1")
    change(project)
    after = run(project, url, store, "1")
    truth = run(project, url, store, "refresh")
    assert truth.cached() == set()
    assert stale(after, truth) == {}
    steps = {step_of(name) for name in truth.outcomes}
    never = set(project.adapter.reasons)
    assert again.of(steps - never - again.hits()) == {}
    changed = {step_of(n) for n, right in truth.outcomes.items() if right != before.outcomes[n]}
    assert {step for step in steps if is_same(step)} == steps - never - changed
    assert after.of(steps - never - changed - after.hits()) == {}
    assert after.of(changed & after.cached()) == {}
    assert len(changed - never) >= LEAST_CHANGES
    assert len(steps - never - changed) >= LEAST_HITS
    for name, reason in project.adapter.reasons.items():
        for outcome in (before, again, after):
            assert f"COMPLETE NOT_CACHED: {reason}" in outcome.decisions[name]
    last = run(project, url, store, "1")
    assert last.of(steps - never - last.hits()) == {}


@of_tools("luigi")
def test_a_task_that_the_store_was_not_asked_about_says_so(
    project: Project, url: str, tmp_path: Path
) -> None:
    project.succeed(url, LINEAGE_STORE_CACHE="1")
    database, away = tmp_path / "lineage.db", tmp_path / "away.db"
    database.rename(away)
    database.mkdir()
    project.succeed(url, LINEAGE_STORE_CACHE="1")
    database.rmdir()
    away.rename(database)
    project.succeed(url, LINEAGE_STORE_CACHE="1")  # brings what waits
    with connect(url) as store:
        _, middle, _ = list_runs(store).items
        step_decisions = decisions(project, store, middle.run)
    assert step_decisions["HelperElsewhere"].startswith(
        "CACHED NO_DECISION: the store did not answer"
    )
