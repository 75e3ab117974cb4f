"""Databases of the real ML Metadata, and stores that take them in."""

from collections.abc import Iterator

import pytest

from tests import real_mlmd
from tests.backends import mariadb, postgresql
from tests.transfer.mlmd_databases import WAYS, MlmdDatabase


@pytest.fixture(params=WAYS)
def mlmd_way(request: pytest.FixtureRequest):
    """A maker of empty databases for ML Metadata, on each server."""
    real_mlmd.python()
    return WAYS[request.param]


@pytest.fixture
def mlmd_database(mlmd_way, tmp_path) -> Iterator[MlmdDatabase]:
    """An empty database for ML Metadata, on each server."""
    with mlmd_way(tmp_path) as database:
        yield database


@pytest.fixture
def sqlite_mlmd(tmp_path) -> Iterator[MlmdDatabase]:
    """An empty database for ML Metadata, in a file."""
    real_mlmd.python()
    with WAYS["sqlite"](tmp_path) as database:
        yield database


@pytest.fixture(params=["sqlite", "mariadb", "postgresql"])
def any_store(request: pytest.FixtureRequest, tmp_path) -> Iterator[str]:
    """The URL of a store yet to be made, on each database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
        return
    with {"mariadb": mariadb, "postgresql": postgresql}[request.param].new_store() as url:
        yield url


@pytest.fixture
def store_url(tmp_path) -> str:
    """The URL of a store yet to be made, in a file."""
    return f"sqlite:///{tmp_path}/store.db"
