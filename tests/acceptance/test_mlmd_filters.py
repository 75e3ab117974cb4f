"""filter_query finds the same nodes through the real client and ours, in either store."""

import json
from pathlib import Path

import pytest

from tests.mlmd_servers import run, serving

CLIENTS = ["ml_metadata", "lineage_store.mlmd"]
Found = dict[str, dict[str, list[str] | str]]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """The answers of the real store to the real client, in its own process and in its server."""
    directory = tmp_path_factory.mktemp("real")
    answered = answers("ml_metadata", "--sqlite", str(directory / "x.db"), "--record")
    with serving("real core", directory) as address:
        served = answers("ml_metadata", "--grpc", address, "--record")
    assert served["methods"] == answered["methods"]
    return served


def test_the_filters_tell_nodes_apart(expected: Found) -> None:
    for listings in expected.values():
        some = [names for names in listings.values() if isinstance(names, list) and names]
        assert len(some) > len(listings) / 3
        errors = {names for names in listings.values() if isinstance(names, str)}
        assert len(errors) == 1


def test_our_server_finds_the_same(expected: Found, tmp_path: Path) -> None:
    with serving("lineage-store", tmp_path) as address:
        real = answers(CLIENTS[0], "--grpc", address, "--record")
        ours = answers(CLIENTS[1], "--grpc", address)
    assert real == expected
    assert ours == expected


def test_our_client_finds_the_same_in_its_own_process(expected: Found, tmp_path: Path) -> None:
    answered = answers(CLIENTS[1], "--sqlite", str(tmp_path / "x.db"), "--record")
    assert answered["methods"] == expected["methods"]


def answers(module: str, *args: str) -> Found:
    printed = run(module, "mlmd/mlmd_filter_calls.py", "--module", module, *args)
    return json.loads(printed)  # type: ignore[no-any-return]
