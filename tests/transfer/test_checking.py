"""Each kind of damage is found, and named; a sound store has none."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lineage_store import errors
from lineage_store.client.embedded import EmbeddedTransport
from lineage_store.database import tables
from lineage_store.database.bulk.store_contents import Contents, content_tables
from lineage_store.database.checks import findings
from lineage_store.database.checks.checking import check
from lineage_store.database.schema import revisions as schema
from lineage_store.database.upkeep import property_indexer as indexing
from lineage_store.database.upkeep.property_index import queued_keys
from lineage_store.v1 import metadata_pb2 as pb
from tests.conformance.conftest import Call
from tests.transfer.stores import BACKENDS, execute, fill, new_store, rows_of


@pytest.fixture(params=BACKENDS)
def url(request, tmp_path):
    """A store with one of everything."""
    with new_store(request.param, tmp_path) as store_url:
        fill(store_url)
        yield store_url


@pytest.fixture
def file(tmp_path):
    """A file with one of everything."""
    store_url = f"sqlite:///{tmp_path}/store.db"
    fill(store_url)
    return store_url


def problems(url, **options):
    """Return the findings but for facts and commits that do not fit; see test_commit_check.py."""
    return {
        (one.kind, one.table, *one.key.values(), one.message)
        for one in check(url, **options).findings.kept_findings
        if one.kind != "commit"
    }


def test_a_sound_store_has_no_findings(url):
    report = check(url)
    assert report.findings.kept_findings == []
    assert report.revision == schema.HEAD
    assert report.rows.keys() == {table.name for table in content_tables()}
    assert all(report.rows.values())


NOWHERE = 10**6

REFERENCES = [  # table, column, whose row gets lost, where it points
    ("events", "artifact_id", 3, "artifacts"),
    ("events", "execution_id", 4, "executions"),
    ("cache_entries", "execution_id", 1, "executions"),
    ("cache_entries", "original_execution_id", 2, "executions"),
    ("cache_hits", "entry_id", 7, "cache_entries"),
    ("cache_hits", "source_execution_id", 7, "executions"),
    ("cache_hits", "original_execution_id", 7, "executions"),
    ("artifacts", "type_id", 3, "types"),
]


def test_rows_that_point_at_nothing(url):
    expected = set()
    for table, column, key, target in REFERENCES:
        [name] = [c.name for c in tables.metadata.tables[table].primary_key]
        execute(url, f"UPDATE {table} SET {column} = ? WHERE {name} = ?", NOWHERE, key)
        expected.add(("reference", table, key, f"{column} {NOWHERE} is not in {target}"))
    execute(url, "INSERT INTO cache_hits VALUES (?, 1, 1, 1, 1)", NOWHERE)
    execute(url, "UPDATE artifact_reports SET artifact_id = ?", NOWHERE)
    message = f"execution_id {NOWHERE} is not in executions"
    expected.add(("reference", "cache_hits", NOWHERE, message))
    message = f"artifact_id {NOWHERE} is not in artifacts"
    expected.add(("reference", "artifact_reports", NOWHERE, message))
    assert {one for one in problems(url) if one[0] == "reference"} == expected


EDGES = [  # table, its two columns in order, and what is in the place of the one
    ("attributions", {"context_id": NOWHERE, "artifact_id": 1}),
    ("attributions", {"context_id": 1, "artifact_id": NOWHERE}),
    ("associations", {"context_id": NOWHERE, "execution_id": 1}),
    ("associations", {"context_id": 1, "execution_id": NOWHERE}),
    ("parent_contexts", {"child_id": NOWHERE, "parent_id": 1}),
    ("parent_contexts", {"child_id": 2, "parent_id": NOWHERE}),
]


def test_edges_that_point_at_nothing(url):
    expected = set()
    for table, ends in EDGES:
        execute(url, f"INSERT INTO {table} VALUES (?, ?, 1)", *ends.values())
        [column] = [name for name, end in ends.items() if end == NOWHERE]
        target = {"artifact_id": "artifacts", "execution_id": "executions"}.get(column, "contexts")
        message = f"{column} {NOWHERE} is not in {target}"
        expected.add(("reference", table, *ends.values(), message))
    assert problems(url) == expected


def test_versions_of_nothing_and_from_the_future(url):
    body = pb.Artifact(id=NOWHERE).SerializeToString()
    insert = "INSERT INTO node_versions VALUES (?, ?, ?, 1, 1, ?)"
    execute(url, insert, 1, NOWHERE, 1, body)
    execute(url, insert, 1, 1, 3, pb.Artifact(id=1).SerializeToString())
    execute(url, insert, 9, 1, 1, b"")
    execute(url, insert, 0, 1, 0, pb.Execution(id=2).SerializeToString())
    execute(url, insert, 2, 1, 0, b"\xff")
    assert problems(url) == {
        ("reference", "node_versions", 1, NOWHERE, 1, f"node_id {NOWHERE} is not in artifacts"),
        ("reference", "node_versions", 1, 1, 3, "the artifact has revision 3, not a later one"),
        ("reference", "node_versions", 9, 1, 1, "there is no kind 9 of node"),
        ("body", "node_versions", 0, 1, 0, "the body is that of another id"),
        ("body", "node_versions", 2, 1, 0, "the body can't be read"),
    }


def test_a_type_of_another_kind(url):
    node = pb.Context(id=1, type_id=10, name="parent")
    execute(
        url, "UPDATE contexts SET type_id = 10, body = ? WHERE id = 1", node.SerializeToString()
    )
    assert ("reference", "contexts", 1, "type_id 10 is a type of another kind") in problems(url)


COLUMNS = [  # table, id, column, and what is written into it
    ("artifacts", 2, "uri", "elsewhere"),
    ("artifacts", 3, "uri_hash", 5),
    ("artifacts", 4, "name", "x"),
    ("artifacts", 32, "name", None),  # its name is "", which is a name
    ("artifacts", 5, "external_id", "y"),
    ("artifacts", 6, "state", 4),
    ("artifacts", 7, "type_id", 11),
    ("executions", 2, "state", None),
    ("executions", 2, "create_time", 1),
    ("executions", 3, "update_time", 1),
    ("contexts", 1, "name", "other"),
    ("events", 1, "path", "/"),
    ("events", 2, "type", 7),
    ("events", 3, "artifact_id", 2),
    ("events", 4, "happened_at", 2),
    ("types", 12, "name", "x"),
    ("types", 13, "version", "x"),
    ("types", 14, "external_id", "x"),
]


def test_columns_that_differ_from_the_body_are_found_and_rebuilt(url):
    before = rows_of(url)
    expected = set()
    for table, row_id, column, value in COLUMNS:
        place = [c.name for c in tables.metadata.tables[table].c].index(column)
        [true] = [row[place] for row in before[table] if row[0] == row_id]
        execute(url, f"UPDATE {table} SET {column} = ? WHERE id = ?", value, row_id)
        message = f"{column} is {value!r}, the body says {true!r}"
        expected.add(("column", table, row_id, message))
    assert problems(url) == expected
    report = check(url, repair=True)
    column_count = sum(n for (kind, _), n in report.findings.totals.items() if kind == "column")
    assert (column_count, report.repaired) == (len(COLUMNS), len(COLUMNS) - 1)
    assert check(url).findings.kept_findings == []
    assert rows_of(url) == before


def test_bodies_that_can_not_be_read(url):
    for table in ("types", "artifacts", "events", "cache_entries"):
        execute(url, f"UPDATE {table} SET body = ? WHERE id = 1", b"\xff\xff")
    execute(
        url, "UPDATE artifacts SET body = ? WHERE id = 2", pb.Artifact(id=3).SerializeToString()
    )
    expected = {("body", t, 1, "the body can't be read") for t in ("types", "artifacts", "events")}
    expected.add(("body", "cache_entries", 1, "the body can't be read"))
    expected.add(("body", "artifacts", 2, "the body is that of another id"))
    assert {one for one in problems(url) if one[0] == "body"} == expected
    check(url, repair=True)  # leaves alone what it can't rebuild
    assert {one for one in problems(url) if one[0] == "body"} == expected


SURPLUS = "the index has a property that the body does not have"
INDEXES = {
    "DELETE FROM artifact_properties WHERE node_id = 1 AND name = 'p11'": (
        "artifact_properties", 1, True, "p11", "the property is not in the index"
    ),
    "UPDATE artifact_properties SET int_value = 5 WHERE node_id = 1 AND name = 'p12'": (
        "artifact_properties", 1, True, "p12", "the index has another value than the body"
    ),
    "INSERT INTO execution_properties (node_id, is_custom, name) VALUES (2, {true}, 'x')": (
        "execution_properties", 2, True, "x", SURPLUS
    ),
    "INSERT INTO context_properties (node_id, is_custom, name) VALUES (77, {true}, 'x')": (
        "context_properties", 77, "node_id 77 is not in contexts"
    ),
    "INSERT INTO cache_components VALUES (5, 77)": (
        "cache_components", 77, "entry_id 77 is not in cache_entries"
    ),
    "INSERT INTO cache_components VALUES (5, 2)": (
        "cache_components", 2, 5, "the index has a component that the entry does not have"
    ),
}  # fmt: skip


def test_indexes_that_differ_from_the_bodies_are_found_and_rebuilt(url):
    for damage in INDEXES:
        execute(url, damage.format(true="true" if url.startswith("postgresql") else "1"))
    assert problems(url) == {("index", *rest) for rest in INDEXES.values()}
    assert check(url, repair=True).repaired == len(INDEXES) - 1  # two are of one node
    assert problems(url) == set()


def test_a_component_that_is_missing(url):
    execute(url, "DELETE FROM cache_components")
    assert {one[:3] for one in problems(url)} == {("index", "cache_components", 1)}
    assert check(url).findings.total == 2
    check(url, repair=True)
    assert problems(url) == set()


def test_counters_that_are_behind(url):
    execute(url, "UPDATE counters SET next_id = 5 WHERE name = 'artifacts'")
    execute(url, "DELETE FROM counters WHERE name = 'events'")
    greatest = max(row[0] for row in rows_of(url)["artifacts"])
    assert problems(url) == {
        ("counter", "counters", "artifacts", f"next is 5, the greatest id is {greatest}"),
        ("counter", "counters", "events", "the counter is missing"),
    }
    check(url, repair=True)
    assert problems(url) == set()
    with closing(EmbeddedTransport(url)) as transport:
        assert Call(transport, dict).put("artifact", {"type_id": 10}) == [greatest + 1]


@pytest.mark.parametrize("backend", ["postgresql", "mariadb"])
def test_names_that_two_rows_have(backend, tmp_path):
    """On SQLite such a row can't come to be, short of a damaged file."""
    with new_store(backend, tmp_path) as url:
        fill(url)
        if backend == "postgresql":
            execute(url, "ALTER TABLE types DROP CONSTRAINT uq_types_name")
            execute(url, "ALTER TABLE artifacts DROP CONSTRAINT uq_artifacts_name")
        else:
            execute(url, "ALTER TABLE artifacts DROP INDEX uq_artifacts_name")
        twin = pb.ArtifactType(id=500, name="Data", version="2").SerializeToString()
        execute(url, "INSERT INTO types VALUES (500, 1, 'Data', '2', NULL, ?, 1, 1)", twin)
        node = pb.Artifact(id=33, type_id=10, name="n1").SerializeToString()
        execute(url, "UPDATE artifacts SET name = 'n1', body = ? WHERE id = 33", node)
        expected = {
            ("name", "types", 500, "id 11 has the same kind 1, name 'Data', version '2'"),
            ("name", "artifacts", 34, "id 33 has the same type_id 10, name 'n1'"),
        }
        assert {one for one in problems(url) if one[0] == "name"} == expected


def test_a_column_whose_body_claims_a_name_that_is_taken_stays(file):
    node = pb.Artifact(id=33, type_id=10, name="n1").SerializeToString()
    execute(file, "UPDATE artifacts SET body = ? WHERE id = 33", node)
    execute(file, "UPDATE artifacts SET uri = 'x' WHERE id = 40")
    check(file, repair=True)
    assert {one[2] for one in problems(file) if one[0] == "column"} == {33}


def test_a_damaged_file(file):
    path = Path(file.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'artifacts'"
        [(page,)] = connection.execute(query).fetchall()
        [(size,)] = connection.execute("PRAGMA page_size").fetchall()
    with path.open("r+b") as raw:
        raw.seek((page - 1) * size)
        raw.write(b"\x5a" * size)
    assert ("damage", "the file") in {one[:2] for one in problems(file)}


def test_few_of_many_findings_are_kept_and_all_are_counted(file):
    execute(file, "UPDATE events SET happened_at = 1")
    report = check(file)
    events = report.rows["events"]
    assert events > findings.MOST
    assert len(report.findings.kept_findings) == findings.MOST
    assert report.findings.total == report.findings.totals["column", "events"] == events


def test_what_can_not_be_checked(tmp_path, file):
    empty = tmp_path / "empty.db"
    empty.touch()
    with pytest.raises(errors.FailedPrecondition, match="empty"):
        check(f"sqlite:///{empty}")
    with pytest.raises(errors.Unavailable, match="does it exist"):
        check(f"sqlite:///{tmp_path}/missing.db")
    execute(file, f"UPDATE {schema.REVISION_TABLE} SET version_num = '0001'")
    with pytest.raises(errors.SchemaMismatch, match="db upgrade"):
        check(file)


def test_a_store_in_use_is_checked_and_repaired(file):
    execute(file, "UPDATE artifacts SET uri = 'elsewhere' WHERE id = 2")
    with closing(EmbeddedTransport(file)) as transport:
        call = Call(transport, dict)
        call.put("artifact", {"type_id": 10})
        assert check(file, repair=True).repaired == 1
        call.put("artifact", {"type_id": 10})
    assert problems(file) == set()


def test_nodes_that_wait_to_be_indexed_are_no_findings(url, monkeypatch):
    monkeypatch.setattr(indexing, "IDLE_SECONDS", 3600)
    with closing(EmbeddedTransport(url)) as transport:
        node = {"type_id": 10, "custom_properties": {"p": 1}}
        Call(transport, dict).put("artifact", node, node)
    assert waiting_nodes(url) == 2
    assert problems(url) == set()
    assert problems(url, repair=True) == set()
    with closing(EmbeddedTransport(url)) as transport:
        options = {"filter_query": "custom_properties.p.int_value = 1"}
        assert len(Call(transport, dict)("GetArtifacts", options=options).artifacts) >= 2
    assert waiting_nodes(url) == 0
    assert problems(url) == set()


def waiting_nodes(url):
    with Contents(url) as opened:
        return sum(size for _, size in queued_keys(opened.connection))
