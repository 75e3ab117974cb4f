"""Moving large rows: they arrive, or are named together with the limit of the target."""

import sqlite3
from contextlib import closing

import pytest

from lineage_store import errors
from lineage_store.client.embedded import EmbeddedTransport
from lineage_store.database.bulk import store_contents as contents
from lineage_store.database.bulk.store_contents import Contents
from lineage_store.database.drivers.mysql_statements import max_row_bytes
from lineage_store.database.mlmd.source import MlmdSource
from lineage_store.kinds import ARTIFACT
from lineage_store.transfer.copying import copy
from lineage_store.transfer.dumping import dump
from lineage_store.transfer.json_lines import MAX_HEADER
from lineage_store.transfer.loading import load
from lineage_store.transfer.mlmd.exporting import export_mlmd
from lineage_store.transfer.mlmd.findings import Findings
from lineage_store.transfer.mlmd.importing import import_mlmd
from lineage_store.transfer.mlmd.verifying import verify_mlmd
from tests.backends import mariadb
from tests.backends.proxy import proxy
from tests.conformance.conftest import Call
from tests.transfer.stores import BACKENDS, new_store, rows_of

MIB = 1024 * 1024
MB = 1_000_000
PACKET = MIB
LARGEST = max_row_bytes(PACKET)


@pytest.fixture
def target():
    """An empty store on a MariaDB that takes packets of 1 MiB."""
    with mariadb.new_store() as url, mariadb.taking_packets(PACKET):
        yield url


def fill(url, *sizes):
    with closing(EmbeddedTransport(url)) as transport:
        call = Call(transport, dict)
        type_id = call.type()
        for size in sizes:
            call.put("artifact", {"type_id": type_id, "custom_properties": {"c": "y" * size}})


@pytest.fixture
def fitting(tmp_path):
    """A store whose rows all fit into the target."""
    url = f"sqlite:///{tmp_path}/fitting.db"
    fill(url, 10, LARGEST - 1_000, *[300_000] * 12, 10)
    return url


@pytest.fixture
def large(tmp_path):
    """A store with a row that does not fit."""
    url = f"sqlite:///{tmp_path}/large.db"
    fill(url, 10, 2 * MB, 300_000)
    return url


def test_a_copy_of_large_rows(fitting, target):
    copy(fitting, target, verify=True)
    assert rows_of(target) == rows_of(fitting)


def test_an_archive_of_large_rows(fitting, target, tmp_path):
    dump(fitting, tmp_path / "a.jsonl")
    load(tmp_path / "a.jsonl", target)
    assert rows_of(target) == rows_of(fitting)


NAMED = r"can't hold the row id=2 of artifacts: .* 200\d{4} bytes .*max_allowed_packet is 1048576"


def test_a_copy_names_the_row_that_does_not_fit(large, target):
    with pytest.raises(errors.InvalidArgument, match=NAMED):
        copy(large, target)


def test_a_load_names_the_row_that_does_not_fit(large, target, tmp_path):
    dump(large, tmp_path / "a.jsonl")
    with pytest.raises(errors.InvalidArgument, match=NAMED):
        load(tmp_path / "a.jsonl", target)


def test_a_copy_that_a_proxy_cuts_says_how_large_the_statement_was(fitting):
    with mariadb.new_store() as url, proxy(mariadb.port(), 2 * MIB) as (port, _):
        large = url.replace(f":{mariadb.port()}/", f":{port}/")
        with pytest.raises(errors.FailedPrecondition, match=r"during a statement of 4\d{6} bytes"):
            copy(fitting, large)
        copy(fitting, large.replace(f":{port}/", f":{mariadb.port()}/"))


def test_an_export_leaves_out_what_does_not_fit(large, target):
    findings = Findings()
    report = export_mlmd(large, target, findings)
    assert report.stored["artifacts"] == 3
    message = f"artifact 2, custom property 'c': is longer than {LARGEST}; it is left out"
    assert list(map(str, findings.shown)) == [message]
    with closing(MlmdSource(target)) as source:
        nodes = source.nodes(ARTIFACT, 0)
    assert [len(node.properties) for node in nodes] == [1, 0, 1]


def damaged_by_size(large, tmp_path, *sizes):
    """Return a database of ML Metadata whose artifacts have properties of some sizes."""
    path = tmp_path / "mlmd.db"
    export_mlmd(large, f"sqlite:///{path}", Findings())
    insert = (
        "INSERT INTO ArtifactProperty (artifact_id, name, is_custom_property, string_value) "
        "VALUES (?, ?, 1, ?)"
    )
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM ArtifactProperty")
        for artifact, (name, size) in enumerate(sizes, 1):
            connection.execute(insert, (artifact, name, "y" * size))
            connection.execute(insert, (artifact, "small", "z"))
        connection.commit()
    return f"sqlite:///{path}"


def test_an_import_leaves_out_the_properties_for_which_there_is_no_room(large, target, tmp_path):
    url = damaged_by_size(large, tmp_path, ("a", 10), ("b", 2 * MB), ("c", LARGEST - 1_000))
    findings = Findings()
    report = import_mlmd(url, target, findings)
    assert report.stored["artifacts"] == 3
    [finding] = map(str, findings.shown)
    assert finding.startswith("artifact 2, custom property 'b': has 200000")
    assert finding.endswith(f"the target takes {LARGEST} in one row; it is left out")
    verify_mlmd(url, target).demand_equal()
    with closing(EmbeddedTransport(target)) as transport:
        artifacts = Call(transport, dict).get("artifact", 1, 2, 3)
    assert [sorted(node.custom_properties) for node in artifacts] == [
        ["a", "small"],
        ["small"],
        ["c", "small"],
    ]


@pytest.mark.parametrize("backend", BACKENDS)
def test_pages_of_rows_are_bounded_by_bytes(backend, tmp_path):
    with new_store(backend, tmp_path) as url:
        fill(url, *[10] * 70, *[1_500_000] * 5, *[10] * 5, 9 * MB, 9 * MB, 10)
        with Contents(url) as store:
            pages = list(contents.pages(store.connection, _artifacts()))
        sizes = [contents.size_of(page) for page in pages]
        assert [row[0] for page in pages for row in page] == list(range(1, 84))
        assert all(
            len(page) == 1 or size < contents.PAGE_BYTES + 64 * 1024
            for page, size in zip(pages, sizes, strict=True)
        )


def _artifacts():
    return next(table for table in contents.content_tables() if table.name == "artifacts")


def test_a_file_without_lines_is_refused_by_its_beginning(tmp_path):
    path = tmp_path / "zeros.jsonl"
    with path.open("wb") as file:
        file.truncate(100 * MAX_HEADER)
    with pytest.raises(errors.InvalidArgument, match="line 1: it is no header of an archive"):
        load(path, f"sqlite:///{tmp_path}/target.db")
