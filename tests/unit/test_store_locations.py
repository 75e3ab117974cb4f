"""Stores named as people name them: a path, a URL, HOST:PORT without a scheme."""

import subprocess
import sys
from pathlib import Path

import pytest

from lineage_store import connect, errors
from lineage_store.client.addresses import store_url


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("lineage.db", "sqlite:///lineage.db"),
        ("/data/lineage.db", "sqlite:////data/lineage.db"),
        (Path("lineage.db"), "sqlite:///lineage.db"),
        (Path("runs:today.db"), "sqlite:///runs:today.db"),
        ("100%?#.db", "sqlite:///100%25%3F%23.db"),
        ("données.db", "sqlite:///données.db"),
        ("sqlite://", "sqlite://"),
        ("grpc://host:8080", "grpc://host:8080"),
        ("postgresql://user@host/name", "postgresql://user@host/name"),
    ],
)
def test_a_location_has_a_url(location: str | Path, url: str) -> None:
    assert store_url(location) == url


@pytest.mark.parametrize("name", ["lineage.db", "100% sure?#1.db", "données.db", "a b.db"])
@pytest.mark.parametrize("kind", [str, Path])
def test_the_file_of_a_path_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: type
) -> None:
    monkeypatch.chdir(tmp_path)
    with connect(kind(name)) as store:
        assert store.list_artifacts().items == []
    assert (tmp_path / name).is_file()
    with connect(kind(tmp_path / name)) as store:
        assert store.list_artifacts().items == []


def test_a_server_without_a_scheme_is_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(errors.InvalidArgument, match="say grpc://localhost:8080"):
        connect("localhost:8080")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("location", ["", "redis://host/0", "http://host"])
def test_other_texts_are_refused(location: str) -> None:
    with pytest.raises(errors.InvalidArgument):
        connect(location)


def test_the_command_line_takes_a_path(tmp_path: Path) -> None:
    path = tmp_path / "lineage.db"
    connect(path).close()
    command = [sys.executable, "-m", "lineage_store.cli", "artifacts", "list", "--store", str(path)]
    listing = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (listing.returncode, listing.stderr) == (0, "")
