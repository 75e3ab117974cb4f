"""A version of the tool that the hook is not made for runs as if there were no hook."""

import pytest

from lineage_store import LineageStore
from lineage_store.integrations.tools import TOOLS
from tests.hooks.expected import CHURN
from tests.hooks.project import Project

pytestmark = [pytest.mark.timeout(400)]


@pytest.mark.parametrize(("version", "says"), [("0.9", "is too old"), ("99.0", "is too new")])
def test_a_version_that_is_not_known(
    project: Project, url: str, store: LineageStore, version: str, says: str
) -> None:
    name = TOOLS[project.adapter.name].distribution
    metadata = project.directory / f"{name.replace('-', '_')}-{version}.dist-info"  # found first
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    printed = project.succeed(url, LINEAGE_STORE_CACHE="1", COLUMNS="400")  # some wrap lines
    assert project.calls() == dict.fromkeys(CHURN, 1)
    assert f"{name} {version} {says}: the hook is made for" in printed
    assert printed.count("; nothing is recorded") == 1
    assert list(store.iter_executions()) == []
    assert not project.spool.exists()
