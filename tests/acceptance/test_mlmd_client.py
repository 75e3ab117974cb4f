"""Programs written for ml_metadata run unchanged: the real client, and ours, on either store."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lineage_store import mlmd
from tests.mlmd_servers import EVERYWHERE, run, serving

CLIENTS = ["ml_metadata", "lineage_store.mlmd"]
EVERY_METHOD = {name for name in dir(mlmd.MetadataStore) if not name.startswith("_")}


@pytest.fixture(params=EVERYWHERE)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with serving(request.param, tmp_path) as address:
        yield address


def called(module: str, *store: str) -> set[str]:
    printed = run(module, "mlmd/mlmd_client_calls.py", "--module", module, *store)
    return set(json.loads(printed)["called"])


@pytest.mark.parametrize("module", CLIENTS)
def test_every_method_works_with_a_server(module: str, address: str) -> None:
    assert called(module, "--grpc", address) == EVERY_METHOD


@pytest.mark.parametrize("module", CLIENTS)
def test_every_method_works_in_one_process(module: str, tmp_path: Path) -> None:
    database = str(tmp_path / "x.db")
    assert called(module, "--sqlite", database) == EVERY_METHOD


def test_a_program_sees_the_same_names_signatures_defaults_and_codes() -> None:
    real, ours = (json.loads(run(module, "mlmd/mlmd_surface.py", module)) for module in CLIENTS)
    assert set(real.pop("names")) <= set(ours.pop("names"))
    assert ours == real
