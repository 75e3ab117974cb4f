"""A transaction that another server was in the way of, or whose connection was lost, runs again.

The conflicts are injected, into a driver of a local file that claims to be of a server.
"""

from contextlib import closing

import psycopg
import pymysql
import pytest

from lineage_store import errors
from lineage_store.database.commits import BEFORE_ALL
from lineage_store.database.connection import Connection
from lineage_store.database.database import Database
from lineage_store.database.drivers.mysql import MysqlDriver
from lineage_store.database.drivers.postgresql import PostgresqlDriver
from lineage_store.database.group_commit import WriteRequest
from lineage_store.database.ids import BLOCK
from lineage_store.kinds import ARTIFACT as KIND
from lineage_store.limits import Limits


@pytest.fixture
def database(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/store.db"
    with closing(Database(url, Limits(patience_seconds=0.3))) as opened:
        monkeypatch.setattr(opened._driver, "is_remote", True, raising=False)
        yield opened


def failing(monkeypatch, method, times, error=errors.Aborted, *, afterwards=False):
    """Let a method of the connection fail some times, before or after it did its work."""
    original, calls = getattr(Connection, method), []

    def fails(self, *args, **kwargs):
        calls.append(method)
        if len(calls) > times:
            return original(self, *args, **kwargs)
        if afterwards:
            original(self, *args, **kwargs)
        raise error("a conflict")

    monkeypatch.setattr(Connection, method, fails)
    return calls


def add(tx):
    tx.members.add(KIND, [(1, 2)])
    return "done"


@pytest.mark.parametrize("error", [errors.Aborted, errors.Unavailable])
@pytest.mark.parametrize("method", ["begin", "_fetch", "insert", "commit"])
def test_it_runs_again_and_is_written_once(database, monkeypatch, method, error):
    database.write(lambda tx: tx.members.add(KIND, [(3, 4)]))  # the process has its row
    calls = failing(monkeypatch, method, times=2, error=error)

    def job(tx):
        assert tx.types.read(1) is not None  # a request meets the conflict itself
        return add(tx)

    assert database.write(job) == "done"
    assert len(calls) >= 3
    assert stored(database) == [(1, 2), (3, 4)]


@pytest.mark.parametrize("error", [errors.Aborted, errors.Unavailable])
@pytest.mark.parametrize("method", ["begin", "_fetch"])
def test_a_read_runs_again(database, monkeypatch, method, error):
    calls = failing(monkeypatch, method, times=2, error=error)
    assert database.read(lambda snapshot: snapshot.types.by_ids([1]))[1].message.id == 1
    assert len(calls) >= 3


def test_a_conflict_that_does_not_end_reaches_the_caller(database, monkeypatch):
    failing(monkeypatch, "commit", times=100)
    with pytest.raises(errors.Aborted, match="conflict"):
        database.write(add)
    assert stored(database) == []


def test_a_commit_that_took_place_is_not_repeated_though_its_answer_was_lost(database, monkeypatch):
    calls = failing(monkeypatch, "commit", 1, errors.Unavailable, afterwards=True)
    runs = []

    def job(tx):
        runs.append(tx)
        return add(tx)

    assert database.write(job) == "done"
    assert len(calls) == len(runs) == 1
    assert stored(database) == [(1, 2)]
    assert database.write(lambda tx: tx.members.add(KIND, [(5, 6)])) is None
    assert stored(database) == [(1, 2), (5, 6)]


def test_requests_refused_in_a_commit_whose_answer_was_lost_stay_refused(database, monkeypatch):
    def refuse(tx):
        raise errors.NotFound("no such thing")

    failing(monkeypatch, "commit", 1, errors.Unavailable, afterwards=True)
    group = [WriteRequest(add), WriteRequest(refuse)]
    database._writer.run(group)
    assert group[0].result == "done"
    assert isinstance(group[1].error, errors.NotFound)


def test_a_commit_whose_outcome_stays_unknown_is_said_to_be_so(database, monkeypatch):
    calls = failing(monkeypatch, "commit", 1, errors.Unavailable, afterwards=True)
    failing(monkeypatch, "begin", 100, errors.Unavailable)
    monkeypatch.setattr(database._writer, "_begin", begin_once(database))
    with pytest.raises(errors.Unavailable, match="look whether the write took place"):
        database.write(add)
    assert len(calls) == 1


def begin_once(database):
    """Return a `_begin` that works the first time: the database goes away at the commit."""
    calls = []

    def begin():
        calls.append(1)
        if len(calls) > 1:
            raise errors.Unavailable("away")
        database._writer._raw.execute("BEGIN IMMEDIATE")
        return 0, BEFORE_ALL

    return begin


def test_ids_of_a_transaction_that_failed_are_never_given_out_again(database, monkeypatch):
    failing(monkeypatch, "commit", times=1)

    def take(tx):
        tx.members.add(KIND, [(1, 2)])
        return tx.new_id("artifacts")

    first = database.write(take)
    assert first in {1, BLOCK + 1}  # its block was rolled back with it, or is lost
    assert database.write(take) == first + 1


def stored(database):
    rows = database._writer._raw.execute("SELECT context_id, artifact_id FROM attributions")
    return sorted(rows.fetchall())


class Flawed:
    """A connection of a driver whose next COMMIT raises an error of another driver."""

    def __init__(self, raw, error):
        self._raw = raw
        self._errors = [error]

    def commit(self):
        if self._errors:
            raise self._errors.pop()
        self._raw.commit()

    def __getattr__(self, name):
        return getattr(self._raw, name)


CONFLICTS = [
    (PostgresqlDriver, psycopg.errors.SerializationFailure()),  # 40001
    (PostgresqlDriver, psycopg.errors.DeadlockDetected()),  # 40P01
    (PostgresqlDriver, psycopg.errors.LockNotAvailable()),  # 55P03
    (PostgresqlDriver, psycopg.errors.AdminShutdown()),  # 57P01
    *((MysqlDriver, pymysql.OperationalError(number, "x")) for number in (1213, 1205, 1020)),
    *((MysqlDriver, pymysql.OperationalError(number, "x")) for number in (1047, 1180, 2006, 2013)),
    (MysqlDriver, pymysql.InterfaceError(0, "")),
]


@pytest.mark.parametrize(
    ("driver", "error"), CONFLICTS, ids=lambda x: repr(x) if isinstance(x, Exception) else ""
)
def test_each_error_of_a_driver_that_means_a_lost_transaction(database, monkeypatch, driver, error):
    monkeypatch.setattr(database._driver, "translate", driver.translate, raising=False)
    writer = database._writer
    writer.connection = Connection(Flawed(writer._raw, error), database._driver)
    runs = []

    def job(tx):
        runs.append(tx)
        return add(tx)

    assert database.write(job) == "done"
    assert len(runs) == 2
    assert stored(database) == [(1, 2)]


@pytest.mark.parametrize(
    ("driver", "error"),
    [
        (PostgresqlDriver, psycopg.errors.DiskFull()),
        (PostgresqlDriver, psycopg.errors.ReadOnlySqlTransaction()),
        (MysqlDriver, pymysql.OperationalError(1114, "x")),
        (MysqlDriver, pymysql.OperationalError(1290, "x")),
    ],
)
def test_other_errors_of_a_driver_are_told_at_once(database, monkeypatch, driver, error):
    monkeypatch.setattr(database._driver, "translate", driver.translate, raising=False)
    writer = database._writer
    writer.connection = Connection(Flawed(writer._raw, error), database._driver)
    with pytest.raises((errors.ResourceExhausted, errors.FailedPrecondition)):
        database.write(add)
    assert stored(database) == []
