"""A transaction that another server was in the way of is run again, also when COMMIT says so."""

from contextlib import closing

import pytest

from lineage_store import errors
from lineage_store.database.connection import Connection
from lineage_store.database.database import Database
from lineage_store.database.ids import BLOCK
from lineage_store.kinds import ARTIFACT as KIND


@pytest.fixture
def database(tmp_path, monkeypatch):
    with closing(Database(f"sqlite:///{tmp_path}/store.db")) as opened:
        monkeypatch.setattr(opened._driver, "retries", 3, raising=False)
        yield opened


def failing(monkeypatch, method, times, error=errors.Aborted):
    """Let a method of the connection fail some times; return how often it was called."""
    original, calls = getattr(Connection, method), []

    def fails(self, *args, **kwargs):
        calls.append(method)
        if len(calls) <= times:
            raise error("a conflict")
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Connection, method, fails)
    return calls


@pytest.mark.parametrize("method", ["begin", "insert", "commit"])
def test_a_conflict_is_retried_and_written_once(database, monkeypatch, method):
    calls = failing(monkeypatch, method, times=2)
    moments = [database.write(lambda tx: tx.members.add(KIND, 1, 2))]
    assert moments == [None]
    assert len(calls) >= 3
    assert stored(database) == [(1, 2)]


def test_a_conflict_that_does_not_end_reaches_the_caller(database, monkeypatch):
    failing(monkeypatch, "commit", times=100)
    with pytest.raises(errors.Aborted):
        database.write(lambda tx: tx.members.add(KIND, 1, 2))
    assert stored(database) == []


def test_a_commit_whose_outcome_is_unknown_is_not_repeated(database, monkeypatch):
    calls = failing(monkeypatch, "commit", times=1, error=errors.Unavailable)
    with pytest.raises(errors.Unavailable):
        database.write(lambda tx: tx.members.add(KIND, 1, 2))
    assert len(calls) == 1


def test_ids_of_a_transaction_that_failed_are_never_given_out_again(database, monkeypatch):
    failing(monkeypatch, "commit", times=1)

    def take(tx):
        tx.members.add(KIND, 1, 2)
        return tx.new_id("artifacts")

    first = database.write(take)
    assert first in {1, BLOCK + 1}  # its block was rolled back with it, or is lost
    assert database.write(take) == first + 1


def stored(database):
    rows = database._raw_writer.execute("SELECT context_id, artifact_id FROM attributions")
    return rows.fetchall()
