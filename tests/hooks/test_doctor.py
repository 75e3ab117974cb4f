"""`lineage-store hooks`, in the environment of each tool."""

import json
import subprocess
from typing import Any

import pytest

from lineage_store import connect
from tests.hooks.project import Project
from tests.integration.serving import serving

LEAVE_WAITING = """
import os, sys
from lineage_store.integrations.hook import Hook
from lineage_store.integrations.tools import TOOLS
hook = Hook(TOOLS[sys.argv[1]], os.environ["LINEAGE_STORE_URL"])
hook.run("a run", pipeline="a pipeline", run_id="a run").begin()
hook.recorder.close()
"""
"""Does what the events of any tool do while the store is away."""


def ask(project: Project, url: str | None, command: str, **variables: str) -> tuple[int, Any]:
    """Return the exit code and the JSON of `lineage-store hooks COMMAND`."""
    process = subprocess.run(
        [project.adapter.python.with_name("lineage-store"), "hooks", command, "--json"],
        env=project.environment(url, **variables),
        cwd=project.directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.stderr == ""
    return process.returncode, json.loads(process.stdout)


def status(project: Project, hooks: list[dict[str, Any]]) -> dict[str, Any]:
    [own] = [hook for hook in hooks if hook["hook"] == project.adapter.name]
    return own


def test_list(project: Project, url: str) -> None:
    code, hooks = ask(project, url, "list")
    own = status(project, hooks)
    assert (code, own["state"]) == (0, "active")
    assert own["version"][0].isdigit()
    others = {hook["state"] for hook in hooks if hook is not own}
    assert others <= {"not installed"}
    _, hooks = ask(project, None, "list")
    assert (status(project, hooks)["state"], status(project, hooks)["why"]) == (
        "off",
        "LINEAGE_STORE_URL is not set",
    )


def test_a_store_that_is_there(project: Project, url: str) -> None:
    code, diagnosis = ask(project, url, "doctor")
    assert (code, diagnosis["answer_ms"], diagnosis["problems"]) == (0, None, [])  # not made yet
    connect(url).close()
    code, diagnosis = ask(project, url, "doctor", LINEAGE_STORE_CACHE="1")
    assert (code, diagnosis["url"], diagnosis["cache"], diagnosis["problems"]) == (0, url, True, [])
    assert diagnosis["answer_ms"] >= 0
    assert diagnosis["pending"] == 0


def test_a_server(project: Project, tmp_path: Any) -> None:
    with serving(tmp_path) as served:
        code, diagnosis = ask(project, f"grpc://{served.address}", "doctor")
    assert (code, diagnosis["problems"]) == (0, [])


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (None, "LINEAGE_STORE_URL is not set"),
        ("grpc://127.0.0.1:9", "does not answer"),
        ("sqlit:///lineage.db", "begins with"),
        ("sqlite://", "in memory"),
    ],
)
def test_what_is_wrong(project: Project, url: str | None, says: str) -> None:
    code, diagnosis = ask(project, url, "doctor")
    assert code == 1
    assert says in diagnosis["problems"][0]


def test_what_waits(project: Project) -> None:
    url = "mysql://me:secret@127.0.0.1:9/lineage"
    leave = [str(project.adapter.python), "-c", LEAVE_WAITING, project.adapter.name]
    project.succeed_with(leave, url)
    code, diagnosis = ask(project, url, "doctor")
    assert code == 1
    assert diagnosis["url"] == "mysql://me:***@127.0.0.1:9/lineage"
    assert diagnosis["pending"] > 0
    assert any("records wait: lineage-store spool replay" in text for text in diagnosis["problems"])
