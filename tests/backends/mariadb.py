"""A real MariaDB for the tests: one server a worker, one database a store."""

import atexit
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import pymysql
import pytest

from tests.backends.places import new_home
from tests.backends.reuse import StorePool

_numbers = count(1)
START_SECONDS = 60


def skip_or_fail(reason: str) -> None:
    """Skip, or fail where the tests are told to demand MariaDB."""
    if "mariadb" in os.environ.get("LINEAGE_REQUIRE", "").split(","):
        pytest.fail(f"MariaDB is required: {reason}")
    pytest.skip(f"no MariaDB: {reason}")


def free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def program(name: str) -> str:
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")
    if path is None:
        skip_or_fail(f"{name} is not installed")
    return str(path)


def user() -> list[str]:
    """Return the option that names who runs the server: it refuses to run as root."""
    return ["--user=mysql"] if os.geteuid() == 0 else []


def give_to_server(home: Path) -> None:
    """Let the unprivileged user who runs the server own a directory."""
    if os.geteuid() == 0:
        owner = pwd.getpwnam("mysql")
        for path in (home, *home.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid)


def install(home: Path) -> None:
    """Make the system tables of a server in `home`/data."""
    home.mkdir(exist_ok=True)
    # Of two installations at once in one directory for temporary files, one fails.
    (home / "tmp").mkdir()
    give_to_server(home)
    program_and_places = [
        program("mariadb-install-db"),
        "--no-defaults",
        f"--datadir={home}/data",
        f"--tmpdir={home}/tmp",
    ]
    command = [*program_and_places, *user()]
    process = subprocess.run(
        [*command, "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stdout + process.stderr


@lru_cache(maxsize=1)
def port() -> int:
    """Return the port of a running server, which ends with the process."""
    server = program("mariadbd")
    home = new_home("mariadb")
    install(home)
    common = ["--no-defaults", f"--datadir={home}/data", *user()]
    number = free_port()
    options = [
        f"--port={number}",
        "--bind-address=127.0.0.1",
        f"--socket={home}/socket",
        f"--pid-file={home}/pid",
        "--innodb-flush-log-at-trx-commit=2",  # the tests need no durability
        "--max-allowed-packet=256M",
        "--skip-name-resolve",
    ]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [server, *common, *options], stdout=subprocess.DEVNULL, stderr=log
        )
    atexit.register(_stop, process, home)
    _wait(number, process, home)
    return number


def _wait(number: int, process: "subprocess.Popen[bytes]", home: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            connect(number).close()
        except pymysql.MySQLError:
            log = (home / "log").read_text()[-2000:]
            assert process.poll() is None, f"MariaDB ended: {log}"
            assert time.monotonic() < deadline, f"MariaDB does not answer: {log}"
            time.sleep(0.1)
        else:
            return


def _stop(process: "subprocess.Popen[bytes]", home: Path) -> None:
    process.kill()
    process.wait(10)
    shutil.rmtree(home, ignore_errors=True)


def connect(number: int, database: str | None = None) -> Any:
    return pymysql.connect(
        host="127.0.0.1",
        port=number,
        user="root",
        database=database,
        autocommit=True,
        ssl_disabled=True,  # to load the system's certificates takes longer than the rest
    )


@contextmanager
def new_store() -> Iterator[str]:
    """Give the URL of an empty store of its own."""
    number, name = port(), f"store_{next(_numbers)}"
    with closing(connect(number)) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            yield f"mysql://root@127.0.0.1:{number}/{name}"
        finally:
            cursor.execute(f"DROP DATABASE {name}")


def _create() -> str:
    number, name = port(), f"store_{next(_numbers)}"
    with closing(connect(number)) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    return f"mysql://root@127.0.0.1:{number}/{name}"


def connect_to_store(number: int, url: str) -> pymysql.connections.Connection:
    """Open a connection to the database of a store, which commits nothing itself."""
    connection = connect(number, url.rpartition("/")[2])
    connection.autocommit(value=False)
    return connection


@contextmanager
def taking_packets(size: int) -> Iterator[None]:
    """Let the server take packets of so many bytes from connections that are opened meanwhile."""
    with closing(connect(port())) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@GLOBAL.max_allowed_packet")
        before = cursor.fetchone()[0]
        cursor.execute(f"SET GLOBAL max_allowed_packet = {size}")
        try:
            yield
        finally:
            cursor.execute(f"SET GLOBAL max_allowed_packet = {before}")


def rows(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table of a store."""
    return rows_at(port(), url.rpartition("/")[2])


def rows_at(number: int, database: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table of a database on a server."""
    with closing(connect(number, database)) as connection:
        cursor = connection.cursor()
        cursor.execute("SHOW TABLES")
        return {name: _rows(cursor, name) for (name,) in cursor.fetchall()}


def _rows(cursor: Any, name: str) -> list[tuple[Any, ...]]:
    cursor.execute(f"SELECT * FROM `{name}`")
    return sorted(cursor.fetchall(), key=repr)


pool = StorePool(_create, lambda url: connect_to_store(port(), url), rows)
