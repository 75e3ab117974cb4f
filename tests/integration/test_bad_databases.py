"""Databases that can't be used: a clear error, nothing lost, and usable once the cause is gone."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from lineage_store import errors
from lineage_store.database.drivers import sqlite
from lineage_store.database.schema import administration
from lineage_store.database.schema import revisions as schema
from lineage_store.engine import Engine
from lineage_store.limits import Limits
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "store.db"


def open_store(path: Path, mode: str = "rwc", limits: Limits | None = None) -> Engine:
    return Engine(f"sqlite:///{path}?mode={mode}", limits)


def put(engine: Engine, *names: str, size: int = 0) -> None:
    engine.call(
        "PutArtifactType", service.PutArtifactTypeRequest(artifact_type=pb.ArtifactType(name="T"))
    )
    nodes = [pb.Artifact(type_id=10, name=name, uri="u" * size) for name in names]
    engine.call("PutArtifacts", service.PutArtifactsRequest(artifacts=nodes))


def names(engine: Engine) -> list[str]:
    answer = engine.call("GetArtifacts", service.GetArtifactsRequest())
    return [node.name for node in service.GetArtifactsResponse.FromString(answer).artifacts]


@pytest.fixture
def filled(path) -> Path:
    """A closed store with one artifact."""
    with closing(open_store(path)) as engine:
        put(engine, "first")
    return path


def execute(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


MLMD = """
CREATE TABLE `Type` (`id` INTEGER PRIMARY KEY AUTOINCREMENT, `name` VARCHAR(255) NOT NULL);
CREATE TABLE `Artifact` (`id` INTEGER PRIMARY KEY AUTOINCREMENT, `type_id` INT NOT NULL);
CREATE TABLE `MLMDEnv` (`schema_version` INTEGER PRIMARY KEY);
INSERT INTO `Type` (name) VALUES ('mlmd.Dataset');
INSERT INTO `MLMDEnv` VALUES (10);
"""


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: execute(path, MLMD), "ML Metadata"),
        (
            lambda path: execute(path, "CREATE TABLE accounts (id INTEGER)"),
            "not of a lineage store",
        ),
        (lambda path: path.write_bytes(os.urandom(20_000)), "not an SQLite database"),
        (lambda path: path.write_text("short"), "not an SQLite database"),
    ],
    ids=["ML Metadata", "foreign tables", "random bytes", "short text"],
)
def test_another_program_s_file_is_refused_and_left_alone(path, make, message):
    make(path)
    before = path.read_bytes()
    for use in (open_store, lambda p: administration.upgrade(f"sqlite:///{p}")):
        with pytest.raises(errors.NotOurDatabase, match=message):
            use(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_an_empty_file_becomes_a_store(path):
    path.touch()
    with closing(open_store(path)) as engine:
        put(engine, "first")
    with closing(open_store(path)) as engine:
        assert names(engine) == ["first"]


def test_a_newer_revision_is_refused_and_left_alone(filled):
    execute(filled, f"UPDATE {schema.REVISION_TABLE} SET version_num = '9999'")
    before = filled.read_bytes()
    with pytest.raises(errors.SchemaMismatch, match="newer lineage-store"):
        open_store(filled)
    assert filled.read_bytes() == before


@pytest.mark.parametrize("mode", ["ro", "rw"])
def test_a_missing_file_is_not_created_unless_asked(path, mode):
    with pytest.raises(errors.Unavailable, match="can't be opened"):
        open_store(path, mode)
    assert not path.exists()


def test_a_directory_that_is_missing_or_in_the_way(path):
    with pytest.raises(errors.Unavailable, match="can't be opened"):
        open_store(path / "missing" / "store.db")
    path.mkdir()
    with pytest.raises(errors.Unavailable, match="can't be opened"):
        open_store(path)


def test_a_store_opened_for_reading_refuses_writes_and_reads(filled):
    with closing(open_store(filled, "ro")) as engine:
        with pytest.raises(errors.FailedPrecondition, match="read-only"):
            put(engine, "second")
        assert names(engine) == ["first"]
    with closing(open_store(filled)) as engine:
        put(engine, "second")
        assert names(engine) == ["first", "second"]


@contextmanager
def as_somebody() -> Iterator[None]:
    """Give up the right of root to write anywhere."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.fixture
def foreign() -> Iterator[Path]:
    """A store in a directory of another user, who lets everyone read."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with closing(open_store(directory / "store.db")) as engine:
            put(engine, "first")
        (directory / "store.db").chmod(0o444)
        directory.chmod(0o555)
        yield directory / "store.db"
        directory.chmod(0o755)


def test_a_file_without_the_right_to_write(foreign):
    foreign.parent.chmod(0o777)
    with as_somebody(), closing(open_store(foreign)) as engine:
        assert names(engine) == ["first"]
        with pytest.raises(errors.FailedPrecondition, match="read-only"):
            put(engine, "second")
        assert names(engine) == ["first"]


def test_a_directory_without_the_right_to_write(foreign):
    with as_somebody(), pytest.raises(errors.LineageError) as caught:
        open_store(foreign.parent / "new.db")
    assert type(caught.value) is errors.Unavailable
    with as_somebody(), pytest.raises(errors.LineageError) as caught:
        open_store(foreign)
    assert type(caught.value) in {errors.Unavailable, errors.FailedPrecondition}
    foreign.parent.chmod(0o755)
    with closing(open_store(foreign)) as engine:
        assert names(engine) == ["first"]


HOLD_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the write lock in another process."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_LOCK, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "locked\n"
        try:
            yield
        finally:
            process.kill()


def test_a_lock_of_another_process(filled):
    with closing(open_store(filled, limits=Limits(patience_seconds=0.2))) as engine:
        with locked(filled):
            with pytest.raises(errors.Aborted, match="locked"):
                put(engine, "second")
            assert names(engine) == ["first"]
            with closing(open_store(filled)) as other:
                assert names(other) == ["first"]
        put(engine, "third")
        assert names(engine) == ["first", "third"]


def test_a_full_disk(filled):
    with closing(open_store(filled)) as engine:
        writer = engine._database._writer._raw
        (pages,) = writer.execute("PRAGMA page_count").fetchone()
        writer.execute(f"PRAGMA max_page_count={pages + 2}")
        with pytest.raises(errors.ResourceExhausted, match="full"):
            put(engine, "large", size=1_000_000)
        assert names(engine) == ["first"]
        put(engine, "small")
        writer.execute("PRAGMA max_page_count=1000000")
        put(engine, "large", size=1_000_000)
        assert names(engine) == ["first", "small", "large"]
    assert administration.integrity_problems(f"sqlite:///{filled}") == []


PAGE = 4096


@pytest.fixture
def large(path) -> Path:
    """A closed store of a few hundred pages."""
    with closing(open_store(path)) as engine:
        put(engine, *(f"n{i}" for i in range(500)), size=100)
    return path


def damage(path: Path, first_page: int, last_page: int) -> None:
    with path.open("r+b") as file:
        file.seek(first_page * PAGE)
        file.write(os.urandom((last_page - first_page) * PAGE))


def pages_of(path: Path, table: str) -> list[int]:
    """Return the root pages of a table and its indexes, counted from 0."""
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT rootpage - 1 FROM sqlite_master WHERE tbl_name = ? AND rootpage"
        return [page for (page,) in connection.execute(query, [table])]


def test_damage_is_noticed_when_it_is_read(large):
    for page in pages_of(large, "artifacts"):
        damage(large, page, page + 1)
    assert administration.integrity_problems(f"sqlite:///{large}")
    with closing(open_store(large)) as engine:
        with pytest.raises(errors.DataLoss, match="damaged"):
            names(engine)
        with pytest.raises(errors.DataLoss, match="damaged"):
            put(engine, "more")


@pytest.mark.parametrize(
    "use", [open_store, lambda path: administration.status(f"sqlite:///{path}")]
)
def test_damage_is_noticed_on_opening(large, use):
    [table, index] = pages_of(large, schema.REVISION_TABLE)
    damage(large, table, table + 1)
    damage(large, index, index + 1)
    with pytest.raises(errors.DataLoss, match="damaged"):
        use(large)


def test_creation_while_another_process_holds_the_lock(path, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.2)
    execute(path, "PRAGMA journal_mode=WAL")
    with locked(path), pytest.raises(errors.Aborted, match="locked"):
        open_store(path)
    with closing(open_store(path)) as engine:
        put(engine, "first")


def test_a_store_that_is_closed(filled):
    engine = open_store(filled)
    engine.close()
    with pytest.raises(errors.FailedPrecondition, match="closed"):
        names(engine)
    with pytest.raises(errors.FailedPrecondition, match="closed"):
        put(engine, "second")
