"""Values that ML Metadata can't read, or a store can't hold, are told one by one and stop nothing.

Each case damages a database that the real ML Metadata wrote, and has the findings of the import
and the content of the store then.
"""

import base64
import sqlite3
from contextlib import closing

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage

from lineage_store import connect, errors
from lineage_store.database.mlmd.source import MlmdSource
from lineage_store.limits import MAX_NAME
from lineage_store.transfer.mlmd.findings import SHOWN, Findings
from lineage_store.transfer.mlmd.importing import import_mlmd
from lineage_store.transfer.mlmd.verifying import verify_mlmd
from tests.differential.peers import request_of
from tests.transfer.answers import ImportedStore, real_on

CUSTOM = "artifact 1, custom property 'x'"


@pytest.fixture
def damaged(sqlite_mlmd, store_url):
    """Damages a database, imports it, and gives the store and the findings."""
    sqlite_mlmd.populate(40)

    def damage_and_import(*statements):
        with closing(sqlite_mlmd.connect()) as connection:
            for statement in statements:
                text, *values = statement if isinstance(statement, tuple) else (statement,)
                connection.execute(text, values)
            connection.commit()
        findings = Findings()
        import_mlmd(sqlite_mlmd.url, store_url, findings)
        verify_mlmd(sqlite_mlmd.url, store_url).demand_equal()
        return store_url, findings

    return damage_and_import


def property_row(**cells):
    """Return the statement that gives artifact 1 the custom property "x"."""
    columns = ", ".join(cells)
    marks = ", ".join("?" * len(cells))
    insert = "INSERT INTO ArtifactProperty (artifact_id, name, is_custom_property"
    return (f"{insert}, {columns}) VALUES (1, 'x', 1, {marks})", *cells.values())


@pytest.mark.parametrize(
    ("cells", "finding", "value"),
    [
        ({"string_value": "__MLMD_NULL__"}, "can't read; it is kept", "__MLMD_NULL__"),
        ({"string_value": "mlmd-struct::!"}, "kept as a string", "mlmd-struct::!"),
        ({"string_value": b"a\xffb"}, "is not UTF-8", r"a\xffb"),
        ({"proto_value": "no base64!"}, "kept as a string", "no base64!"),
        ({"proto_value": base64.b64encode(b"\xff\xff")}, "kept as a string", "//8="),
        ({"int_value": 7, "string_value": "s"}, "several values: int_value, string_value", 7),
        ({"string_value": "s", "bool_value": 1}, "several values: string_value, bool", "s"),
        ({"int_value": "seven"}, "holds no int_value", None),
        ({"int_value": 2.5e30}, "holds no int_value", None),
        ({"double_value": "much"}, "holds no double_value", None),
        ({"int_value": None}, "has no value; it is left out", None),
    ],
)
def test_a_property_that_ml_metadata_can_not_read(damaged, cells, finding, value):
    url, findings = damaged(property_row(**cells))
    assert [finding.where for finding in findings.shown] == [CUSTOM]
    assert finding in str(findings.shown[0])
    with connect(url) as store:
        assert store.get_artifact(1).custom_properties.get("x") == value


def test_an_any_without_type_url_is_kept(damaged, sqlite_mlmd):
    message = AnyMessage(value=b"abc")
    encoded = base64.b64encode(message.SerializeToString())
    url, findings = damaged(property_row(proto_value=encoded))
    assert [finding.where for finding in findings.shown] == [CUSTOM]
    with connect(url) as store:
        assert store.get_artifact(1).custom_properties["x"] == message
    with real_on(sqlite_mlmd) as real:
        assert real.call("GetArtifacts", request_of("GetArtifacts")).status == "INTERNAL"


DANGLING = [
    ("INSERT INTO Event (id, artifact_id, execution_id, type) VALUES (900, -1, 1, 3)", "event 900"),
    (
        "INSERT INTO Event (id, artifact_id, execution_id, type) VALUES (900, 1, 888, 3)",
        "event 900",
    ),
    ("INSERT INTO Event (id, artifact_id, execution_id, type) VALUES (900, 1, 1, 77)", "event 900"),
    ("INSERT INTO Attribution (context_id, artifact_id) VALUES (1, -1)", "attribution (1, -1)"),
    ("INSERT INTO Association (context_id, execution_id) VALUES (77, 1)", "association (77, 1)"),
    ("INSERT INTO ParentContext VALUES (77, 1)", "parent context (77, 1)"),
    ("INSERT INTO Artifact (id, type_id) VALUES (900, 888)", "artifact 900"),
    ("INSERT INTO Artifact (id, type_id) VALUES (900, 5)", "artifact 900"),
    ("INSERT INTO Artifact (id, type_id) VALUES (-3, 10)", "artifact -3"),
    ("INSERT INTO Execution (id, type_id) VALUES (9223372036854775807, 14)", "execution 9223"),
    ("INSERT INTO Type (id, name, type_kind) VALUES (900, 'T', 7)", "type 900"),
]


@pytest.mark.parametrize(("statement", "where"), DANGLING)
def test_what_points_at_nothing_is_left_out(damaged, statement, where):
    url, findings = damaged(statement)
    [finding] = findings.shown
    assert finding.where.startswith(where)
    assert finding.action == "it is left out"
    with connect(url) as store:
        assert len(store.list_events(execution=1)) >= 0
        assert {artifact.id for artifact in store.iter_artifacts()} == set(range(1, 21))


def test_names_that_do_not_fit_are_changed_and_stay_apart(damaged):
    long = "n" * (MAX_NAME + 1)
    url, findings = damaged(
        ("UPDATE Artifact SET name = ?, external_id = '' WHERE id = 1", long + "1"),
        "UPDATE Artifact SET type_id = (SELECT type_id FROM Artifact WHERE id = 1) WHERE id = 2",
        ("UPDATE Artifact SET name = ? WHERE id = 2", long + "2"),
        ("UPDATE Artifact SET name = CAST(x'61FF' AS TEXT), external_id = ? WHERE id = 3", long),
        ("UPDATE Artifact SET name = '', uri = CAST(x'62FE' AS TEXT), state = 77 WHERE id = 4"),
        ("UPDATE Context SET external_id = '' WHERE id = 1"),
        ("UPDATE Type SET external_id = '' WHERE name = 'Data' AND version IS NULL"),
    )
    assert [finding.where for finding in findings.shown] == [
        "type 10",
        "artifact 1, name",
        "artifact 1",
        "artifact 2, name",
        "artifact 3, name",
        "artifact 3, external id",
        "artifact 4, uri",
        "artifact 4",
        "context 1",
    ]
    with connect(url) as store:
        first, second, third, fourth = (store.get_artifact(number) for number in (1, 2, 3, 4))
        assert store.get_context(1).external_id is None
    assert first.name[:400] == second.name[:400] == "n" * 400
    assert first.name != second.name
    assert len(first.name) == len(third.external_id) == MAX_NAME
    assert third.name.startswith(r"a\xff~")
    assert (fourth.name, fourth.uri, fourth.state) == ("", r"b\xfe", None)


def test_types_of_one_name_are_told_apart_and_system_types_that_are_missing_are_made(damaged):
    url, findings = damaged(
        "INSERT INTO Type (id, name, type_kind) VALUES (50, 'Data', 1)",
        "UPDATE Artifact SET type_id = 50 WHERE id = 1",
        "UPDATE Type SET id = 60 WHERE name = 'mlmd.Train'",
        "UPDATE ParentType SET parent_type_id = 60 WHERE parent_type_id = 5",
        "DELETE FROM Type WHERE name = 'mlmd.Deploy'",
        "INSERT INTO ParentType VALUES (50, 888)",
        "INSERT INTO TypeProperty VALUES (50, 'odd', 77)",
        "UPDATE Type SET input_type = 'no json' WHERE name = 'Train'",
    )
    assert [finding.where for finding in findings.shown] == [
        "type 14, input_type",
        "type 50, property 'odd'",
        "type 50",
        "type 50",
    ]
    with closing(ImportedStore(url)) as store:
        request = request_of("GetArtifactTypesByID")
        request.type_ids.append(50)
        [duplicate] = store.call("GetArtifactTypesByID", request).response.artifact_types
        assert (duplicate.name, duplicate.version) == ("Data", "duplicate-50")
        for name, number in (("mlmd.Train", 60), ("mlmd.Deploy", 61), ("Train", 14)):
            request = request_of("GetExecutionType")
            request.type_name = name
            execution_type = store.call("GetExecutionType", request).response.execution_type
            assert execution_type.id == number
        assert execution_type.base_type == 1
        put = request_of("PutArtifactType")
        put.artifact_type.name = "new"
        assert store.call("PutArtifactType", put).response.type_id == 62
    with connect(url) as store:
        assert store.get_artifact(1).type == "Data"
        assert store.get_artifact(1).type_id == 50


def test_one_name_in_both_maps_and_steps_without_a_value(damaged):
    url, findings = damaged(
        property_row(int_value=1),
        "INSERT INTO ArtifactProperty (artifact_id, name, is_custom_property, string_value) "
        "VALUES (1, 'x', 0, 'other')",
        "DELETE FROM EventPath WHERE event_id = 1",
        "INSERT INTO EventPath VALUES (1, 0, NULL, 'b'), (1, 1, NULL, NULL), (1, 1, 0, NULL), "
        "(1, 0, NULL, 'a')",
    )
    assert [finding.where for finding in findings.shown] == ["event 1"]
    with connect(url) as store:
        artifact = store.get_artifact(1)
        assert artifact.custom_properties["x"] == 1
        assert artifact.properties["x"] == "other"
        events = [e for e in store.list_events(execution=list(range(1, 30))) if e.path]
        assert ("b", 0, "a") in [event.path for event in events]


def test_of_many_findings_the_first_are_told(damaged):
    # As many properties without value as a downgrade leaves.
    rows = (
        "INSERT INTO ArtifactProperty (artifact_id, name, is_custom_property) "
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) "
        "SELECT 1, 'p' || i, 1 FROM n"
    )
    _, findings = damaged(rows)
    assert findings.count == 1500
    assert len(findings.shown) == SHOWN


@pytest.mark.parametrize(
    ("statements", "error", "match"),
    [
        (["UPDATE MLMDEnv SET schema_version = 11"], errors.FailedPrecondition, "newest"),
        (["UPDATE MLMDEnv SET schema_version = 7"], errors.FailedPrecondition, "upgrade"),
        (["DELETE FROM MLMDEnv"], errors.FailedPrecondition, "did not finish"),
        (["DROP TABLE MLMDEnv"], errors.InvalidArgument, "not a database of ML Metadata"),
    ],
)
def test_a_source_of_another_version_is_refused(tmp_path, sqlite_mlmd, statements, error, match):
    sqlite_mlmd.populate(10)
    with closing(sqlite_mlmd.connect()) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    with pytest.raises(error, match=match):
        import_mlmd(sqlite_mlmd.url, f"sqlite:///{tmp_path}/new.db", Findings())
    assert not (tmp_path / "new.db").exists()


def test_a_missing_source_is_an_error_and_is_not_created(tmp_path):
    with pytest.raises(errors.Unavailable, match="exist"):
        MlmdSource(f"sqlite:///{tmp_path}/missing.db")
    assert not (tmp_path / "missing.db").exists()


def test_the_source_stays_as_it_is(sqlite_mlmd, store_url, tmp_path):
    sqlite_mlmd.populate(40)
    [path] = tmp_path.glob("mlmd-*.db")
    before = path.read_bytes()
    import_mlmd(sqlite_mlmd.url, store_url, Findings())
    verify_mlmd(sqlite_mlmd.url, store_url)
    assert path.read_bytes() == before
    assert list(tmp_path.glob("mlmd-*")) == [path]


def test_a_change_after_the_import_is_found(sqlite_mlmd, store_url):
    sqlite_mlmd.populate(40)
    import_mlmd(sqlite_mlmd.url, store_url, Findings())
    with closing(sqlite3.connect(sqlite_mlmd.url.removeprefix("sqlite:///"))) as connection:
        connection.execute("UPDATE Artifact SET uri = 'changed' WHERE id = 3")
        connection.execute("DELETE FROM Event WHERE id = 5")
        connection.execute("DELETE FROM ArtifactProperty WHERE artifact_id = 7")
        connection.execute("INSERT INTO Attribution (context_id, artifact_id) SELECT 4, 20")
        connection.execute("INSERT INTO Type (id, name, type_kind) VALUES (70, 'late', 0)")
        connection.commit()
    verification = verify_mlmd(sqlite_mlmd.url, store_url)
    assert verification.first[:1] == ["type 70 is missing"]
    assert set(verification.first) >= {
        "artifact 3 differs",
        "artifact 7 differs",
        "event 5 is not in the source",
    }
    with pytest.raises(errors.Aborted, match="differ from the source"):
        verification.demand_equal()
