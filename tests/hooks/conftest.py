"""A fresh project of each tool whose environment is there."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lineage_store import LineageStore, connect
from tests.hooks.adapters import Adapter, adapters
from tests.hooks.project import Project

REQUIRED = os.environ.get("LINEAGE_REQUIRE_HOOKS", "").split()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of other tools than the required ones, if any are."""
    unknown = set(REQUIRED) - {adapter.name for adapter in adapters()}
    if unknown:
        raise pytest.UsageError(f"LINEAGE_REQUIRE_HOOKS: no hook of {', '.join(sorted(unknown))}")
    others = [item for item in items if REQUIRED and tool_of(item) not in {None, *REQUIRED}]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


def tool_of(item: pytest.Item) -> str | None:
    """Return the name of the tool that a test runs; None: it runs none."""
    callspec = getattr(item, "callspec", None)
    found = None if callspec is None else callspec.params.get("adapter")
    return found.name if isinstance(found, Adapter) else None


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
