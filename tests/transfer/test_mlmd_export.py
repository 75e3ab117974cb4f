"""A store becomes a database from which the real ML Metadata answers as the store does."""

import dataclasses
import math
import random
import re
from collections import Counter
from contextlib import closing
from itertools import count

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage

from lineage_store import Artifact, ArtifactType, Execution, ExecutionType, connect, errors
from lineage_store.database.bulk.bulk_load import BulkLoad
from lineage_store.database.mlmd.source import MlmdSource
from lineage_store.database.mlmd.target import MlmdTarget
from lineage_store.engine import Engine
from lineage_store.transfer.mlmd.exporting import export_mlmd
from lineage_store.transfer.mlmd.findings import Findings
from lineage_store.transfer.mlmd.importing import import_mlmd
from lineage_store.transfer.mlmd.verifying import verify_mlmd
from tests.differential.peers import request_of
from tests.transfer.answers import ImportedStore, assert_same, real_on
from tests.transfer.mlmd_databases import WAYS

NODES = 300
LARGEST = 1.7976931348623157e308


@pytest.fixture
def filled_store(sqlite_mlmd, store_url):
    """A store with everything that there can be; made from a database of ML Metadata."""
    sqlite_mlmd.populate(NODES)
    import_mlmd(sqlite_mlmd.url, store_url, Findings())
    return store_url


def exported(store_url, database):
    findings = Findings()
    report = export_mlmd(store_url, database.url, findings)
    assert findings.shown == []
    return report


def test_the_real_ml_metadata_answers_from_it_as_the_store_does(filled_store, mlmd_database):
    report = exported(filled_store, mlmd_database)
    assert report.stored["artifacts"] == NODES // 2
    assert report.stored["events"] == NODES
    with real_on(mlmd_database) as real, closing(ImportedStore(filled_store)) as ours:
        ordered = not mlmd_database.url.startswith("postgresql")
        assert assert_same(real, ours, ordered=ordered) > 300
    # And back: what is read from it is what was written.
    assert verify_mlmd(mlmd_database.url, filled_store).compared == report.stored


def test_its_tables_and_indexes_are_those_that_ml_metadata_makes(store_url, mlmd_way, tmp_path):
    Engine(store_url).close()
    with mlmd_way(tmp_path) as ours, mlmd_way(tmp_path) as theirs:
        exported(store_url, ours)
        with real_on(theirs):
            assert definition(ours) == definition(theirs)


def definition(database):
    """Return how the tables and indexes of a database are made, as it says itself."""
    with closing(database.connect()) as connection:
        cursor = connection.cursor()
        if database.url.startswith("sqlite"):
            return sqlite_definition(cursor)
        if database.url.startswith("mysql"):
            return mysql_definition(cursor)
        return postgresql_definition(cursor)


def sqlite_definition(cursor):
    rows = cursor.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    counts = Counter(kind for kind, name, _ in rows if name != "sqlite_sequence")
    assert counts == {"table": 15, "index": 40}
    return {name: re.sub(r"\s", "", sql or "") for _, name, sql in rows}


def mysql_definition(cursor):
    cursor.execute("SHOW TABLES")
    names = [name for (name,) in cursor.fetchall()]
    definitions = {}
    for name in names:
        cursor.execute(f"SHOW CREATE TABLE `{name}`")
        text = cursor.fetchone()[1]
        # Ours are always of one character set, whose texts are compared byte by byte.
        definitions[name] = re.sub(r" AUTO_INCREMENT=\d+| DEFAULT CHARSET=.*", "", text)
    return definitions


def postgresql_definition(cursor):
    columns = "table_name, column_name, data_type, character_maximum_length, is_nullable"
    constraint = "conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
    queries = (
        f"SELECT {columns} FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
        f"SELECT {constraint} FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
    )
    return [sorted(cursor.execute(query).fetchall()) for query in queries]


def test_ml_metadata_goes_on_writing_to_it(filled_store, mlmd_database):
    exported(filled_store, mlmd_database)
    with real_on(mlmd_database) as real:
        put = request_of("PutArtifacts")
        put.artifacts.add(type_id=10, name="new")
        answer = real.call("PutArtifacts", put)
        assert answer.code == 0, answer.message
        assert list(answer.response.artifact_ids) == [NODES // 2 + 1]
        type_put = request_of("PutContextType")
        type_put.context_type.name = "new"
        assert real.call("PutContextType", type_put).response.type_id == 18


def test_what_ml_metadata_has_no_place_for_is_told(store_url, mlmd_database):
    """Each value that can't be kept is named, and the rest is readable."""
    with connect(store_url) as store:
        store.put_artifact_type(ArtifactType(name="T"))
        strings = {
            "null": "__MLMD_NULL__",
            "bad struct": "mlmd-struct::!",
            "nul": "a\0b",
            "struct": "mlmd-struct::",
            "kept": "kept",
        }
        numbers = {"nan": math.nan, "huge": 2**40, "infinity": math.inf, "largest": LARGEST}
        empty = {"empty any": AnyMessage()}
        artifact = Artifact(
            type="T", uri="u\0v", name="n" * 300, custom_properties=strings | numbers | empty
        )
        number = store.put_artifact(artifact)
        store.put_artifact(dataclasses.replace(store.get_artifact(number), uri="w"))
    findings = Findings()
    report = export_mlmd(store_url, mlmd_database.url, findings)
    assert report.left_behind == {"node_versions": 1}
    by_place = {finding.where: finding for finding in findings.shown}
    wide = mlmd_database.url.startswith("sqlite")
    left_out = {"null", "bad struct", "nan", "empty any", *(() if wide else ("huge", "infinity"))}
    assert {
        where.partition("'")[2].rstrip("'")
        for where, finding in by_place.items()
        if finding.action == "it is left out"
    } == left_out
    with real_on(mlmd_database) as real:
        [stored] = real.call("GetArtifacts", request_of("GetArtifacts")).response.artifacts
    assert set(stored.custom_properties) == {*strings, *numbers, *empty} - left_out
    assert stored.custom_properties["nul"].string_value == "a"
    # ML Metadata reads 15 digits of it from SQLite, which are too large.
    assert stored.custom_properties["largest"].double_value == (math.inf if wide else LARGEST)
    assert stored.custom_properties["struct"].HasField("struct_value")
    assert (stored.name == "n" * 300) is wide
    assert len(stored.name) == 300 if wide else 255


def test_names_that_a_database_can_not_tell_apart_are_told(store_url, tmp_path):
    """On MySQL blanks at the end of a name do not count."""
    with connect(store_url) as store:
        properties = {"p": int, "p ": int}
        store.put_artifact_type(ArtifactType(name="T", external_id="x", properties=properties))
        store.put_execution_type(ExecutionType(name="E", external_id="x "))
        ids = [store.put_artifact(Artifact(type="T", name=name)) for name in ("a", "a ", "A")]
        store.record_execution(Execution(type="E"), inputs=dict(zip("xyz", ids, strict=True)))
    findings = Findings()
    with WAYS["mariadb"](tmp_path) as database:
        report = export_mlmd(store_url, database.url, findings)
        assert [finding.where for finding in findings.shown] == [
            "type 11, external id",
            "type 10, property 'p '",
            "artifact 2",
            "event 2",
        ]
        assert (report.stored["types"], report.stored["artifacts"]) == (11, 2)
        assert report.stored["events"] == 2
        with real_on(database) as real:
            events = request_of("GetEventsByArtifactIDs")
            events.artifact_ids.extend(ids)
            answered = real.call("GetEventsByArtifactIDs", events).response.events
            assert sorted(event.artifact_id for event in answered) == [ids[0], ids[2]]


def test_long_strings_that_postgresql_does_not_index_are_told(store_url, tmp_path):
    noise = random.Random(1).randbytes(6000).hex()
    with connect(store_url) as store:
        store.put_artifact_type(ArtifactType(name="T"))
        properties = {"noise": noise, "same": "x" * 6000, "short": "y"}
        store.put_artifact(Artifact(type="T", custom_properties=properties))
    findings = Findings()
    with WAYS["postgresql"](tmp_path) as database:
        assert export_mlmd(store_url, database.url, findings).stored["artifacts"] == 1
        assert [finding.where for finding in findings.shown] == ["artifact 1: 'noise'"]
        with real_on(database) as real:
            [artifact] = real.call("GetArtifacts", request_of("GetArtifacts")).response.artifacts
        assert set(artifact.custom_properties) == {"same", "short"}


def test_an_export_that_was_cut_off_begins_anew(filled_store, mlmd_database, monkeypatch):
    calls = count()
    with monkeypatch.context() as patch:
        write = MlmdTarget.write
        cut = lambda *args: (next(calls) > 5 and 1 / 0) or write(*args)  # noqa: E731
        patch.setattr(MlmdTarget, "write", cut)
        with pytest.raises(ZeroDivisionError):
            exported(filled_store, mlmd_database)
    with pytest.raises(errors.FailedPrecondition, match="did not finish"):
        MlmdSource(mlmd_database.url)
    report = exported(filled_store, mlmd_database)
    assert verify_mlmd(mlmd_database.url, filled_store).compared == report.stored


def test_a_target_that_holds_something_is_refused_and_stays(filled_store, mlmd_database):
    exported(filled_store, mlmd_database)
    with pytest.raises(errors.FailedPrecondition, match="must be empty"):
        exported(filled_store, mlmd_database)
    assert verify_mlmd(mlmd_database.url, filled_store).differing == 0


def test_an_empty_or_half_filled_store_is_refused(tmp_path, store_url):
    target = f"sqlite:///{tmp_path}/new.db"
    with pytest.raises(errors.LineageError):
        export_mlmd(store_url, target, Findings())
    with closing(BulkLoad(store_url, "elsewhere")), pytest.raises(errors.SchemaMismatch):
        export_mlmd(store_url, target, Findings())
    assert not (tmp_path / "new.db").exists()
