"""Each deliberate difference, shown on both stores: the behaviour of MLMD, and ours."""

import time

import pytest
from google.protobuf import text_format

from tests.differential.cases import CASES
from tests.differential.differences import DIFFERENCES
from tests.differential.filter_cases import DIFFERING
from tests.differential.pages import BY_UPDATE_TIME
from tests.differential.pair import Case
from tests.differential.peers import request_of
from tests.differential.update_times import IDLE_UPDATE

# Shown by functions below, for a table can't hold hundreds of nodes or the times of a clock.
_SHOWN_BELOW = {"page size above 100", BY_UPDATE_TIME, IDLE_UPDATE}
_SHOWN_BELOW |= {"more than 101 starting nodes", "more than 100 hops"}
# Shown by test_filter_agreements.py.
_FILTERS = {case.topic for case in DIFFERING}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.topic}: {case.about}")
def test_case(pair, case: Case):
    pair.check(case)


def test_every_difference_is_shown():
    names = [difference.name for difference in DIFFERENCES]
    assert len(set(names)) == len(names)
    assert {case.topic for case in CASES} | _SHOWN_BELOW | _FILTERS == set(names)


def _many(count: int) -> str:
    return "artifacts { type_id: 10 } " * count


def test_a_page_of_more_than_100_nodes(pair):
    pair.call("PutArtifacts", _many(120))
    real, ours = pair.call("GetArtifacts", "options { max_result_size: 110 }")
    assert len(real.response.artifacts) == 101
    assert not real.response.next_page_token
    assert len(ours.response.artifacts) == 100
    assert ours.response.next_page_token

    real, ours = pair.call("GetArtifacts", f"options {{ max_result_size: {2**31 - 1} }}")
    assert real.status == "INVALID_ARGUMENT"
    assert len(ours.response.artifacts) == 100


def _walk(side, pages: int) -> list[int]:
    """Return the ids that a walk by update time sees, page by page."""
    request = text_format.Parse(
        "options { max_result_size: 7 order_by_field { field: LAST_UPDATE_TIME } }",
        request_of("GetArtifacts"),
    )
    artifact_ids = []
    for _ in range(pages):
        response = side.call("GetArtifacts", request)[0].response
        artifact_ids += [artifact.id for artifact in response.artifacts]
        if not response.next_page_token:
            break
        request.options.next_page_token = response.next_page_token
    return artifact_ids


def test_pages_by_update_time(pair):
    pair.call("PutArtifacts", _many(250))
    real, ours = (_walk(side, pages=100) for side in pair.sides)
    assert len(real) == 700
    assert len(set(real)) < 250
    assert len(ours) == len(set(ours)) == 250


def _update_times(pair) -> list[int]:
    return [
        response.artifacts[0].last_update_time_since_epoch for response in pair.read("GetArtifacts")
    ]


def test_an_update_that_changes_nothing(pair):
    pair.call("PutArtifacts", "artifacts { type_id: 10 }")
    before = _update_times(pair)
    time.sleep(0.003)
    pair.call("PutArtifacts", "artifacts { id: 1 type_id: 10 }")
    real, ours = _update_times(pair)
    assert real > before[0]
    assert ours == before[1]


def test_the_lock_feels_an_update_that_changes_nothing(pair):
    pair.call("PutArtifacts", "artifacts { type_id: 10 }")
    statuses = []
    for side, updated in zip(pair.sides, _update_times(pair), strict=True):
        same = f"artifacts {{ id: 1 last_update_time_since_epoch: {updated} }}"
        text = f"{same} {same} options {{ abort_if_latest_updated_time_changed: true }}"
        time.sleep(0.003)
        request = text_format.Parse(text, request_of("PutArtifacts"))
        statuses.append(side.call("PutArtifacts", request)[0].status)
    assert statuses == ["FAILED_PRECONDITION", "OK"]


def _graph(pair, options: str) -> list:
    """Return the graphs of both stores."""
    query = f"lineage_subgraph_query_options {{ {options} }}"
    return [response.lineage_subgraph for response in pair.read("GetLineageSubgraph", query)]


def test_more_than_101_starting_nodes(pair):
    pair.call("PutArtifacts", _many(150))
    real, ours = _graph(pair, 'starting_artifacts { filter_query: "id > 0" }')
    assert {node.id for node in real.artifacts} == {*range(1, 102)}
    assert {node.id for node in ours.artifacts} == {*range(1, 151)}


@pytest.mark.parametrize(("limit", "expected"), [("", 150), ("max_num_hops: 120", 120)])
def test_more_than_100_hops(pair, limit: str, expected: int):
    """A chain of 151 nodes: every artifact but the first is made from the one before it."""
    pair.call("PutArtifacts", _many(76))
    pair.call("PutExecutions", "executions { type_id: 11 } " * 75)
    edges = "events {{ artifact_id: {} execution_id: {} type: {} }} "
    for step in range(1, 76):
        consumed = edges.format(step, step, "INPUT")
        pair.call("PutEvents", consumed + edges.format(step + 1, step, "OUTPUT"))
    options = f'starting_artifacts {{ filter_query: "id = 1" }} direction: DOWNSTREAM {limit}'
    real, ours = _graph(pair, options)
    assert len(real.artifacts) + len(real.executions) == 1 + 100
    assert len(ours.artifacts) + len(ours.executions) == 1 + expected
