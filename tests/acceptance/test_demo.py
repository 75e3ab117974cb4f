"""The demo: it ends by itself, and the store explains each model."""

import hashlib
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
    assert "Where does forest.joblib come from?" in printed
    assert "made by Ingest: ingest()" in printed
    assert "train_regression(strength=0.5)" in printed
    with connect(f"sqlite:///{tmp_path / 'lineage.db'}") as store:
        assert [step.state for step in store.iter_executions()] == ["COMPLETE"] * 8
        artifacts = list(store.iter_artifacts())
    assert len(artifacts) == 9
    for artifact in artifacts:
        content = Path(str(artifact.uri)).read_bytes()
        assert artifact.properties["sha256"] == hashlib.sha256(content).hexdigest()


def test_demo_can_run_twice_in_one_directory(tmp_path: Path) -> None:
    demo(tmp_path)
    demo(tmp_path)
    with connect(f"sqlite:///{tmp_path / 'lineage.db'}") as store:
        assert len(list(store.iter_contexts(type="Run"))) == 2
        assert len(list(store.iter_contexts(type="Pipeline"))) == 1
