"""The commands on the lineage of a pipeline that was served from the cache, night after night."""

import json

import pytest

from lineage_store import connect
from tests.acceptance.test_cli_lineage import lines, run

NIGHTS = 30


@pytest.fixture(scope="module")
def nightly(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, str]:
    """The store, the raw data and the model."""
    home = tmp_path_factory.mktemp("nights")
    raw, model = home / "raw.csv", home / "churn.model"
    raw.write_text("1")
    url = f"sqlite:///{home / 'lineage.db'}"
    with connect(url) as store:
        for _ in range(NIGHTS):
            with store.run("nightly") as runs:
                inputs = {"raw": raw}
                with runs.step("train", inputs=inputs, version="1", cache=True) as step:
                    if not step.hit:
                        model.write_text("2")
                        step.output("model", model, type="Model")
            store.flush_recording()
    return url, f"uri:{raw}", f"uri:{model}"


def titles(shown: list[str]) -> list[str]:
    """Return the lines without digests, which are long."""
    return [" ".join(word for word in line.split() if ":" not in word or word.endswith(":"))
            for line in shown]  # fmt: skip


def test_a_tree_of_a_few_lines(nightly: tuple[str, str, str]) -> None:
    url, _, model = nightly
    assert titles(lines(url, "lineage", model)) == [
        "Model churn.model",
        "└─ train version=1 +29 cached",
        "└─ raw: Artifact raw.csv",
        "folded: 29 cached executions; --show-cached shows each",
        "complete: 32 nodes, 60 events",
    ]
    for switch in ("--show-cached", "--all"):
        assert len(lines(url, "lineage", model, switch)) == 2 * NIGHTS + 2


def test_a_table(nightly: tuple[str, str, str]) -> None:
    url, _, model = nightly
    table = lines(url, "lineage", model, "--format", "table")
    assert table[2].split()[:6] == ["1", "execution:2", "train", "-", "COMPLETE", "+29"]
    assert len(table) == 6


@pytest.mark.parametrize("form", ["dot", "mermaid", "json"])
def test_formats_for_programs(nightly: tuple[str, str, str], form: str) -> None:
    url, _, model = nightly
    result = run(url, "lineage", model, "--format", form)
    assert result.stderr.startswith("folded: 29 cached executions")
    if form != "json":
        assert result.stdout.count("+29 cached") == 1
        return
    answer = json.loads(result.stdout)
    assert (len(answer["nodes"]), answer["verdict"]["repeat_count"]) == (3, NIGHTS - 1)
    assert answer["nodes"][1]["repeats"]["count"] == NIGHTS - 1


def test_an_impact_and_paths(nightly: tuple[str, str, str]) -> None:
    url, raw, model = nightly
    assert "Affected: 1 Model; 1 step (+29 cached)" in lines(url, "impact", raw)
    assert "Affected: 1 Model; 30 steps" in lines(url, "impact", raw, "--show-cached")
    shown = titles(lines(url, "paths", raw, model, "--shortest"))
    assert shown[1:4] == ["Artifact raw.csv", "train version=1 +29 cached", "Model churn.model"]
    assert sum(line.startswith("Path") for line in shown) == 1
    every = run(url, "paths", raw, model, "--all", "--limit", "1000").stdout
    assert every.count("Path ") == NIGHTS
