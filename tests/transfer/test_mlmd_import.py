"""A database that the real ML Metadata wrote becomes a store that answers as ML Metadata does."""

from contextlib import closing

from lineage_store.database.checks.checking import check
from lineage_store.transfer.mlmd.findings import Findings
from lineage_store.transfer.mlmd.importing import import_mlmd
from lineage_store.transfer.mlmd.verifying import verify_mlmd
from tests.transfer.answers import ImportedStore, assert_same, real_on

NODES = 300


def imported(database, url):
    findings = Findings()
    report = import_mlmd(database.url, url, findings)
    assert findings.shown == []
    return report


def test_the_store_answers_as_ml_metadata_does_on_its_own_database(mlmd_database, store_url):
    mlmd_database.populate(NODES)
    report = imported(mlmd_database, store_url)
    assert report.stored["artifacts"] == NODES // 2
    assert report.stored["events"] == NODES
    with real_on(mlmd_database) as real, closing(ImportedStore(store_url)) as ours:
        ordered = not mlmd_database.url.startswith("postgresql")
        assert assert_same(real, ours, ordered=ordered) > 300
    verified = verify_mlmd(mlmd_database.url, store_url)
    assert verified.differing == 0
    assert verified.compared == report.stored


def test_every_database_can_take_it_in(sqlite_mlmd, any_store):
    sqlite_mlmd.populate(NODES)
    report = imported(sqlite_mlmd, any_store)
    assert verify_mlmd(sqlite_mlmd.url, any_store).compared == report.stored
    assert check(any_store).findings.kept_findings == []
    with real_on(sqlite_mlmd) as real, closing(ImportedStore(any_store)) as ours:
        assert_same(real, ours)
