"""The pages on recording keep their word: their Python runs, their commands and links exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from lineage_store.cli.group import cli

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ["code.md", "recording.md"]
EXPECTED = "the step told is not cached: global STREAM of type TextIOWrapper"
"""The one warning that the examples are made to give."""

TEXT = "".join((DOCS / page).read_text() for page in PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    text = (DOCS / page).read_text()
    example = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    (tmp_path / "example.py").write_text(f"{example}\nstore.close()\n")
    done = subprocess.run(
        [sys.executable, "-W", "error", "example.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if not line.startswith(EXPECTED)]
    assert warnings == []
    assert done.stdout == "".join(re.findall(r"```text\n(.*?)```", text, re.DOTALL))


@pytest.mark.parametrize("line", sorted(set(re.findall(r"^lineage-store (\w+ \w+)", TEXT, re.M))))
def test_the_commands_it_shows_exist(line: str) -> None:
    words = line.split()[:1] if line.startswith("lineage ") else line.split()
    result = CliRunner().invoke(cli, [*words, "--help"])
    assert result.exit_code == 0, result.output


def test_the_pages_it_links_to_exist() -> None:
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", TEXT)
    assert [target for target in targets if not (DOCS / target).exists()] == []
