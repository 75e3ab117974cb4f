"""The README keeps its word: its Python runs, and the pages and commands it names exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from lineage_store.cli.group import cli

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


def test_the_examples_run(tmp_path: Path) -> None:
    example = "\n".join(re.findall(r"```python\n(.*?)```", README, re.DOTALL))
    [shown] = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "INPUT ('data', 0) /data/churn.csv",
        "OUTPUT ('model', 0) /models/1",
        *shown.splitlines(),
    ]


def test_the_pages_it_links_to_exist() -> None:
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


@pytest.mark.parametrize("line", re.findall(r"^lineage-store (\w+(?: \w+)?)", README, re.MULTILINE))
def test_the_commands_it_shows_exist(line: str) -> None:
    words = [word for word in line.split() if not word.startswith("-")]
    result = CliRunner().invoke(cli, [*words, "--help"])
    assert result.exit_code == 0, result.output


def test_the_make_targets_it_shows_exist() -> None:
    targets = re.findall(r"^make (\w+)", README, re.MULTILINE)
    assert targets
    assert [target for target in targets if f"\n{target}:" not in MAKEFILE] == []
