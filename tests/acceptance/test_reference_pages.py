"""The pages in docs/reference: their examples run, and each name in them exists."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGES = {
    page.stem: page.read_text() for page in (Path(__file__).parents[2] / "docs/reference").iterdir()
}


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_run(page: str, tmp_path: Path) -> None:
    example = "\n".join(re.findall(r"```python\n(.*?)```", PAGES[page], re.DOTALL))
    command = [sys.executable, "-W", "error", "-c", example]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("page", PAGES)
def test_the_names_exist(page: str) -> None:
    names = re.findall(r"^::: (\S+)$", PAGES[page], re.MULTILINE)
    for name in names:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name
