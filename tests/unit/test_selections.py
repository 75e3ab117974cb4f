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


def collected(*options: str) -> tuple[int, int]:
    """Return how many tests are selected, and how many there are."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", "--ignore=tests/hooks"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    run = subprocess.run(
        [*command, "-p", "no:cacheprovider", *options],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    deselected = re.findall(r"^deselected by .*: (\d+)$", run.stdout, re.MULTILINE)
    counts = re.findall(r"^\S+\.py: (\d+)$", run.stdout, re.MULTILINE)
    selected = sum(map(int, counts))
    return selected, selected + sum(map(int, deselected))


def test_the_targets_differ_in_their_markers_alone() -> None:
    assert options_of("test") == ["-m", "not long"]
    assert options_of("test-long") == ["-m", "long"]


@pytest.mark.timeout(600)
def test_the_two_selections_are_all_tests() -> None:
    (short, total), (long, again) = collected("-m", "not long"), collected("-m", "long")
    assert short + long == total == again
    assert 0 < long < short


def test_a_marker_that_is_not_registered_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "test_typo.py").write_text("import pytest\n@pytest.mark.lnog\ndef test(): pass\n")
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), str(tmp_path)]
    run = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert "'lnog' not found in `markers` configuration option" in run.stdout
