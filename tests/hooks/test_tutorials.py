"""The tutorials keep their word: their files, commands and outputs, as a reader has them.

A block of `sh` is run, one with `file=PATH` is written, one of `console` is the last output, except
for numbers; `…` stands for anything. `no-test` marks parts that the environment has already.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.hooks.adapters import ROOT, Adapter, adapters
from tests.integration.serving import environment

BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
MARK = "--- the next block ---"

pytestmark = pytest.mark.timeout(400)


def script(page: str, base: Path) -> tuple[str, list[str | None]]:
    """Return the commands of a page, each with its expected output."""
    lines, expected_outputs = ["set -eu", f"cd {base}"], []
    for kind, options, text in BLOCK.findall(page):
        path = re.search(r"file=(\S+)", options)
        if path:
            lines.append(f"mkdir -p $(dirname {path[1]}); cat > {path[1]} <<'END'\n{text}END")
        elif kind == "sh" and "no-test" not in options:
            lines.append(f"echo '{MARK}'\n{text}")
            expected_outputs.append(None)
        elif kind == "console":
            expected_outputs[-1] = text
    return "\n".join(lines), expected_outputs


def steady(text: str) -> str:
    """Return an output without the parts that differ between runs: numbers, ids, times, blanks."""
    alike = re.sub(r" +", " ", text.strip())
    alike = UUID.sub("0", alike)  # at once, for a part of one may have no digit
    alike = re.sub(r"[0-9a-f]*[0-9][0-9a-f.:TZ]*|(?<=-)[0-9a-f]{8}\b", "0", alike)
    return re.sub(r"\b0 (?:ms|s|min|h)\b", "0 s", alike)


@pytest.mark.parametrize("adapter", adapters(), indirect=True, ids=lambda adapter: adapter.name)
def test_a_tutorial(adapter: Adapter, tmp_path: Path) -> None:
    page = ROOT / "docs" / "tutorials" / f"{adapter.name}.md"
    commands, expected_outputs = script(page.read_text(), tmp_path)
    variables = adapter.environment(tmp_path) | {
        "PATH": f"{adapter.python.parent}{os.pathsep}{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    process = subprocess.run(
        ["bash", "-c", commands],
        env=environment(**variables),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    printed = process.stdout.split(f"{MARK}\n")[1:]
    assert len(printed) == len(expected_outputs)
    for output, text in zip(printed, expected_outputs, strict=True):
        if text is not None:
            pattern = re.escape(steady(text)).replace("…", ".*")
            assert re.fullmatch(pattern, steady(output), re.DOTALL), f"{output}\nis not\n{text}"


@pytest.mark.parametrize("name", ["hooks.md", *(f"tutorials/{a.name}.md" for a in adapters())])
def test_the_pages_it_links_to_exist(name: str) -> None:
    page = ROOT / "docs" / name
    targets = re.findall(r"\]\((?!http)([^)#]+)[^)]*\)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []
