"""Databases of schema 8 and 9, which ML Metadata 1.7 to 1.10 wrote, are read as well."""

import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from lineage_store import connect
from lineage_store.transfer.mlmd.findings import Findings
from lineage_store.transfer.mlmd.importing import import_mlmd
from lineage_store.transfer.mlmd.verifying import verify_mlmd
from tests import real_mlmd
from tests.transfer.answers import ImportedStore, assert_same, real_on
from tests.transfer.mlmd_databases import WAYS

DOWNGRADE = Path(__file__).with_name("mlmd_downgrade.py")


def downgrade(database, version):
    command = [str(real_mlmd.python()), str(DOWNGRADE), database.config, str(version)]
    subprocess.run(command, check=True, capture_output=True)


# ML Metadata knew no PostgreSQL before schema 10.
@pytest.mark.parametrize("way", [WAYS["sqlite"], WAYS["mariadb"]])
@pytest.mark.parametrize("version", [8, 9])
def test_an_older_database_is_taken_in(way, version, store_url, tmp_path):
    with way(tmp_path) as database:
        database.populate(100)
        downgrade(database, version)
        check(database, version, store_url)


def check(database, version, store_url):
    findings = Findings()
    report = import_mlmd(database.url, store_url, findings)
    assert report.schema_version == version
    # The downgrade leaves the rows of what only schema 10 can hold.
    assert {finding.message for finding in findings.shown} == {"has no value"}
    verify_mlmd(database.url, store_url).demand_equal()
    with connect(store_url) as store:
        artifacts = list(store.iter_artifacts())
        assert len(artifacts) == report.stored["artifacts"] == 50
        has_external_ids = any(artifact.external_id for artifact in artifacts)
        assert has_external_ids is (version == 9)


def test_it_is_what_ml_metadata_makes_of_it(sqlite_mlmd, store_url):
    """ML Metadata upgrades the same database, without the rows that it then can't read."""
    sqlite_mlmd.populate(100)
    downgrade(sqlite_mlmd, 9)
    with closing(sqlite_mlmd.connect()) as connection:
        for kind in ("Artifact", "Execution", "Context"):
            connection.execute(
                f"DELETE FROM {kind}Property WHERE int_value IS NULL AND double_value IS NULL "
                "AND string_value IS NULL"
            )
        connection.commit()
    import_mlmd(sqlite_mlmd.url, store_url, Findings())
    with real_on(sqlite_mlmd) as real, closing(ImportedStore(store_url)) as ours:
        assert_same(real, ours)
