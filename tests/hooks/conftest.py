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
    adapter = None if callspec is None else callspec.params.get("adapter")
    return adapter.name if isinstance(adapter, Adapter) else None


@pytest.fixture(params=adapters(), ids=lambda adapter: adapter.name)
def adapter(request: pytest.FixtureRequest) -> Adapter:
    """Each tool; one without its environment is skipped by name, or fails if it is required."""
    requested: Adapter = request.param
    if not requested.python.exists():
        message = f"no environment of {requested.name}: make test-hooks HOOKS={requested.name}"
        if requested.name in REQUIRED:
            pytest.fail(message)
        pytest.skip(message)
    return requested


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
