"""Database URLs: their parts, and the faults of unusable ones."""

from importlib import metadata

import pymysql._auth
import pytest

from lineage_store import errors
from lineage_store.database.drivers import mysql_url
from lineage_store.database.drivers.mysql import MysqlDriver
from lineage_store.database.drivers.postgresql import PostgresqlDriver
from lineage_store.database.drivers.urls import driver_for


@pytest.mark.parametrize(
    ("places", "hosts"),
    [
        ("db", [("db", 3306)]),
        ("db:3307", [("db", 3307)]),
        ("a,b:1,c", [("a", 3306), ("b", 1), ("c", 3306)]),
        ("[::1]:3307,[fe80::1]", [("::1", 3307), ("fe80::1", 3306)]),
    ],
)
def test_hosts_of_mysql(places, hosts):
    parsed = mysql_url.parse(f"mysql://me:a%40b@{places}/lineage")
    assert list(parsed.hosts) == hosts
    assert parsed.arguments["user"] == "me"
    assert parsed.arguments["password"] == "a@b"
    assert parsed.arguments["database"] == "lineage"


def test_tls_and_socket_of_mysql():
    parsed = mysql_url.parse("mysql://me@db/x?ca=a.pem&cert=c.pem&key=k.pem").arguments
    tls = {name: value for name, value in parsed.items() if name.startswith("ssl")}
    files = {"ssl_ca": "a.pem", "ssl_cert": "c.pem", "ssl_key": "k.pem"}
    assert tls == files | {"ssl_verify_cert": True}
    parsed = mysql_url.parse("mysql://me@/x?unix_socket=/run/db")
    assert (parsed.hosts, parsed.arguments["unix_socket"]) == ((("localhost", 3306),), "/run/db")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://db",
        "mysql:///x",
        "mysql://me:secret@db:port/x",
        "mysql://me:secret@db:70000/x",
        "mysql://me:secret@[::1/x",
        "mysql://me:secret@db/x?cq=1",
        "mysql://me:secret@db/x#y",
        "postgresql://me:secret@db/x?sslmod=1",
        "sqlite://me:secret@db/x",
        "oracle://me:secret@db/x",
    ],
)
def test_a_malformed_url_is_refused_without_its_password(url):
    with pytest.raises(errors.InvalidArgument) as caught:
        driver_for(url)
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("scheme", ["mysql", "postgresql"])
def test_a_password_from_a_file(tmp_path, scheme):
    file = tmp_path / "a b"
    file.write_text("s3cr&t\r\nnot this\n")
    url = f"{scheme}://me@db/x?password_file={str(file).replace(' ', '%20')}"
    driver = driver_for(url)
    if isinstance(driver, MysqlDriver):
        assert driver._url.arguments["password"] == "s3cr&t"
    else:
        assert isinstance(driver, PostgresqlDriver)
        assert driver._password == {"password": "s3cr&t"}
        assert driver._url == "postgresql://me@db/x"


@pytest.mark.parametrize("content", [None, "", "\n", b"\xff"])
def test_a_password_file_that_holds_none(tmp_path, content):
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    for scheme in ("mysql", "postgresql"):
        with pytest.raises(errors.InvalidArgument, match="password file"):
            driver_for(f"{scheme}://me@db/x?password_file={file}")


def test_a_password_from_the_environment(monkeypatch):
    monkeypatch.setenv("MYSQL_PWD", "s3cret")
    assert mysql_url.parse("mysql://me@db/x").arguments["password"] == "s3cret"
    assert mysql_url.parse("mysql://me:other@db/x").arguments["password"] == "other"


def test_the_extra_for_mysql_can_send_passwords_without_tls():
    """Without encryption of the connection, MySQL 8 wants a password encrypted with RSA."""
    assert pymysql._auth._have_cryptography
    requirements = [r for r in metadata.requires("lineage-store") if r.startswith("pymysql")]
    assert all("[rsa]" in requirement for requirement in requirements)
    assert requirements
