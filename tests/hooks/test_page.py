"""The page on hooks says of each tool all that the suite holds it to."""

import re

from tests.hooks.adapters import ROOT, adapters
from tests.hooks.expected import CHURN, LINEAGE

PAGE = (ROOT / "docs" / "hooks.md").read_text()


def test_the_pipeline_side_by_side() -> None:
    head = re.search(r"^\| step \| reads \| writes \| parameters \| (.*) \|$", PAGE, re.MULTILINE)
    assert head is not None
    tools = {adapter.name: adapter for adapter in adapters()}
    shown = [tools[name.lower()] for name in head[1].split(" | ")]
    assert {adapter.name for adapter in shown} == tools.keys()
    for name, step in CHURN.items():
        params = ", ".join(f"{key}={value}" for key, value in step.params.items())
        cells = [name, ", ".join(sorted(step.inputs)), ", ".join(step.outputs), params]
        cells += [f"`{adapter.step_name(name)}`" for adapter in shown]
        row = " | ".join(cells).replace("|  |", "| |")
        assert f"| {row} |" in PAGE


def test_the_lineage_is_drawn() -> None:
    drawing = re.search(r"^```\n(metrics\n.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert drawing is not None
    above, edges = [], set()
    for line in drawing[1].splitlines():
        depth, name = (len(line) - len(line.lstrip(" │└├─"))) // 3, line.split()[-1]
        above[depth:] = [name]
        edges |= {(name, above[depth - 1])} if depth else set()
    assert edges == LINEAGE


def test_each_tool_has_a_tutorial() -> None:
    for adapter in adapters():
        assert f"(tutorials/{adapter.name}.md)" in PAGE
