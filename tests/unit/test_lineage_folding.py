"""Cached repeats are folded where that hides nothing, and only there."""

import json
from dataclasses import replace
from typing import Any

from lineage_store import Artifact, Event, Execution, ExecutionState
from lineage_store.lineage.folding import MAX_IDS, Flow, Repeats, find_repeats, original_of
from lineage_store.lineage.graph import Direction
from lineage_store.lineage.impact import impact
from lineage_store.lineage.result import Lineage
from lineage_store.lineage.verdict import Limit, Verdict
from tests.unit.lineages import data, keys, lineage, reads, step, writes

RAW, MODEL = data(1, "raw"), data(2, "model", type="Model")
TRAIN = step(1, "Train")


def cached(node_id: int, original: Any = 1) -> Execution:
    named = {} if original is None else {"cached_execution_id": original}
    return Execution(id=node_id, type="Train", state=ExecutionState.CACHED, custom_properties=named)


def same(execution: Execution, source: Artifact = RAW, target: Artifact = MODEL) -> list[Event]:
    return [reads(execution, source, "raw", 0), writes(execution, target, "model", 0)]


def nights(count: int, original: Any = 1, **more: Any) -> Lineage:
    """Return raw → Train → model, and the same from the cache a number of times."""
    again = [cached(at, original) for at in range(2, 2 + count)]
    edges = [event for execution in (TRAIN, *again) for event in same(execution)]
    return lineage([[MODEL], [TRAIN, *again], [RAW]], edges, **more)


def test_repeats_are_folded_and_counted() -> None:
    folded = nights(29).fold()
    assert str(folded).splitlines() == [
        "Model model  (artifact:2)",
        "└─ Train  (execution:1)  +29 cached",
        "   └─ raw: Data raw  (artifact:1)",
    ]
    assert keys([*folded.nodes]) == ["artifact:2", "execution:1", "artifact:1"]
    assert (len(folded.edges), folded.repeat_count, folded.hop(RAW)) == (2, 29, 2)
    assert folded.repeats == {"execution:1": Repeats(count=29, ids=tuple(range(2, 31)))}
    assert len(folded.whole.executions) == 30
    assert folded.fold() == folded
    assert nights(29).whole == nights(29)


def test_every_form_says_how_many_are_folded() -> None:
    folded = nights(MAX_IDS + 20).fold()
    assert "Train\\n+120 cached" in folded.to_dot()
    assert "Train<br/>+120 cached" in folded.to_mermaid()
    as_values = json.loads(folded.to_json())
    assert [node["key"] for node in as_values["nodes"]] == [
        "artifact:2",
        "execution:1",
        "artifact:1",
    ]
    [train] = [node for node in as_values["nodes"] if node["kind"] == "execution"]
    assert train["repeats"]["count"] == as_values["verdict"]["repeat_count"] == MAX_IDS + 20
    assert train["repeats"]["ids"] == list(range(2, MAX_IDS + 2))
    assert folded.to_networkx().nodes["execution:1"]["repeats"]["count"] == MAX_IDS + 20
    unfolded = json.loads(nights(3).to_json())
    assert unfolded["verdict"]["repeat_count"] == 0
    assert {node.get("repeats") for node in unfolded["nodes"]} == {None}


def test_an_impact_lists_every_artifact_and_folds_steps() -> None:
    hops = {"artifact:1": 0, "artifact:2": 2} | {f"execution:{at}": 1 for at in range(1, 9)}
    down = replace(nights(3), direction=Direction.DOWNSTREAM, start=("artifact:1",), hops=hops)
    folded_impact = impact(down.fold())
    assert folded_impact.to_text().splitlines()[1] == "Affected: 1 Model; 1 step (+3 cached)"
    assert keys([*folded_impact.executions]) == ["execution:1"]
    assert len(folded_impact.lineage.whole.executions) == 4
    assert folded_impact.to_dict()["verdict"]["repeat_count"] == 3


def folded(*extra: tuple[Execution, list[Event]], **more: Any) -> list[str]:
    """Return the keys of the executions that are left of a lineage of these and TRAIN."""
    edges = same(TRAIN) + [event for _, events in extra for event in events]
    others = {event.artifact_id: data(event.artifact_id or 0) for event in edges}
    graph = lineage(
        [[MODEL], [TRAIN, *(one for one, _ in extra)], [*others.values()]], edges, **more
    )
    return keys([*graph.fold().executions])


def test_what_has_an_input_or_an_output_of_its_own_stays() -> None:
    elsewhere, copy = data(7, "other raw"), data(8, "copy")
    read_elsewhere = (cached(2), same(cached(2), source=elsewhere))
    wrote_a_copy = (cached(3), [*same(cached(3)), writes(cached(3), copy)])
    wrote_it_again = (cached(4), [*same(cached(4)), writes(cached(4), copy)])
    repeat = (cached(5), same(cached(5)))
    only = ["execution:1", "execution:2", "execution:3"]
    assert folded(read_elsewhere, wrote_a_copy, wrote_it_again, repeat) == only


def test_what_did_not_come_from_the_cache_stays() -> None:
    ran, failed = step(2, "Train"), replace(cached(3), state=ExecutionState.FAILED)
    assert len(folded((ran, same(ran)), (failed, same(failed)))) == 3


def test_repeats_of_what_is_not_there_are_folded_into_the_first() -> None:
    some = [(cached(at, 99), same(cached(at, 99))) for at in (5, 6, 7)]
    assert folded(*some) == ["execution:1", "execution:5"]
    chain = (cached(8, 5), same(cached(8, 5)))
    assert folded(*some, chain) == ["execution:1", "execution:5"]


def test_an_original_may_be_named_as_text_or_not_at_all() -> None:
    assert nights(3, "1").fold().repeat_count == 3  # Kubeflow Pipelines
    assert nights(3, None).fold().repeat_count == 3  # TFX
    other = replace(cached(2, None), type="Tune")
    assert len(folded((other, same(other)))) == 2
    assert original_of(cached(2, "x")) is None


def test_a_start_is_not_folded() -> None:
    down = replace(nights(3), start=("execution:3",), direction=Direction.DOWNSTREAM)
    assert keys([*down.fold().executions]) == ["execution:1", "execution:3"]


def test_where_a_walk_did_not_go_on_is_folded_only_among_its_like() -> None:
    cut = Verdict(complete=False, reason=Limit.MAX_NODES, frontier=("execution:3",))
    assert keys([*nights(3, verdict=cut).fold().executions]) == ["execution:1", "execution:3"]
    all_cut = replace(cut, frontier=tuple(f"execution:{at}" for at in range(1, 5)))
    assert nights(3, verdict=all_cut).fold().repeat_count == 3
    assert nights(3, verdict=all_cut).fold().verdict == all_cut


def test_a_comparison_is_of_all_that_was_walked() -> None:
    left, right = nights(3), nights(5)
    assert left.fold().compare(right.fold()) == left.compare(right)


def test_a_year_of_repeats_is_folded_in_one_pass() -> None:
    some = [cached(at) for at in range(2, 20_000)]
    flows = {one.id or 0: Flow(frozenset({1}), frozenset({2})) for one in (TRAIN, *some)}
    assert len(find_repeats([TRAIN, *some], flows)) == len(some)
