"""The README keeps its word: its Python runs, and its make targets exist.

test_pages.py follows its links and tries its commands.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


def test_each_example_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    printed = ""
    for example in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        command = [sys.executable, "-W", "error", "-c", example]
        printed += subprocess.check_output(command, cwd=tmp_path, text=True)
    assert printed == "".join(re.findall(r"```text\n(.*?)```", README, re.DOTALL))


def test_the_first_example_runs_alone_in_ten_lines(tmp_path: Path) -> None:
    example = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
    shown = re.findall(r"```text\n(.*?)```", README, re.DOTALL)[0]
    assert len([line for line in example.splitlines() if line]) == 10
    command = [sys.executable, "-W", "error", "-c", example]
    assert subprocess.check_output(command, cwd=tmp_path, text=True) == shown


def test_the_make_targets_it_shows_exist() -> None:
    targets = re.findall(r"^make (\w+)", README, re.MULTILINE)
    assert targets == ["demo", "test"]
    assert [target for target in targets if f"\n{target}:" not in MAKEFILE] == []
