"""Migrations end where a new store begins, and an operator sees how far a database is."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from lineage_store import errors
from lineage_store.database.database import Database
from lineage_store.database.drivers.urls import driver_for
from lineage_store.database.schema import administration, migrations
from lineage_store.database.schema import revisions as schema
from lineage_store.engine import Engine
from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service
from tests.command_lines import run_command


def migrated(path: Path, revision: str = "head") -> Path:
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrations.upgrade(connection, revision)
    engine.dispose()
    return path


def created(path: Path) -> Path:
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        schema.create(connection)
    engine.dispose()
    return path


def select(path: Path, query: str) -> list[tuple]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def objects(path: Path) -> list[tuple]:
    """Return everything in the schema but the revision table, which alembic writes in its way."""
    entries = select(path, "SELECT type, name, tbl_name, sql FROM sqlite_master")
    described = [(*row, " ".join((sql or "").split())) for *row, sql in entries]
    return sorted(row for row in described if row[2] != schema.REVISION_TABLE)


CHANGING = {"recorded_at", "clock", "seed"}


def rows(path: Path) -> dict[str, list[tuple]]:
    tables = [name for kind, name, *_ in objects(path) if kind == "table"]
    by_table = {}
    for table in [*tables, schema.REVISION_TABLE]:
        columns = [row[1] for row in select(path, f"PRAGMA table_info({table})")]
        stable = ", ".join(column for column in columns if column not in CHANGING)
        by_table[table] = sorted(select(path, f"SELECT {stable} FROM {table}"))
    return by_table


def test_migrating_an_empty_database_gives_the_schema_of_a_new_one(tmp_path):
    by_migration, by_creation = migrated(tmp_path / "a.db"), created(tmp_path / "b.db")
    assert objects(by_migration) == objects(by_creation)


def test_migrating_an_empty_database_gives_the_rows_of_a_new_one(tmp_path):
    by_migration, by_creation = migrated(tmp_path / "a.db"), created(tmp_path / "b.db")
    assert rows(by_migration) == rows(by_creation)
    assert len(rows(by_migration)["types"]) == 9


def test_what_was_stored_before_filters_can_be_found_by_them(tmp_path):
    path = migrated(tmp_path / "a.db", "0001")
    event = pb.Event(artifact_id=1, execution_id=2, type=pb.Event.INPUT)
    event.path.steps.add(key="a/b~")
    event.path.steps.add(index=3)
    bare = pb.Event(artifact_id=1, execution_id=2, type=pb.Event.OUTPUT)
    with closing(sqlite3.connect(path)) as connection:
        insert = "INSERT INTO events VALUES (?, 1, 2, ?, 5, 6, ?)"
        connection.execute(insert, [1, event.type, event.SerializeToString()])
        connection.execute(insert, [2, bare.type, bare.SerializeToString()])
        insert = "INSERT INTO artifact_properties VALUES (1, 0, ?, NULL, NULL, ?, ?, NULL)"
        connection.execute(insert, ["long", None, "ab" * 300])
        connection.execute(insert, ["short", "ab", None])
        connection.commit()
    migrated(path)
    assert select(path, "SELECT path FROM events ORDER BY id") == [("/a~1b~0/3",), (None,)]
    indexed = select(path, "SELECT name, string_value, text_value FROM artifact_properties")
    assert sorted(indexed) == [("long", ("ab" * 300)[:255], "ab" * 300), ("short", "ab", None)]


def test_a_migrated_database_is_a_usable_store(tmp_path):
    with closing(Engine(f"sqlite:///{migrated(tmp_path / 'a.db')}")) as engine:
        put = service.PutArtifactTypeRequest(artifact_type=pb.ArtifactType(name="T"))
        type_id = engine.call("PutArtifactType", put).type_id
        artifact = pb.Artifact(type_id=type_id, name="first")
        [stored_id] = engine.call(
            "PutArtifacts", service.PutArtifactsRequest(artifacts=[artifact])
        ).artifact_ids
        answer = engine.call("GetArtifacts", service.GetArtifactsRequest())
    [stored] = service.GetArtifactsResponse.FromString(answer).artifacts
    assert (stored.id, stored.name) == (stored_id, "first")


def test_a_store_from_before_the_cache_can_publish(tmp_path):
    url = f"sqlite:///{migrated(tmp_path / 'a.db', '0002')}"
    with pytest.raises(errors.SchemaMismatch, match="db upgrade"):
        Engine(url)
    assert administration.upgrade(url) == ("0002", schema.HEAD)
    step = cache_pb2.Step(key="s", create_types=True)
    step.execution.type, step.execution.last_known_state = "E", pb.Execution.COMPLETE
    step.cache.digest = bytes(32)
    with closing(Engine(url)) as engine:
        request = cache_pb2.RecordStepRequest(step=step)
        assert engine.call("RecordStep", request).entry_id == 1


def test_head_is_the_newest_revision():
    assert migrations.known_revisions()[0] == schema.HEAD


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/store.db"


def set_revision(url: str, revision: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.execute(f"UPDATE {schema.REVISION_TABLE} SET version_num = ?", [revision])
        connection.commit()


def test_status_of_an_empty_and_of_a_current_database(url):
    assert administration.status(url) == administration.Status(None, schema.HEAD)
    assert administration.upgrade(url) == (None, schema.HEAD)
    assert administration.status(url) == administration.Status(schema.HEAD, schema.HEAD)
    assert administration.upgrade(url) == (schema.HEAD, schema.HEAD)
    assert administration.integrity_problems(url) == []


def test_an_unknown_revision_is_refused_and_left_alone(url):
    administration.upgrade(url)
    set_revision(url, "9999")
    assert administration.status(url).revision == "9999"
    for use in (administration.upgrade, Database):
        with pytest.raises(errors.SchemaMismatch, match="newer lineage-store"):
            use(url)
    assert administration.status(url).revision == "9999"


def db(command: str, url: str, *options: str) -> tuple[int, str, str]:
    process = run_command("db", command, "--database", url, *options)
    return process.returncode, process.stdout.strip(), process.stderr.strip()


def test_the_commands_on_an_empty_then_current_database(url):
    assert db("current", url) == (0, f"revision (empty), needed {schema.HEAD}", "")
    code, _, error = db("check", url)
    assert code == 1
    assert "db upgrade" in error
    assert db("upgrade", url) == (0, f"revision (empty) -> {schema.HEAD}", "")
    assert db("upgrade", url) == (0, f"at {schema.HEAD}", "")
    assert db("check", url) == (0, f"revision {schema.HEAD} is current; 10 rows, all sound", "")
    current = {"revision": schema.HEAD, "needed": schema.HEAD}
    assert json.loads(db("current", url, "--json")[1]) == current


def test_the_commands_on_an_unknown_revision(url):
    administration.upgrade(url)
    set_revision(url, "9999")
    assert db("current", url) == (0, f"revision 9999, needed {schema.HEAD}", "")
    for command in ("check", "upgrade"):
        code, _, error = db(command, url)
        assert code == 3
        assert "9999" in error
        assert "Traceback" not in error


def test_looking_at_a_missing_file_does_not_create_it(tmp_path: Path) -> None:
    absent = tmp_path / "missing.db"
    assert administration.status(f"sqlite:///{absent}").revision is None
    with pytest.raises(errors.Unavailable, match="does it exist"):
        administration.integrity_problems(f"sqlite:///{absent}")
    assert not absent.exists()


def test_the_store_is_created_in_one_transaction_under_the_write_lock(tmp_path: Path) -> None:
    driver = driver_for(f"sqlite:///{tmp_path}/store.db")
    with closing(driver.connect()) as raw, closing(driver.connect()) as other:
        with schema.writing(driver, raw) as connection:
            schema.create(connection)
            assert raw.in_transaction
            assert other.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        assert other.execute("SELECT count(*) FROM types").fetchone() == (9,)
