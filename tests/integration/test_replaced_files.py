"""A database file that is removed or replaced under an open store is noticed, and never written."""

import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lineage_store import Artifact, ArtifactType, LineageStore, connect, errors
from lineage_store.database.drivers import sqlite_file
from tests.conformance.step_stores import WAYS, opened


@pytest.fixture(params=WAYS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LineageStore]:
    with opened(request.param, tmp_path) as store:
        store.put_artifact_type(ArtifactType(name="Model"))
        put(store)
        yield store


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "LOOK_SECONDS", 0.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lineage.db"


def put(store: LineageStore) -> Artifact:
    return store.put_artifact(Artifact(type="Model"))


def remove(path: Path) -> None:
    path.unlink()


def move_away(path: Path) -> None:
    path.rename(path.with_name("away.db"))


def replace_by_a_copy(path: Path) -> None:
    shutil.copy(path, path.with_name("copy.db"))
    path.with_name("copy.db").replace(path)


def replace_by_an_empty_file(path: Path) -> None:
    path.with_name("empty.db").touch()
    path.with_name("empty.db").replace(path)


def remove_the_log(path: Path) -> None:
    path.with_name(f"{path.name}-wal").unlink()


@pytest.mark.parametrize(
    "harm", [remove, move_away, replace_by_a_copy, replace_by_an_empty_file, remove_the_log]
)
def test_writes_are_refused(
    store: LineageStore, path: Path, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    put(store)
    harm(path)
    before = path.stat().st_size if path.exists() else None
    with caplog.at_level(logging.ERROR, logger=sqlite_file.__name__):
        for _ in range(3):
            with pytest.raises(errors.DataLoss, match="was removed or replaced"):
                put(store)
    assert len([r for r in caplog.records if r.name == sqlite_file.__name__]) == 1
    assert (path.stat().st_size if path.exists() else None) == before


@pytest.mark.parametrize("harm", [remove, replace_by_an_empty_file])
def test_reads_are_refused_once_it_is_noticed(
    store: LineageStore, path: Path, harm: Callable[[Path], None]
) -> None:
    assert len(list(store.iter_artifacts())) == 1
    harm(path)
    answers = []
    for _ in range(20):
        try:
            answers.append(len(list(store.iter_artifacts())))
        except errors.DataLoss:
            answers.append(None)
    assert set(answers) <= {1, None}
    assert answers[-1] is None
    assert not path.exists() or path.stat().st_size == 0


def test_a_file_that_is_put_back_is_written_again(store: LineageStore, path: Path) -> None:
    away = path.with_name("away.db")
    path.rename(away)
    with pytest.raises(errors.DataLoss):
        put(store)
    away.rename(path)
    put(store)
    assert len(list(store.iter_artifacts())) == 2


def test_a_link_that_leads_elsewhere(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with connect(f"sqlite:///{tmp_path}/{name}.db") as store:
            store.put_artifact_type(ArtifactType(name="Model"))
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "one.db")
    with connect(f"sqlite:///{link}") as store:
        put(store)
        link.unlink()
        link.symlink_to(tmp_path / "two.db")
        with pytest.raises(errors.DataLoss):
            put(store)


def test_other_files_of_the_store_do_not_matter(store: LineageStore, path: Path) -> None:
    """Two processes may write, and one may end: the log stays the same."""
    with connect(f"sqlite:///{path}") as other:
        put(other)
        put(store)
    put(store)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    put(store)
    assert len(list(store.iter_artifacts())) == 5


def test_what_is_created_is_for_its_owner_alone(store: LineageStore, path: Path) -> None:
    put(store)
    modes = {
        file.name: oct(file.stat().st_mode & 0o777) for file in path.parent.glob("lineage.db*")
    }
    assert modes == dict.fromkeys(["lineage.db", "lineage.db-wal", "lineage.db-shm"], "0o600")
    assert os.access(path, os.R_OK)


def test_after_a_loss_no_write_is_acknowledged_until_the_file_is_back(
    store: LineageStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store)
    monkeypatch.setattr(sqlite_file, "LOOK_SECONDS", 0.1)
    remove_the_log(path)
    refused = 0
    for _ in range(20):
        try:
            put(store)
            assert not refused  # before anybody looked
        except errors.DataLoss:
            refused += 1
        time.sleep(0.02)
    assert refused >= 10


def test_another_connection_of_this_process_keeps_the_locks(tmp_path: Path) -> None:
    """To close a file releases the locks of the process on it: SQLite's must stay."""
    url = f"sqlite:///{tmp_path}/lineage.db"
    with connect(url) as store:
        store.put_artifact_type(ArtifactType(name="Model"))
        put(store)
        connect(url).close()
        code = f"import lineage_store as l; l.connect({url!r}).close()"
        subprocess.run([sys.executable, "-c", code], check=True)
        put(store)
        assert (tmp_path / "lineage.db-wal").exists()
    with closing(sqlite3.connect(tmp_path / "lineage.db")) as raw:
        assert raw.execute("SELECT count(*) FROM artifacts").fetchone() == (2,)
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_relative_path_is_one_from_where_the_store_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with connect("sqlite:///lineage.db") as store:
        store.put_artifact_type(ArtifactType(name="Model"))
        monkeypatch.chdir(tmp_path / "elsewhere")
        put(store)
        assert len(list(store.iter_artifacts())) == 1
    assert not list((tmp_path / "elsewhere").iterdir())
