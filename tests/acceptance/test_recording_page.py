"""The pages on recording keep their word: their Python runs, and prints the output shown.

test_pages.py follows their links and tries their commands.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ["code.md", "recording.md"]
EXPECTED = "the step shout is not cached: global STREAM of type TextIOWrapper"
"""The one warning that the examples are made to give."""


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    text = (DOCS / page).read_text()
    example = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    (tmp_path / "example.py").write_text(f"{example}\nstore.close()\n")
    process = subprocess.run(
        [sys.executable, "-W", "error", "example.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    warnings = [line for line in process.stderr.splitlines() if not line.startswith(EXPECTED)]
    assert warnings == []
    assert process.stdout == "".join(re.findall(r"```text\n(.*?)```", text, re.DOTALL))
