"""A copy is the store that it was copied from, whatever database either is kept in."""

from contextlib import closing
from itertools import count

import pytest

from lineage_store import errors
from lineage_store.client.embedded import EmbeddedTransport
from lineage_store.database import tables
from lineage_store.database.bulk import store_contents as contents
from lineage_store.database.bulk.store_contents import Contents
from lineage_store.database.checks.checking import check
from lineage_store.database.drivers import sqlite
from lineage_store.database.schema import revisions as schema
from lineage_store.kinds import ARTIFACT
from lineage_store.transfer import copying
from lineage_store.transfer.copying import copy
from lineage_store.v1 import metadata_service_pb2 as service
from tests.conformance.conftest import Call
from tests.transfer.stores import BACKENDS, execute, fill, new_store, rows_of


@pytest.fixture(params=BACKENDS)
def source(request, tmp_path):
    """A store with one of everything."""
    with new_store(request.param, tmp_path) as url:
        fill(url)
        yield url


@pytest.fixture
def small(tmp_path):
    """A file with one of everything."""
    url = f"sqlite:///{tmp_path}/small.db"
    fill(url)
    return url


@pytest.mark.parametrize("target", BACKENDS)
def test_a_copy_holds_the_same_rows_and_can_be_used(source, target, tmp_path):
    with new_store(target, tmp_path) as url:
        copied = copy(source, url, verify=True)
        assert copied.is_verified
        assert not copied.is_resumed
        before = rows_of(source)
        assert rows_of(url) == before
        assert copied.rows == {
            name: len(rows) for name, rows in before.items() if name != "counters"
        }
        assert all(copied.rows.values())  # there is something in every table
        with closing(EmbeddedTransport(url)) as transport:
            call = Call(transport, dict)
            query = {"filter_query": "custom_properties.`😀`.int_value = 2"}
            assert len(call("GetArtifacts", options=query).artifacts) == 1
            [new] = call.put("artifact", {"type_id": 10})
            assert new >= before["counters"]["artifacts"]


def cut_after(rows):
    """Return a progress that ends the process's work after so many rows, as a kill would."""

    def progress(stage, row_count, total):
        if stage.startswith("copying") and row_count >= rows:
            raise KeyboardInterrupt

    return progress


@pytest.fixture
def paged(monkeypatch):
    """Pages of few rows."""
    monkeypatch.setattr(contents, "FIRST_ROWS", 4)
    monkeypatch.setattr(contents, "MAX_ROWS", 7)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_copy_goes_on_also_when_the_source_has_changed(small, backend, tmp_path, paged):
    with new_store(backend, tmp_path) as url:
        for rows in (0, 10, 40, 100):
            with pytest.raises(KeyboardInterrupt):
                copy(small, url, progress=cut_after(rows))
            with pytest.raises(errors.SchemaMismatch, match="same command again"):
                Contents(url)
        with closing(EmbeddedTransport(small)) as transport:
            call = Call(transport, dict)
            [one, two] = call.get("artifact", 33, 34)
            one.name, two.name = two.name, one.name  # what was copied would be in the way
            transport.call("PutArtifacts", service.PutArtifactsRequest(artifacts=[one, two]))
            call.put("artifact", {"type_id": 10, "name": "new"})
        execute(small, "DELETE FROM cache_hits")
        copied = copy(small, url, verify=True)
        assert copied.is_resumed
        assert rows_of(url) == rows_of(small)


@pytest.mark.parametrize("after", ["take back", "insert"])
def test_a_copy_that_is_cut_while_it_goes_on(small, tmp_path, paged, monkeypatch, after):
    url = f"sqlite:///{tmp_path}/target.db"
    with pytest.raises(KeyboardInterrupt):
        copy(small, url, progress=cut_after(100))
    execute(small, "UPDATE artifacts SET recorded_at = recorded_at + 1 WHERE id IN (2, 9, 30)")
    execute(small, "UPDATE cache_claims SET token = 7")
    calls, insert = count(), copying.insert
    least = 0 if after == "take back" else 2
    with monkeypatch.context() as patch:
        patch.setattr(
            copying, "insert", lambda *a, **k: insert(*a, **k) if next(calls) < least else 1 // 0
        )
        with pytest.raises(ZeroDivisionError):
            copy(small, url)
    assert copy(small, url, verify=True).is_resumed
    assert rows_of(url) == rows_of(small)


def test_rows_that_were_not_copied_right_are_found(small, tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/target.db"
    damages = {
        "artifacts": "UPDATE artifacts SET uri = 'other' WHERE id = 3",
        "artifact_properties": "UPDATE artifact_properties SET int_value = 5 WHERE name = 'p10'",
        "cache_components": "DELETE FROM cache_components",
    }
    for table, damage in damages.items():
        with monkeypatch.context() as patch:
            patch.setattr(copying, "check_counts", lambda *_, sql=damage: execute(url, sql))
            with pytest.raises(errors.DataLoss, match=f"of {table} "):
                copy(small, url, verify=True)
        for name in ("target.db", "target.db-wal", "target.db-shm"):
            (tmp_path / name).unlink(missing_ok=True)


def test_source_and_target_must_differ(source, tmp_path):
    for same in (source, source.replace("sqlite:///", "sqlite:////.")):
        with pytest.raises(errors.InvalidArgument, match="same database"):
            copy(source, same)


def test_a_target_that_holds_something_is_left_alone(small, tmp_path):
    url = f"sqlite:///{tmp_path}/target.db"
    fill(url, rows=1)
    before = rows_of(url)
    with pytest.raises(errors.FailedPrecondition, match=r"the target: .* must be empty"):
        copy(small, url)
    assert rows_of(url) == before


def test_a_target_that_is_half_filled_from_elsewhere(small, tmp_path):
    other, url = f"sqlite:///{tmp_path}/other.db", f"sqlite:///{tmp_path}/target.db"
    fill(other, rows=1)
    with pytest.raises(KeyboardInterrupt):
        copy(other, url, progress=cut_after(1))
    with pytest.raises(errors.FailedPrecondition, match="half-filled from another source"):
        copy(small, url)
    with pytest.raises(errors.SchemaMismatch, match=r"the source: .* has not ended"):
        copy(url, f"sqlite:///{tmp_path}/third.db")
    assert not (tmp_path / "third.db").exists()


@pytest.mark.parametrize(
    ("revision", "text"), [("0001", "db upgrade"), ("9999", "newer lineage-store")]
)
def test_other_revisions(small, tmp_path, revision, text):
    other = f"sqlite:///{tmp_path}/other.db"
    fill(other, rows=1)
    execute(other, f"UPDATE {schema.REVISION_TABLE} SET version_num = ?", revision)
    with pytest.raises(errors.SchemaMismatch, match=f"the source: .*{text}"):
        copy(other, f"sqlite:///{tmp_path}/third.db")
    with pytest.raises(errors.SchemaMismatch, match=f"the target: .*{text}"):
        copy(small, other)


def test_places_that_can_not_be_used(small, tmp_path):
    no_file = f"sqlite:///{tmp_path}/missing.db"
    with pytest.raises(errors.Unavailable, match=r"the source: .*does it exist"):
        copy(no_file, f"sqlite:///{tmp_path}/third.db")
    with pytest.raises(errors.Unavailable, match=r"the target: .*can't be opened"):
        copy(small, f"sqlite:///{tmp_path}/no/directory.db")
    (tmp_path / "empty.db").touch()
    with pytest.raises(errors.FailedPrecondition, match=r"the target: .*read"):
        copy(small, f"sqlite:///{tmp_path}/empty.db?mode=ro")
    with pytest.raises(errors.FailedPrecondition, match=r"the source: .*empty"):
        copy(f"sqlite:///{tmp_path}/empty.db", no_file)
    for source, target in (("sqlite://", no_file), (small, "sqlite://")):
        with pytest.raises(errors.InvalidArgument, match="in memory"):
            copy(source, target)
    assert not (tmp_path / "missing.db").exists()


def test_a_full_disk(small, tmp_path, monkeypatch):
    """A copy that ran out of room goes on when there is room again."""
    url = f"sqlite:///{tmp_path}/target.db"
    connect = sqlite.SqliteDriver.connect

    def with_little_room(driver):
        raw = connect(driver)
        if driver.path.name == "target.db":
            raw.execute("PRAGMA max_page_count = 120")
        return raw

    with monkeypatch.context() as patch:
        patch.setattr(sqlite.SqliteDriver, "connect", with_little_room)
        with pytest.raises(errors.ResourceExhausted, match=r"disk .* is full"):
            copy(small, url)
    assert copy(small, url, verify=True).is_resumed
    assert rows_of(url) == rows_of(small)


def test_every_table_is_content_or_known_not_to_be():
    """A new table is copied and archived, unless someone decides that it must not be."""
    content = {table.name for table in contents.content_tables()}
    assert content.isdisjoint(contents.INDEXES | contents.NOT_CONTENT)
    assert content | contents.INDEXES | contents.NOT_CONTENT == set(tables.metadata.tables)


def test_pages_are_cut_by_their_bytes(tmp_path):
    url = f"sqlite:///{tmp_path}/large.db"
    with closing(EmbeddedTransport(url)) as transport:
        call = Call(transport, dict)
        type_id = call.type()
        for _ in range(10):
            call.put("artifact", *({"type_id": type_id, "uri": "u" * 100_000} for _ in range(50)))
    with Contents(url) as store:
        sizes = [
            contents.size_of(page)
            for page in contents.pages(store.connection, tables.nodes[ARTIFACT])
        ]
    assert len(sizes) > 20
    assert max(sizes) < 4 * contents.PAGE_BYTES


def test_a_row_that_the_target_can_not_hold_is_named(small, tmp_path):
    """PostgreSQL keeps NUL as two characters, so a long name of nothing else does not fit."""
    with closing(EmbeddedTransport(small)) as transport:
        [node] = Call(transport, dict).put("artifact", {"type_id": 10, "name": "\0" * 400})
    with new_store("postgresql", tmp_path) as url:
        for _ in range(2):
            with pytest.raises(errors.InvalidArgument, match=f"the row id={node} of artifacts"):
                copy(small, url)
        execute(small, "DELETE FROM artifacts WHERE id = ?", node)
        assert copy(small, url, verify=True).is_resumed


@pytest.mark.parametrize("backend", BACKENDS)
def test_pages_with_many_properties(small, backend, tmp_path):
    with closing(EmbeddedTransport(small)) as transport:
        properties = {f"p{at}": at for at in range(5)}
        nodes = [{"type_id": 10, "custom_properties": properties}] * 2_500
        Call(transport, dict).put("artifact", *nodes)
    with new_store(backend, tmp_path) as url:
        copy(small, url, verify=True)
        assert rows_of(url) == rows_of(small)
        assert check(url).findings.kept_findings == []
