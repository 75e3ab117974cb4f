"""Databases that are servers: they go away and come back, and they say why they refuse."""

from contextlib import closing, contextmanager
from urllib.parse import urlsplit

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
    return [each.name for each in answer.artifact_types]


def cut_postgresql():
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    with closing(psycopg.connect(postgresql.server_uri(), autocommit=True)) as connection:
        return len(connection.execute(f"{query} AND application_name = 'lineage-store'").fetchall())


def cut_mariadb():
    with closing(mariadb.connect(mariadb.port())) as connection, connection.cursor() as cursor:
        query = "SELECT id FROM information_schema.processlist WHERE db LIKE 'store_%'"
        cursor.execute(query)
        connections = cursor.fetchall()
        for (number,) in connections:
            cursor.execute(f"KILL {number}")
        return len(connections)


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


@contextmanager
def weak_user_of_postgresql():
    """Give the URL of a store as it is for a user who may not change anything."""
    with postgresql.new_store() as url:
        Engine(url).close()
        admin = psycopg.connect(url, autocommit=True)
        with closing(admin):
            [name] = admin.execute("SELECT current_schema()").fetchone()
            admin.execute("CREATE ROLE weak LOGIN PASSWORD 'secret'")
            admin.execute(f"GRANT USAGE ON SCHEMA {name} TO weak")
            admin.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO weak")
            try:
                parts = urlsplit(url)
                place = parts.netloc.rpartition("@")[2]
                yield parts._replace(netloc=f"weak:secret@{place}").geturl()
            finally:
                admin.execute("DROP OWNED BY weak")
                admin.execute("DROP ROLE weak")


@contextmanager
def weak_user_of_mariadb():
    """Give the URL of a store as it is for a user who may not change anything."""
    with mariadb.new_store() as url, closing(mariadb.connect(mariadb.port())) as admin:
        Engine(url).close()
        cursor = admin.cursor()
        cursor.execute("CREATE USER weak IDENTIFIED BY 'secret'")
        cursor.execute(f"GRANT SELECT ON {url.rpartition('/')[2]}.* TO weak")
        try:
            yield url.replace("root@", "weak:secret@")
        finally:
            cursor.execute("DROP USER weak")


@pytest.mark.parametrize("weak_user", [weak_user_of_postgresql, weak_user_of_mariadb])
def test_a_user_without_rights_reads_but_may_not_write(weak_user):
    with weak_user() as url, closing(Engine(url)) as engine:
        assert names(engine) == []
        with pytest.raises(errors.PermissionDenied, match="grant"):
            put_type(engine, "T")
        assert names(engine) == []


def test_a_read_only_postgresql_says_so():
    with postgresql.new_store() as url:
        Engine(url).close()
        with closing(Engine(f"{url}%20-cdefault_transaction_read_only%3Don")) as engine:
            assert names(engine) == []
            with pytest.raises(errors.FailedPrecondition, match="read-only"):
                put_type(engine, "T")


def test_a_read_only_mariadb_says_so():
    with mariadb.new_store() as url, closing(mariadb.connect(mariadb.port())) as admin:
        Engine(url).close()
        cursor = admin.cursor()
        cursor.execute("CREATE USER reader")
        cursor.execute("GRANT ALL ON *.* TO reader")  # but not to write to a read-only server
        cursor.execute("REVOKE SUPER, READ_ONLY ADMIN ON *.* FROM reader")
        cursor.execute("SET GLOBAL read_only = ON")
        try:
            with closing(Engine(url.replace("root@", "reader@"))) as engine:
                assert names(engine) == []
                with pytest.raises(errors.FailedPrecondition, match="read-only"):
                    put_type(engine, "T")
            several = url.replace("root@", "reader@").replace("127.0.0.1", "127.0.0.1:1,127.0.0.1")
            with pytest.raises(errors.Unavailable):  # none of the hosts takes writes
                Engine(several)
        finally:
            cursor.execute("SET GLOBAL read_only = OFF")
            cursor.execute("DROP USER reader")
