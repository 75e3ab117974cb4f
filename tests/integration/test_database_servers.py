"""Databases that are servers: they go away and come back, and they say why they refuse."""

from contextlib import closing

import psycopg
import pytest

from lineage_store import errors
from lineage_store.database.database import Database
from lineage_store.engine import Engine
from lineage_store.v1 import metadata_service_pb2 as service
from tests.backends import mariadb, postgresql


def put_type(engine, name):
    request = service.PutArtifactTypeRequest()
    request.artifact_type.name = name
    return engine.call("PutArtifactType", request).type_id


def names(engine):
    answer = engine.call("GetArtifactTypes", service.GetArtifactTypesRequest())
    return [found.name for found in answer.artifact_types]


def cut_postgresql():
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    with closing(psycopg.connect(postgresql.server_uri(), autocommit=True)) as connection:
        return len(connection.execute(f"{query} AND application_name = 'lineage-store'").fetchall())


def cut_mariadb():
    with closing(mariadb.connect(mariadb.port())) as connection, connection.cursor() as cursor:
        query = "SELECT id FROM information_schema.processlist WHERE db LIKE 'store_%'"
        cursor.execute(query)
        found = cursor.fetchall()
        for (number,) in found:
            cursor.execute(f"KILL {number}")
        return len(found)


@pytest.mark.parametrize(
    ("backend", "cut"),
    [(postgresql, cut_postgresql), (mariadb, cut_mariadb)],
    ids=["pg", "mariadb"],
)
def test_a_database_that_was_restarted_is_found_again(backend, cut):
    with backend.new_store() as url, closing(Engine(url)) as engine:
        put_type(engine, "before")
        assert names(engine) == ["before"]
        assert cut() >= 1
        assert names(engine) == ["before"]
        assert cut() >= 1
        put_type(engine, "after")
        assert names(engine) == ["before", "after"]


def refused(url):
    with pytest.raises(errors.LineageError) as caught:
        Database(url)
    assert "secret" not in str(caught.value)
    return type(caught.value)


def test_why_postgresql_can_not_be_used():
    uri = postgresql.server_uri()
    assert refused(uri.replace("/postgres?", "/nowhere?")) is errors.FailedPrecondition
    assert (
        refused(f"postgresql://me:secret@127.0.0.1:{mariadb.free_port()}/x") is errors.Unavailable
    )
    assert refused("postgresql://me:secret@host/x?sslmod=1") is errors.InvalidArgument


def test_why_mariadb_can_not_be_used():
    port = mariadb.port()
    assert refused(f"mysql://root@127.0.0.1:{port}/nowhere") is errors.FailedPrecondition
    assert refused(f"mysql://me:secret@127.0.0.1:{port}/mysql") is errors.Unauthenticated
    assert refused(f"mysql://root@127.0.0.1:{port}/mysql") is errors.NotOurDatabase
    closed = mariadb.free_port()
    assert refused(f"mysql://me:secret@127.0.0.1:{closed}/x") is errors.Unavailable
    assert refused("mysql://me:secret@host") is errors.InvalidArgument
