"""Nights that were served from the cache, embedded and over a real server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lineage_store import Artifact, LineageStore
from tests.conformance.step_stores import WAYS, opened

NIGHTS = 30
WALKED = 2 * NIGHTS + 3


@pytest.fixture(params=WAYS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LineageStore]:
    with opened(request.param, tmp_path) as store:
        yield store


@pytest.fixture
def ends(store: LineageStore, tmp_path: Path) -> tuple[Artifact, Artifact]:
    """Raw data and model of a pipeline of two steps that ran once, and was served 29 times."""
    raw, table, model = (tmp_path / name for name in ("raw", "table", "model"))
    raw.write_text("raw")
    for _ in range(NIGHTS):
        with store.run("nightly") as run:
            for name, source, target in (("clean", raw, table), ("train", table, model)):
                with run.step(name, inputs={"in": source}, version="1", cache=True) as step:
                    if not step.hit:
                        target.write_text(name)
                        step.output("out", target)
        store.flush_recording()
    [first], [last] = (store.find_artifacts_by_uri(str(path)) for path in (raw, model))
    return first, last


def test_a_lineage(store: LineageStore, ends: tuple[Artifact, Artifact]) -> None:
    raw, model = ends
    for folded in (store.lineage(model).upstream(), store.lineage(raw).downstream()):
        assert len(str(folded).splitlines()) == 5
        assert str(folded).count(f"+{NIGHTS - 1} cached") == 2
        assert [each.state for each in folded.executions] == ["COMPLETE"] * 2
        assert (folded.verdict.complete, folded.verdict.node_count) == (True, WALKED)
        assert len(folded.whole) == WALKED
    everything = store.lineage(model).upstream(show_cached=True)
    assert everything == store.lineage(model).upstream().whole
    assert (len(everything), everything.repeat_count) == (WALKED, 0)
    assert store.lineage(model).both().repeat_count == 2 * (NIGHTS - 1)


def test_a_walk_that_goes_on_folds_what_both_halves_have(
    store: LineageStore, ends: tuple[Artifact, Artifact]
) -> None:
    query = store.lineage(ends[1])
    half = query.upstream(max_nodes=WALKED // 2)
    assert not half.verdict.complete
    whole = query.upstream(resume=half)
    assert (len(whole), whole.verdict.complete) == (5, True)
    assert len(whole.whole) == WALKED


def test_an_impact(store: LineageStore, ends: tuple[Artifact, Artifact]) -> None:
    impact = store.impact(ends[0])
    assert (len(impact.executions), len(impact.artifacts)) == (2, 2)
    assert f"2 steps (+{2 * (NIGHTS - 1)} cached)" in str(impact)
    assert len(store.impact(ends[0], show_cached=True).executions) == 2 * NIGHTS


def test_paths(store: LineageStore, ends: tuple[Artifact, Artifact]) -> None:
    for options in ({}, {"shortest_only": True}, {"direction": "both"}):
        folded = store.find_paths(*ends, **options)  # type: ignore[arg-type]
        assert (len(folded), folded.verdict.complete) == (1, True)
        [path] = folded
        assert [repeats.count for repeats in path.repeats.values()] == [NIGHTS - 1] * 2
        assert str(path).count(f"+{NIGHTS - 1} cached") == 2
        as_values = folded.to_dict()
        assert as_values["paths"][0]["nodes"][1]["repeats"]["count"] == NIGHTS - 1
        assert as_values["verdict"]["repeat_count"] == 2 * (NIGHTS - 1)
    twins = store.find_paths(*ends, show_cached=True, max_paths=1000)
    assert (len(twins), twins.repeat_count) == (NIGHTS**2, 0)
    start = store.lineage(ends[1]).upstream().whole.executions[5]
    assert start.state == "CACHED"
    assert [len(path) for path in store.find_paths(start, ends[1])] == [1]
