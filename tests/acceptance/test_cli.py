"""The commands that look at a store, as a user runs them: in a process of their own."""

import json
from pathlib import Path
from typing import Any

import pytest

from lineage_store import (
    Artifact,
    ArtifactType,
    Context,
    ContextType,
    Execution,
    ExecutionType,
    connect,
)
from tests.command_lines import run_command


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with one step."""
    store_url = f"sqlite:///{tmp_path_factory.mktemp('cli') / 'lineage.db'}"
    with connect(store_url) as store:
        store.put_artifact_type(ArtifactType(name="Data", properties={"rows": int}))
        store.put_execution_type(ExecutionType(name="Train"))
        store.put_context_type(ContextType(name="Run"))
        store.record_execution(
            Execution(type="Train", name="step"),
            inputs=[Artifact(type="Data", name="a", uri="s3://a", properties={"rows": 3})],
            outputs={"out": [Artifact(type="Data", name=f"b\n{at}") for at in range(2)]},
            contexts=[Context(type="Run", name="r")],
        )
        store.put_artifact(
            Artifact(type="Data", name="lone", custom_properties={"x": float("nan")})
        )
    return store_url


def as_json(*args: str) -> Any:
    result = run_command(*args, "--json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_list_artifacts_for_people(url: str) -> None:
    result = run_command("artifacts", "list", "--store", url)
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["ID", "TYPE", "NAME", "STATE", "UPDATE", "TIME", "URI"]
    assert len(lines) == 5
    assert lines[0].index("NAME") == lines[1].rindex(" a ") + 1 == lines[2].index("b")
    assert r"b\n0" in lines[2]


def test_list_as_json_pages(url: str) -> None:
    result = run_command("artifacts", "list", "--store", url, "--json", "--limit", "3", "--desc")
    names = [node["name"] for node in json.loads(result.stdout)]
    assert names == ["lone", "b\n1", "b\n0"]
    token = result.stderr.split()[-1]
    rest = as_json("artifacts", "list", "--store", url, "--desc", "--page-token", token)
    assert [node["name"] for node in rest] == ["a"]


def test_list_by_context_and_type(url: str) -> None:
    (context,) = as_json("contexts", "list", "--store", url, "--type", "Run")
    inside = as_json("artifacts", "list", "--store", url, "--context", str(context["id"]))
    assert [node["name"] for node in inside] == ["a", "b\n0", "b\n1"]
    nothing = ("--type", "Train", "--where", "name = 'nope'")
    assert as_json("executions", "list", "--store", url, *nothing) == []


def test_get(url: str) -> None:
    artifact = as_json("artifacts", "get", "--store", url, "--type", "Data", "--name", "a")
    assert artifact["properties"] == {"rows": 3}
    assert as_json("artifacts", "get", "--store", url, str(artifact["id"])) == artifact
    lone = as_json("artifacts", "get", "--store", url, "--type", "Data", "--name", "lone")
    assert lone["custom_properties"] == {"x": "NaN"}
    result = run_command("artifacts", "get", "--store", url, str(artifact["id"]))
    assert "  rows = 3" in result.stdout.splitlines()


def test_types(url: str) -> None:
    kinds = [
        (listed_type["kind"], listed_type["name"])
        for listed_type in as_json("types", "list", "--store", url)
    ]
    assert kinds == [("artifact", "Data"), ("execution", "Train"), ("context", "Run")]
    assert len(as_json("types", "list", "--store", url, "--kind", "context")) == 1
    assert as_json("types", "get", "--store", url, "Data")["properties"] == {"rows": "INT"}
    assert "Train" in run_command("types", "list", "--store", url).stdout
    assert "rows = INT" in run_command("types", "get", "--store", url, "Data").stdout


def test_events(url: str) -> None:
    (execution,) = as_json("executions", "list", "--store", url)
    listed = as_json("events", "list", "--store", url, "--execution", str(execution["id"]))
    assert [event["type"] for event in listed] == ["INPUT", "OUTPUT", "OUTPUT"]
    assert listed[1]["path"] == ["out", 0]
    artifact = str(listed[0]["artifact_id"])
    assert len(as_json("events", "list", "--store", url, "--artifact", artifact)) == 1


@pytest.mark.parametrize(
    ("code", "args"),
    [
        (1, ["artifacts", "get", "999999"]),
        (1, ["types", "get", "Nope"]),
        (2, ["artifacts", "get"]),
        (2, ["artifacts", "get", "1", "--name", "x"]),
        (2, ["artifacts", "list", "--type", "Data", "--context", "1"]),
        (2, ["artifacts", "list", "--limit", "0"]),
        (2, ["contexts", "list", "--context", "1"]),
        (2, ["events", "list"]),
    ],
)
def test_exit_codes(url: str, code: int, args: list[str]) -> None:
    result = run_command(*args, "--store", url)
    assert (result.returncode, result.stdout) == (code, "")
    assert "Traceback" not in result.stderr


def test_a_missing_file_is_not_created(tmp_path: Path) -> None:
    path = tmp_path / "missing.db"
    result = run_command("artifacts", "list", "--store", f"sqlite:///{path}")
    assert result.returncode == 3
    assert not path.exists()
    assert run_command("artifacts", "list", "--store", "nonsense://host").returncode == 1
