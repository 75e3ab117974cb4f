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
    done = subprocess.run(
        [project.adapter.python.with_name("lineage-store"), "hooks", command, "--json"],
        env=project.environment(url, **variables),
        cwd=project.directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def status(project: Project, found: list[dict[str, Any]]) -> dict[str, Any]:
    [own] = [hook for hook in found if hook["hook"] == project.adapter.name]
    return own


def test_list(project: Project, url: str) -> None:
    code, found = ask(project, url, "list")
    own = status(project, found)
    assert (code, own["state"]) == (0, "active")
    assert own["version"][0].isdigit()
    others = {hook["state"] for hook in found if hook is not own}
    assert others <= {"not installed"}
    _, found = ask(project, None, "list")
    assert (status(project, found)["state"], status(project, found)["why"]) == (
        "off",
        "LINEAGE_STORE_URL is not set",
    )


def test_a_store_that_is_there(project: Project, url: str) -> None:
    code, found = ask(project, url, "doctor")
    assert (code, found["answer_ms"], found["problems"]) == (0, None, [])  # not made yet
    connect(url).close()
    code, found = ask(project, url, "doctor", LINEAGE_STORE_CACHE="1")
    assert (code, found["url"], found["cache"], found["problems"]) == (0, url, True, [])
    assert found["answer_ms"] >= 0
    assert found["pending"] == 0


def test_a_server(project: Project, tmp_path: Any) -> None:
    with serving(tmp_path) as served:
        code, found = ask(project, f"grpc://{served.address}", "doctor")
    assert (code, found["problems"]) == (0, [])


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
    code, found = ask(project, url, "doctor")
    assert code == 1
    assert says in found["problems"][0]


def test_what_waits(project: Project) -> None:
    url = "mysql://me:secret@127.0.0.1:9/lineage"
    leave = [str(project.adapter.python), "-c", LEAVE_WAITING, project.adapter.name]
    project.succeed_with(leave, url)
    code, found = ask(project, url, "doctor")
    assert code == 1
    assert found["url"] == "mysql://me:***@127.0.0.1:9/lineage"
    assert found["pending"] > 0
    assert any("records wait: lineage-store spool replay" in text for text in found["problems"])
