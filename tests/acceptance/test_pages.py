"""The pages keep their word: every link leads somewhere, every command and Python name exists."""

import re
from pathlib import Path

import click
import pytest

from lineage_store.cli.group import cli

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*(ROOT / "docs").rglob("*.md"), *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING"))]
)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
FENCE = re.compile(r"```.*?```", re.DOTALL)
SHELL = re.compile(r"```(?:sh|console)\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"^(?:\$ )?lineage-store ([a-z][a-z-]*(?: [a-z][a-z-]*)?)", re.MULTILINE)


def names_of(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", names_of(PAGES))
def test_every_link_leads_to_a_page_and_a_heading(name: str) -> None:
    page = ROOT / name
    for target, anchor in LINK.findall(FENCE.sub("", page.read_text())):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), f"{target}#{anchor}"


@pytest.mark.parametrize("name", names_of(PAGES))
def test_every_command_exists(name: str) -> None:
    shell = "".join(SHELL.findall((ROOT / name).read_text()))
    for line in COMMAND.findall(shell):
        first, *rest = line.split()
        command = cli.get_command(click.Context(cli), first)
        assert command is not None, line
        if isinstance(command, click.Group):
            assert rest, line
            assert command.get_command(click.Context(command), rest[0]) is not None, line


def test_the_index_names_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / target).resolve() for target, _ in LINK.findall(index.read_text())}
    pages = {page for page in (ROOT / "docs").rglob("*.md") if page.parent.name != "adr"}
    assert pages - linked - {index} == set()
