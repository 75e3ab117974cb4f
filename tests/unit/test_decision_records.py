"""The records in docs/adr have four sections each, and a line in the index."""

import re
from pathlib import Path

import pytest

RECORDS = Path(__file__).parents[2] / "docs" / "adr"
INDEX = (RECORDS / "README.md").read_text()
PAGES = sorted(RECORDS.glob("[0-9]*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_record_has_its_sections_and_a_line_in_the_index(page: Path) -> None:
    text = page.read_text()
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings == ["Status", "Context", "Decision", "Consequences"]
    [(number, title)] = re.findall(r"^# (\d+)\. (.*)$", text, re.MULTILINE)
    [(status, date)] = re.findall(
        r"^(Accepted|Replaced) on (\d{4}-\d\d-\d\d)\.", text, re.MULTILINE
    )
    assert page.name.startswith(f"{int(number):04}-")
    assert f"| {number} | [{title}]({page.name}) | {status.lower()} | {date} |" in INDEX


def test_the_index_lists_no_other_page() -> None:
    assert re.findall(r"\]\((\d{4}[^)]*)\) \|", INDEX) == [page.name for page in PAGES]
