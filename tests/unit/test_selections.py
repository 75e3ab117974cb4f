"""`make test` and `make test-long` have every test between them, and none twice."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def options_of(target: str) -> list[str]:
    """Return the options that a target of the Makefile gives to pytest."""
    command = ["make", "--dry-run", "--always-make", "PYTEST=PYTEST", target]
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    recipes = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    ).stdout
    [options] = re.findall(r"\bPYTEST (.*)$", recipes, re.MULTILINE)
    return shlex.split(options)


def counts_of(*options: str) -> tuple[int, int, int]:
    """Return how many tests are selected, how many there are, and how many of them are deselected.

    The first two are counted by pytest, the last by the hook of `conftest.py`.
    """
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--ignore=tests/hooks"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    run = subprocess.run(
        [*command, "-p", "no:cacheprovider", *options],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    [(selected, total)] = re.findall(r"^(\d+)/(\d+) tests collected", run.stdout, re.MULTILINE)
    [deselected] = re.findall(r"^deselected by .*: (\d+)$", run.stdout, re.MULTILINE)
    return int(selected), int(total), int(deselected)


def test_the_targets_differ_in_their_markers_alone() -> None:
    assert options_of("test") == ["-m", "not long"]
    assert options_of("test-long") == ["-m", "long"]


@pytest.mark.timeout(600)
def test_what_one_selection_lacks_is_the_other() -> None:
    """To collect takes 10 seconds: each test has the marker or lacks it, so one of them will do."""
    long, total, others = counts_of("-m", "long")
    assert long + others == total
    assert 0 < long < others


def test_the_tests_of_a_group_run_on_one_worker(tmp_path: Path) -> None:
    """Or each worker would make the environments, and start the servers, that a group shares."""
    (tmp_path / "test_group.py").write_text(
        "import pytest\n"
        "@pytest.mark.xdist_group('g')\n"
        "@pytest.mark.parametrize('number', range(6))\n"
        "def test(number, worker_id): print('on', worker_id)\n"
    )
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", "-rP"]
    run = subprocess.run(
        [*command, str(tmp_path)], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    workers = re.findall(r"^on (gw\d)$", run.stdout, re.MULTILINE)
    assert len(workers) == 6
    assert len(set(workers)) == 1


def test_a_marker_that_is_not_registered_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "test_typo.py").write_text("import pytest\n@pytest.mark.lnog\ndef test(): pass\n")
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), str(tmp_path)]
    run = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert "'lnog' not found in `markers` configuration option" in run.stdout
