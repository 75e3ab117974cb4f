"""A group of requests: who pays when the database or the writer fails."""

import sqlite3
from contextlib import closing

import pytest

from lineage_store import errors
from lineage_store.database.database import Database
from lineage_store.database.drivers import sqlite
from lineage_store.database.group_commit import GroupCommit, WriteRequest
from lineage_store.kinds import ARTIFACT
from lineage_store.limits import Limits
from lineage_store.v1 import metadata_pb2 as pb


def test_a_busy_database_is_waited_for_once_for_the_whole_group(tmp_path, monkeypatch):
    path = tmp_path / "store.db"
    with closing(Database(f"sqlite:///{path}", Limits(patience_seconds=0.1))) as database:
        begins = []
        begin = sqlite.SqliteDriver.begin
        monkeypatch.setattr(
            sqlite.SqliteDriver,
            "begin",
            lambda self, raw, *, write: begins.append(write) or begin(self, raw, write=write),
        )
        group = [WriteRequest(lambda tx: tx.new_id("artifacts")) for _ in range(5)]
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            database._run_group(group)
            other.execute("ROLLBACK")
        assert begins == [True]
        assert [type(entry.error) for entry in group] == [errors.Aborted] * 5
        assert len({id(entry.error) for entry in group}) == 5
        assert database.write(lambda tx: tx.new_id("artifacts")) == 1


def test_an_interrupt_is_raised_in_the_thread_that_leads_alone():
    def interrupted(group):
        raise KeyboardInterrupt

    queue = GroupCommit(interrupted)
    follower = WriteRequest(lambda tx: None)
    queue._queue.extend([WriteRequest(lambda tx: None), follower])
    with pytest.raises(KeyboardInterrupt):
        queue._lead()
    assert follower.is_done
    assert isinstance(follower.error, errors.Unknown)
    assert not queue._queue


def test_those_behind_a_request_that_the_database_refuses_are_written(tmp_path):
    def putting(node_id):
        node = pb.Artifact(id=node_id, type_id=1, name=f"n{node_id}")
        return WriteRequest(lambda tx: tx.nodes[ARTIFACT].create(node).message.id)

    with closing(Database(f"sqlite:///{tmp_path}/store.db")) as database:
        database._run_group([putting(7)])
        group = [putting(6), putting(7), putting(8), putting(9)]
        database._run_group(group)
        assert [type(entry.error) for entry in group] == [
            type(None),
            errors.Aborted,
            type(None),
            type(None),
        ]
        stored = database.read(lambda s: s.nodes_by_ids(ARTIFACT, range(1, 20)))
        assert len(stored) == 4
