"""The demo: it ends by itself, and the store explains its models."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lineage_store import connect

DEMO = Path(__file__).parents[2] / "docs" / "examples" / "demo.py"


@pytest.fixture(scope="module", autouse=True)
def _needs_scikit_learn() -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("pandas")


def demo(directory: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(DEMO), str(directory)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_demo_explains_its_models(tmp_path: Path) -> None:
    printed = demo(tmp_path)
    sections = re.split(r"\n(?=Chosen: |Where does |Why is it not |What if )", printed)
    _, chosen, origin, comparison, impact = sections
    assert chosen.startswith("Chosen: regression")
    assert "   └─ train: Dataset" in origin
    assert "└─ Train  strength=0.5  code_sha256=" in origin
    assert "└─ Ingest " in origin
    assert "↑ drawn above" in origin
    assert "Train  function: train_forest → train_regression" in comparison
    assert "Train  parameters.depth: 6 → (none)" in comparison
    assert "DATA: no difference" in comparison
    assert "Affected: 2 Model, " in impact
    assert "complete: 16 nodes, 19 events" in impact


def test_demo_records_what_it_made(tmp_path: Path) -> None:
    demo(tmp_path)
    with connect(f"sqlite:///{tmp_path / 'lineage.db'}") as store:
        assert [step.state for step in store.iter_executions()] == ["COMPLETE"] * 8
        artifacts = list(store.iter_artifacts())
    assert len(artifacts) == 9
    for artifact in artifacts:
        content = Path(str(artifact.uri)).read_bytes()
        assert artifact.properties["sha256"] == hashlib.sha256(content).hexdigest()


def test_demo_can_run_twice_in_one_directory(tmp_path: Path) -> None:
    demo(tmp_path)
    printed = demo(tmp_path)
    assert "complete: 16 nodes, 19 events" in printed  # of the second run alone
    with connect(f"sqlite:///{tmp_path / 'lineage.db'}") as store:
        assert len(list(store.iter_contexts(type="Run"))) == 2
        assert len(list(store.iter_contexts(type="Pipeline"))) == 1
        first, second = store.iter_artifacts(where="name LIKE '%/forest.joblib'")
        found = store.compare(first, second)
    assert found.differences == ()
    assert (found.shared_artifacts, found.shared_executions) == (3, 4)
