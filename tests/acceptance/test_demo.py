"""The demo: it skips unchanged steps, runs new ones, says why, and explains its models."""

import hashlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lineage_store import connect
from lineage_store.recording.history import list_runs, read_run

pytestmark = pytest.mark.xdist_group("demo")  # which runs once

DEMO = Path(__file__).parents[2] / "docs" / "examples" / "demo.py"


def demo(directory: Path) -> str:
    process = subprocess.run(
        [sys.executable, str(DEMO), str(directory)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (process.returncode, process.stderr) == (0, "")
    return process.stdout


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def printed(directory: Path) -> str:
    return demo(directory)


def test_the_demo_runs_what_is_new_and_says_why(printed: str) -> None:
    first, second, third, _ = re.split(r"\n\n", printed, maxsplit=3)
    assert "8 ran, 0 were skipped" in first
    assert "0 ran, 8 were skipped" in second
    assert "3 ran, 5 were skipped" in third
    assert "Train forest        runs: parameters.depth: 6 → 3\n" in third
    assert re.search(r"Evaluate forest +runs: inputs.model: sha256:\w+… → sha256:\w+…\n", third)
    assert re.search(r"Choose +runs: inputs.forest: sha256:\w+… → sha256:\w+…\n", third)
    seconds = [float(text) for text in re.findall(r"skipped, in ([\d.]+) s", printed)]
    assert seconds[1] < seconds[0]


def test_the_readme_shows_what_the_demo_prints(printed: str) -> None:
    readme = (DEMO.parents[2] / "README.md").read_text()
    [shown] = re.findall(r"```console\n(The same with.*?)\n```", readme, re.DOTALL)
    third = printed.split("\n\n")[2]
    assert steady(shown) == steady(third)


def steady(text: str) -> str:
    """Return a text without digests and times, which differ between machines."""
    return re.sub(r"sha256:\w+|[\d.]+ s$", "…", text)


def test_the_demo_explains_its_models(printed: str) -> None:
    sections = re.split(r"\n(?=Chosen: |Where does |Why is it not |What if )", printed)
    _, choice, origin, comparison, impact = sections
    assert choice.startswith("Chosen: regression")
    assert "   └─ train: Dataset" in origin
    assert "└─ Ingest " in origin
    assert "↑ drawn above" in origin
    assert "complete: 8 nodes, 8 events" in origin
    assert "CACHED" not in origin
    assert "Train  parameters.depth: 3 → (none)" in comparison
    assert "Train  code_digest: " in comparison
    assert "DATA: no difference" in comparison
    assert "Affected: 3 Model, " in impact


def test_the_demo_records_what_it_made(printed: str, directory: Path) -> None:
    with connect(directory / "lineage.db") as store:
        runs = [read_run(store, summary.run) for summary in list_runs(store)]
        artifacts = list(store.iter_artifacts())
        stats = store.cache.stats()
    assert [sum(step.is_cached for step in run.steps) for run in runs] == [5, 8, 0]
    assert {str(run.summary.state) for run in runs} == {"COMPLETE"}
    assert (stats.entries, stats.hits) == (11, 13)
    assert len(artifacts) == 12
    for artifact in artifacts:
        content = Path(str(artifact.uri)).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        assert artifact.custom_properties["digest"] == f"sha256:{digest}"


def test_the_demo_can_run_twice_in_one_directory(printed: str, directory: Path) -> None:
    again = demo(directory)
    assert again.count("0 ran, 8 were skipped") == 3
    with connect(directory / "lineage.db") as store:
        assert len(list(store.iter_contexts(type="Run"))) == 6
        assert len(list(store.iter_contexts(type="Pipeline"))) == 1


def test_the_commands_at_the_end_work_when_pasted(printed: str) -> None:
    commands = re.findall(r"^  (\S*lineage-store .*)$", printed, re.MULTILINE)
    outputs = [
        subprocess.check_output(shlex.split(command), text=True, timeout=60) for command in commands
    ]
    assert len(outputs) == 2
    assert outputs[0].startswith("nightly@")
    assert "└─ Ingest " in outputs[1]
