"""`lineage-store runs` says which steps are recorded incompletely, and names the gaps."""

import json
from pathlib import Path

import pytest

from lineage_store import connect
from tests.acceptance.test_cli_lineage import lines, run


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    home = tmp_path_factory.mktemp("incomplete")
    store_url = f"sqlite:///{home / 'lineage.db'}"
    with connect(store_url) as store:
        with store.run("nightly", run_id="r1") as nightly:
            with nightly.step("plot") as plot:
                plot.output("fig", {"no": "artifact"})  # type: ignore[arg-type]
            with nightly.step("train", inputs={"raw": Path("nofile.csv")}):
                pass
            with nightly.step("report"):
                pass
        with store.run("nightly", run_id="r2"):
            pass
    return store_url


def test_show_says_what_is_missing(url: str) -> None:
    shown = lines(url, "runs", "show", "r1")
    assert shown[1] == "3 steps: 3 COMPLETE; 2 recorded incompletely"
    [plot] = [line for line in shown if "  plot " in line]
    [report] = [line for line in shown if "  report " in line]
    assert plot.endswith("incomplete: 1 output not recorded: fig (a dict is no output)")
    assert "incomplete" not in report
    assert lines(url, "runs", "show", "r2")[1] == "0 steps"


def test_list_counts_them(url: str) -> None:
    header, newest, oldest = lines(url, "runs", "list")
    assert header.endswith("INCOMPLETE STEPS")
    assert (newest.split()[-1], oldest.split()[-1]) == ("0", "2")


def test_programs_are_told_the_same(url: str) -> None:
    answer = json.loads(run(url, "runs", "show", "r1", "--json").stdout)
    assert answer["summary"]["incomplete_steps"] == 2
    assert [step["incomplete"] is not None for step in answer["steps"]] == [True, True, False]
    assert answer["steps"][1]["incomplete"].startswith("1 input not recorded: raw (")
    listed = json.loads(run(url, "runs", "list", "--json").stdout)
    assert [each["incomplete_steps"] for each in listed] == [0, 2]
