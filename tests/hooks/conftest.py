"""A fresh project of each tool whose environment is there."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lineage_store import LineageStore, connect
from tests.hooks.adapters import Adapter, adapters
from tests.hooks.project import Project

REQUIRED = os.environ.get("LINEAGE_REQUIRE_HOOKS", "").split()


@pytest.fixture(params=adapters(), ids=lambda adapter: adapter.name)
def adapter(request: pytest.FixtureRequest) -> Adapter:
    """Each tool; one without its environment is skipped by name, or fails if it is required."""
    found: Adapter = request.param
    if not found.python.exists():
        missing = f"no environment of {found.name}: make test-hooks HOOKS={found.name}"
        if found.name in REQUIRED:
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@pytest.fixture
def project(adapter: Adapter, tmp_path: Path) -> Project:
    return Project(adapter, tmp_path)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/lineage.db"


@pytest.fixture
def store(url: str) -> Iterator[LineageStore]:
    with connect(url) as opened:
        yield opened
