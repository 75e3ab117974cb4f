"""The values that stand for the configuration of a dataset, in the key of a node that uses it."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.hooks.adapter_kedro import ADAPTER
from tests.hooks.adapters import Adapter

pytestmark = [
    pytest.mark.timeout(200),
    pytest.mark.parametrize("adapter", [pytest.param(ADAPTER, id="kedro")], indirect=True),
]

SECRETS = ("aB3-first", "xY7-second")


def configurations(
    adapter: Adapter, directory: Path, secret: str, seed: str
) -> dict[str, list[str]]:
    """Return two digests and a text for each dataset, as another process has them."""
    (directory / "parts").mkdir(parents=True)
    (directory / "parts" / "one").write_text("1")
    (directory / "data").write_text("1")
    script = Path(__file__).with_name("kedro_configurations.py")
    process = subprocess.run(
        [str(adapter.python), str(script), secret, str(directory)],
        env={"PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    configurations_by_name: dict[str, list[str]] = json.loads(process.stdout)
    return configurations_by_name


def test_it_is_the_same_in_each_process_and_place_and_holds_no_secret(
    adapter: Adapter, tmp_path: Path
) -> None:
    first = configurations(adapter, tmp_path / "one", SECRETS[0], "1")
    second = configurations(adapter, tmp_path / "two" / "three", SECRETS[1], "2")
    assert {name: digests[:2] for name, digests in first.items()} == {
        name: digests[:2] for name, digests in second.items()
    }
    assert [name for name, (before, after, _) in first.items() if before != after] == []
    assert len({before for before, _, _ in first.values()}) == len(first) >= 16
    texts = [text for configuration in (first, second) for _, _, text in configuration.values()]
    assert [text for text in texts if any(secret in text for secret in SECRETS)] == []
    assert [text for text in texts if str(tmp_path) in text] == []
