"""The captured parts of an environment; nothing of the capture can go wrong."""

import importlib.metadata
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lineage_store.recording import environment
from lineage_store.recording.environment import PARTS, capture


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(environment.VARIABLE, raising=False)
    environment._captured.cache_clear()
    yield
    environment._captured.cache_clear()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, as the current directory."""
    monkeypatch.setattr(environment, "_main_script", lambda: None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("fit()")
    git("init", "--quiet")
    git("add", ".")
    git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "one")
    git("remote", "add", "origin", "https://me:secret@example.com/churn.git?token=secret")
    return tmp_path


def git(*args: str) -> str:
    return subprocess.run(["git", *args], capture_output=True, text=True, check=True).stdout.strip()


def test_everything_is_captured() -> None:
    details = capture()
    assert details["python_version"] == "{}.{}.{}".format(*sys.version_info)
    assert details["packages"]["pytest"] == importlib.metadata.version("pytest")
    assert list(details["packages"]) == sorted(details["packages"])
    assert all(
        isinstance(details[name], str) for name in ("platform", "host", "python_implementation")
    )


def test_the_commit(repository: Path) -> None:
    clean = {
        "git_commit": git("rev-parse", "HEAD"),
        "git_remote": "https://example.com/churn.git",
        "git_dirty": False,
    }
    (repository / "output.csv").write_text("not tracked")
    assert capture(["git"]) == clean
    (repository / "train.py").write_text("fit(2)")
    assert capture(["git"]) == clean  # of this process: it runs what it has read
    environment._captured.cache_clear()
    assert capture(["git"]) == clean | {"git_dirty": True}


def test_the_script_says_where_the_code_is(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert capture(["git"]) == {}
    environment._captured.cache_clear()
    monkeypatch.setattr(environment, "_main_script", lambda: str(repository / "train.py"))
    assert "git_commit" in capture(["git"])


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("none", set()),
        ("", set()),
        ("python, host", {"python_version", "python_implementation", "host"}),
        ("HOST,nonsense", {"host"}),
    ],
)
def test_it_can_be_switched_off(
    value: str, names: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(environment.VARIABLE, value)
    assert set(capture()) == names


def test_it_is_found_out_once_and_given_away_as_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    capture()["packages"].clear()
    monkeypatch.setattr(environment, "_CAPTURES", {})
    assert capture()["packages"]


def test_what_fails_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise KeyError("no such user")

    monkeypatch.setattr(environment.getpass, "getuser", fail)
    monkeypatch.setattr(environment.socket, "gethostname", fail)
    monkeypatch.setenv("PATH", "")
    details = capture()
    assert not {"user", "host", "git_commit"} & set(details)
    assert details["packages"]


def test_a_damaged_package_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken-1.0.dist-info").mkdir()
    (tmp_path / "unnamed-1.0.dist-info").mkdir()
    (tmp_path / "unnamed-1.0.dist-info" / "METADATA").write_text("Summary: nothing\n")
    monkeypatch.syspath_prepend(tmp_path)
    packages = capture(["packages"])["packages"]
    assert "pytest" in packages
    assert None not in packages.values()


def test_packages_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "MAX_PACKAGES", 3)
    assert len(capture(["packages"])["packages"]) == 3


def test_a_slow_git_is_not_waited_for(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    slow = tmp_path_factory.mktemp("bin") / "git"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(slow.parent), prepend=":")
    monkeypatch.setattr(environment, "GIT_SECONDS", 0.2)
    start = time.monotonic()
    assert capture(["git"]) == {}
    assert time.monotonic() - start < 10


def test_every_part_has_a_name() -> None:
    assert PARTS == ("git", "python", "platform", "packages", "host", "user")
