"""Databases for the real ML Metadata, on each of the servers that it writes to."""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from tests import real_mlmd
from tests.backends import mariadb, postgresql

POPULATION = Path(__file__).with_name("mlmd_population.py")
USER = "mlmd"

_numbers = count(1)


@dataclass(frozen=True)
class MlmdDatabase:
    """A database, as we name it and as ML Metadata does.

    Attributes:
        url: Its URL.
        config: Its ConnectionConfig, in the text format.
        connect: Opens a connection of the driver to it.
    """

    url: str
    config: str
    connect: Callable[[], Any]

    def populate(self, nodes: int = 300) -> None:
        """Let the real ML Metadata fill it."""
        command = [str(real_mlmd.python()), str(POPULATION), self.config, str(nodes)]
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        assert process.returncode == 0, process.stderr


@contextmanager
def on_sqlite(directory: Path) -> Iterator[MlmdDatabase]:
    import sqlite3  # noqa: PLC0415 - beside the others

    path = directory / f"mlmd-{next(_numbers)}.db"
    config = f'sqlite {{ filename_uri: "{path}" }}'
    yield MlmdDatabase(f"sqlite:///{path}", config, lambda: sqlite3.connect(path))


@contextmanager
def on_mariadb(directory: Path, characters: str = "latin1") -> Iterator[MlmdDatabase]:
    port, name = mariadb_port(), f"mlmd_{next(_numbers)}"
    with closing(mariadb.connect(port)) as connection:
        cursor = connection.cursor()
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET {characters}")
        config = (
            f'mysql {{ host: "127.0.0.1" port: {port} database: "{name}" user: "{USER}" '
            f'password: "{USER}" }}'
        )
        try:
            url = f"mysql://{USER}:{USER}@127.0.0.1:{port}/{name}"
            yield MlmdDatabase(url, config, lambda: mariadb.connect(port, name))
        finally:
            cursor.execute(f"DROP DATABASE {name}")


@contextmanager
def on_mariadb_utf8(directory: Path) -> Iterator[MlmdDatabase]:
    with on_mariadb(directory, "utf8mb4") as database:
        yield database


@contextmanager
def on_postgresql(directory: Path) -> Iterator[MlmdDatabase]:
    uri, name = postgresql.server_uri(), f"mlmd_{next(_numbers)}"
    # Its server listens on a socket, whose directory is in the URI.
    host = re.search(r"host=([^&]+)", uri).group(1)
    url = urlsplit(uri)._replace(path=f"/{name}").geturl()
    config = f'postgresql {{ host: "{host}" port: "5432" dbname: "{name}" user: "postgres" }}'
    with closing(psycopg.connect(uri, autocommit=True)) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield MlmdDatabase(url, config, lambda: psycopg.connect(url, autocommit=True))
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


WAYS = {
    "sqlite": on_sqlite,
    "mariadb": on_mariadb,
    "mariadb-utf8mb4": on_mariadb_utf8,
    "postgresql": on_postgresql,
}


@lru_cache(maxsize=1)
def mariadb_port() -> int:
    """Return the port of MariaDB, once it has a user for ML Metadata.

    Its client knows one way to prove who it is, and can't do it without a password.
    """
    port = mariadb.port()
    with closing(mariadb.connect(port)) as connection:
        cursor = connection.cursor()
        password = f"mysql_native_password USING PASSWORD('{USER}')"
        cursor.execute(f"CREATE USER {USER}@'127.0.0.1' IDENTIFIED VIA {password}")
        cursor.execute(f"GRANT ALL ON *.* TO {USER}@'127.0.0.1'")
    return port
