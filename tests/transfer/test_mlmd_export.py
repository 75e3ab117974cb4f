"""A store becomes a database from which the real ML Metadata answers as the store does."""

from contextlib import closing

import pytest

from lineage_store.transfer.mlmd_export import export_mlmd
from lineage_store.transfer.mlmd_import import import_mlmd
from lineage_store.transfer.mlmd_problems import Problems
from lineage_store.transfer.mlmd_verify import verify_mlmd
from tests.transfer.answers import ImportedStore, assert_same, real_on

NODES = 300


@pytest.fixture
def filled_store(sqlite_mlmd, store_url):
    """A store with everything that there can be; made from a database of ML Metadata."""
    sqlite_mlmd.populate(NODES)
    import_mlmd(sqlite_mlmd.url, store_url, Problems())
    return store_url


def exported(store_url, database):
    problems = Problems()
    done = export_mlmd(store_url, database.url, problems)
    assert problems.shown == []
    return done


def test_the_real_ml_metadata_answers_from_it_as_the_store_does(filled_store, mlmd_database):
    done = exported(filled_store, mlmd_database)
    assert done.stored["artifacts"] == NODES // 2
    assert done.stored["events"] == NODES
    with real_on(mlmd_database) as real, closing(ImportedStore(filled_store)) as ours:
        ordered = not mlmd_database.url.startswith("postgresql")
        assert assert_same(real, ours, ordered=ordered) > 300
    # And back: what is read from it is what was written.
    assert verify_mlmd(mlmd_database.url, filled_store).compared == done.stored
