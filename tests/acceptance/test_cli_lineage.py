"""The commands on lineage, as a user sees them."""

import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from lineage_store import (
    Artifact,
    ArtifactType,
    Event,
    EventType,
    Execution,
    ExecutionType,
    connect,
)
from lineage_store.cli.group import cli
from lineage_store.cli.main import main


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with two models of one table, made of raw data at two uris."""
    store_url = f"sqlite:///{tmp_path_factory.mktemp('cli') / 'lineage.db'}"
    with connect(store_url) as store:
        store.put_artifact_type(ArtifactType(name="Data", properties={"sha256": str}))
        store.put_artifact_type(ArtifactType(name="Model"))
        for name in ("Clean", "Train"):
            store.put_execution_type(ExecutionType(name=name, properties={"depth": int}))
        raw = [Artifact(type="Data", name=f"raw{at}", uri="s3://raw") for at in range(2)]
        table = Artifact(type="Data", name="table", properties={"sha256": "ab" * 32})
        models = [Artifact(type="Model", name=f"m{at}") for at in range(2)]
        trains = [Execution(type="Train", properties={"depth": at}) for at in (6, 8)]
        clean = Execution(type="Clean", name="c\x1b[31m")
        reads, writes = Event(type=EventType.INPUT), Event(type=EventType.OUTPUT)
        events = [(0, 0, reads), (0, 1, reads), (0, 2, writes)]
        for at in (0, 1):
            events += [(1 + at, 2, reads), (1 + at, 3 + at, writes)]
        artifacts = [*raw, table, *models]
        store.put_subgraph(executions=[clean, *trains], artifacts=artifacts, events=events)
    return store_url


HUGE = "99999999999999999999"
NUMBERS = [
    ["artifacts", "get"],
    ["contexts", "get"],
    ["artifacts", "list", "--context"],
    ["artifacts", "list", "--limit"],
    ["events", "list", "--execution"],
    ["cache", "explain"],
    ["cache", "list", "--execution"],
    ["lineage", "4", "--hops"],
    ["lineage", "4", "--max-nodes"],
    ["lineage", "4", "--timeout"],
    ["paths", "1", "4", "--limit"],
]
NODES = [["lineage"], ["impact"], ["paths", "1"], ["compare", "4"], ["cache", "list", "--artifact"]]


class Done(NamedTuple):
    """The exit code and the output of a command."""

    returncode: int
    stdout: str
    stderr: str


def run(url: str, *args: str) -> Done:
    """Run a command in this process, which is quicker, as its entry point does."""
    out, err, code = StringIO(), StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["lineage-store", *args, "--store", url])
        try:
            main()
        except SystemExit as stopped:
            code = int(stopped.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


def lines(url: str, *args: str) -> list[str]:
    result = run(url, *args)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.splitlines()


def as_json(url: str, *args: str) -> Any:
    result = run(url, *args)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_a_tree(url: str) -> None:
    assert lines(url, "lineage", "Model/m0") == [
        "Model m0  (artifact:4)",
        "└─ Train  depth=6  (execution:2)",
        "   └─ Data table  sha256:abababababab  (artifact:3)",
        r"      └─ Clean c\x1b[31m  (execution:1)",
        "         ├─ Data raw0  (artifact:1)",
        "         └─ Data raw1  (artifact:2)",
        "complete: 6 nodes, 5 events",
    ]


def test_a_table(url: str) -> None:
    table = lines(url, "lineage", "execution:1", "--downstream", "--format", "table")
    assert table[0].split() == ["HOP", "NODE", "TYPE", "NAME", "STATE", "DIGEST", "URI"]
    assert [line.split()[:3] for line in table[1:3]] == [
        ["0", "execution:1", "Clean"],
        ["1", "artifact:3", "Data"],
    ]
    assert table[-1] == "complete: 6 nodes, 5 events"


@pytest.mark.parametrize(
    ("form", "start"), [("dot", "digraph lineage {"), ("mermaid", "flowchart LR"), ("json", "{")]
)
def test_formats_for_programs(url: str, form: str, start: str) -> None:
    result = run(url, "lineage", "4", "--format", form)
    assert result.stdout.splitlines()[0] == start
    assert result.stderr == "complete: 6 nodes, 5 events\n"
    assert "\x1b" not in result.stdout


def test_json_is_the_documented_shape(url: str) -> None:
    lineage = as_json(url, "lineage", "uri:s3://raw", "--both", "--format", "json")
    assert lineage["start"] == ["artifact:1", "artifact:2"]
    assert (lineage["direction"], len(lineage["nodes"]), len(lineage["edges"])) == ("both", 8, 7)


def test_limits_are_told(url: str) -> None:
    result = run(url, "lineage", "artifact:4", "--hops", "2")
    verdict = "NOT COMPLETE: the limit of hops was reached; 3 nodes, 2 events; 1 node not followed"
    assert (result.returncode, result.stderr) == (4, f"{verdict}\n")
    assert len(result.stdout.splitlines()) == 3
    assert "limit of nodes" in run(url, "lineage", "4", "--max-nodes", "1").stderr


def test_stops_and_dates(url: str) -> None:
    assert len(lines(url, "lineage", "4", "--stop", "name = 'table'")) == 4
    assert len(lines(url, "lineage", "4", "--stop-execution", "type = 'Clean'")) == 5
    refused = run(url, "lineage", "4", "--as-of", "2020-01-01")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "not known then: artifact 4; the first that the store knows of it is" in refused.stderr
    assert len(lines(url, "lineage", "4", "--recorded-as-of", "2199-12-31T23:59:59+01:00")) == 7


def test_compare(url: str) -> None:
    assert lines(url, "compare", "Model/m0", "5") == [
        "Model m0  (artifact:4)",
        "Model m1  (artifact:5)",
        "DATA: no difference",
        "CODE: no difference",
        "PARAMETERS:",
        "  Train  depth: 6 → 8",
        "ENVIRONMENT: no difference",
        "STEPS: no difference",
        "The same on both sides: 3 artifacts, 1 step",
        "left: complete: 6 nodes, 5 events",
        "right: complete: 6 nodes, 5 events",
    ]
    comparison = as_json(url, "compare", "4", "5", "--json")
    assert [(d["aspect"], d["left"], d["right"]) for d in comparison["differences"]] == [
        ("PARAMETERS", "6", "8")
    ]


def test_impact(url: str) -> None:
    assert lines(url, "impact", "Data/raw0") == [
        "Made from Data raw0  (artifact:1)",
        "Affected: 2 Model, 1 Data; 3 steps",
        "Models",
        "  4 hops away  Model m0  (artifact:4)",
        "  4 hops away  Model m1  (artifact:5)",
        "Other artifacts",
        "  2 hops away  Data table  sha256:abababababab  (artifact:3)",
        "complete: 7 nodes, 6 events",
    ]
    impact = as_json(url, "impact", "1", "--json")
    assert impact["counts"] == {"Model": 2, "Data": 1}
    assert [node["name"] for node in impact["models"]] == ["m0", "m1"]


def test_paths(url: str) -> None:
    shown = lines(url, "paths", "Data/raw0", "Model/m1")
    assert shown[0] == "Path 1: 4 hops"
    assert [line.split()[1] for line in shown[1:6]] == [
        "raw0",
        r"c\x1b[31m",
        "table",
        "depth=8",
        "m1",
    ]
    assert lines(url, "paths", "Model/m0", "Model/m1")[0] == "no path"
    around = as_json(url, "paths", "4", "5", "--any-direction", "--shortest", "--json")
    assert [node["key"] for node in around["paths"][0]["nodes"]] == [
        "artifact:4",
        "execution:2",
        "artifact:3",
        "execution:3",
        "artifact:5",
    ]


def test_listings_take_a_filter(url: str) -> None:
    assert [node["name"] for node in as_json(url, "artifacts", "list", "--where", "name LIKE 'm%'",
                                             "--json")] == ["m0", "m1"]  # fmt: skip
    assert len(as_json(url, "executions", "list", "--where", "type = 'Train'", "--json")) == 2
    assert run(url, "contexts", "list", "--where", "nonsense").returncode == 1


@pytest.mark.parametrize(
    ("code", "message", "args"),
    [
        (1, "there is no artifact 99", ["lineage", "99"]),
        (1, "no artifact has the type", ["lineage", "Model/nope"]),
        (1, "no artifact has the uri", ["impact", "uri:nope"]),
        (1, "names no node", ["lineage", "model"]),
        (1, "names no node", ["lineage", "execution:x"]),
        (1, "is the uri of 2 artifacts", ["paths", "uri:s3://raw", "4"]),
        (1, "only artifacts can be compared", ["compare", "4", "execution:1"]),
        (1, "filter", ["lineage", "4", "--stop", "nonsense ="]),
        (2, "is not of the form", ["lineage", "4", "--as-of", "yesterday"]),
        (2, "Invalid value", ["lineage", "4", "--hops", "-1"]),
        *((2, "Invalid value", [*words, HUGE]) for words in NUMBERS),
        *((1, "is no id", [*words, HUGE]) for words in NODES),
        (1, "is no id", ["lineage", f"artifact:{HUGE}"]),
        (1, "is no id", ["compare", "4", "9" * 5000]),
        (
            1,
            "there is no artifact type 'Modle'; did you mean 'Model'?",
            ["artifacts", "list", "--type", "Modle"],
        ),
        (1, "there is no execution type 'train'", ["executions", "list", "--type", "train"]),
        (
            1,
            "there is no artifact type 'Model'",
            ["artifacts", "list", "--type", "Model", "--type-version", "7"],
        ),
        (1, "no context has the id 99", ["artifacts", "list", "--context", "99"]),
        (1, "there is no pipeline 'nope'", ["runs", "list", "--pipeline", "nope"]),
        (1, "there is no run 'nope'", ["runs", "show", "nope"]),
        (2, "Missing argument", ["compare", "4"]),
    ],
)
def test_errors(url: str, code: int, message: str, args: list[str]) -> None:
    result = run(url, *args)
    assert (result.returncode, result.stdout) == (code, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_in_a_process_of_its_own(url: str) -> None:
    command = [sys.executable, "-m", "lineage_store.cli", "lineage", "4", "--hops", "1"]
    process = subprocess.run(
        [*command, "--store", url], capture_output=True, text=True, check=False, timeout=60
    )
    assert process.returncode == 4
    assert "└─ Train  depth=6  (execution:2)" in process.stdout
    assert process.stderr.startswith("NOT COMPLETE: the limit of hops")


@pytest.mark.parametrize("command", ["lineage", "impact", "paths", "compare"])
def test_help_says_how_to_name_a_node(command: str) -> None:
    shown = CliRunner().invoke(cli, [command, "--help"]).stdout
    assert "    execution:TYPE/NAME       an execution by type and name\n" in shown
