"""LineageService: FindPaths, Summarize and Compare."""

from lineage_store import errors
from lineage_store.v1 import lineage_pb2
from tests.conformance.diamond_walks import (
    ARTIFACT,
    BOTH,
    EXECUTION,
    INPUT,
    INTERNAL_INPUT,
    OUTPUT,
    UPSTREAM,
    start,
)

Reason = lineage_pb2.Verdict.Reason


def node(number, kind=ARTIFACT):
    return {"kind": kind, "id": number}


def paths(call, source, target, **options):
    answer = call("FindPaths", source=source, target=target, **options)
    kinds = {ARTIFACT: "a", EXECUTION: "e"}
    return [" ".join(f"{kinds[n.kind]}{n.id}" for n in path.nodes) for path in answer.paths], answer


def test_paths(diamond):
    found_paths, answer = paths(diamond, node(1), node(4))
    assert found_paths == ["a1 e1 a2 e2 a4", "a1 e1 a3 e3 a4"]
    steps = [(e.artifact_id, e.execution_id, e.type) for e in answer.paths[1].events]
    assert steps == [(1, 1, INPUT), (3, 1, OUTPUT), (3, 3, INTERNAL_INPUT), (4, 3, OUTPUT)]
    assert list(answer.artifacts) == diamond.get("artifact", 1, 2, 3, 4)
    assert list(answer.executions) == diamond.get("execution", 1, 2, 3)
    assert answer.verdict.complete
    assert (answer.verdict.node_count, answer.verdict.event_count) == (7, 7)


def test_paths_in_other_directions(diamond):
    assert paths(diamond, node(4), node(1))[0] == []
    found_paths, _ = paths(diamond, node(4), node(1), direction=UPSTREAM, max_paths=1)
    assert found_paths == ["a4 e2 a2 e1 a1"]
    found_paths, _ = paths(diamond, node(2), node(3), direction=BOTH)
    assert found_paths == ["a2 e1 a3", "a2 e2 a4 e3 a3"]
    found_paths, _ = paths(diamond, node(2), node(3), direction=BOTH, shortest_only=True)
    assert found_paths == ["a2 e1 a3"]
    found_paths, _ = paths(diamond, node(1, EXECUTION), node(3, EXECUTION))
    assert found_paths == ["e1 a3 e3"]


def test_no_path_is_an_answer(diamond):
    found_paths, answer = paths(diamond, node(2), node(3))
    assert (found_paths, answer.verdict.complete) == ([], True)
    found_paths, answer = paths(diamond, node(2), node(2))
    assert (found_paths, answer.verdict.complete) == (["a2"], True)


def test_bounds_on_paths(diamond):
    def reason(**options):
        found_paths, answer = paths(diamond, node(1), node(4), **options)
        assert answer.verdict.complete != answer.verdict.HasField("reason")
        return len(found_paths), Reason.Name(answer.verdict.reason)

    assert reason(max_paths=1) == (1, "MAX_PATHS")
    assert reason(max_paths=2) == (2, "REASON_UNSPECIFIED")
    assert reason(max_paths=1, shortest_only=True) == (1, "MAX_PATHS")
    assert reason(max_hops=3) == (0, "MAX_HOPS")
    assert reason(max_hops=3, shortest_only=True) == (0, "MAX_HOPS")
    assert reason(max_hops=4) == (2, "REASON_UNSPECIFIED")
    assert reason(as_of={"happened_by_milliseconds": 5}) == (1, "REASON_UNSPECIFIED")
    assert reason(budget={"max_nodes": 3})[1] == "MAX_NODES"


def test_malformed_questions_about_paths(diamond):
    one, none = node(1), node(99)
    for options, match in (
        ({"target": one}, "source must be set"),
        ({"source": {"id": 1}, "target": one}, "source.kind"),
        ({"source": one, "target": {"kind": ARTIFACT}}, "target.id"),
        ({"source": one, "target": one, "max_paths": 0}, "max_paths"),
        ({"source": one, "target": one, "max_paths": 1_001}, "max_paths"),
        ({"source": one, "target": one, "max_hops": -1}, "max_hops"),
        ({"source": one, "target": one, "budget": {"max_milliseconds": 0}}, "max_milliseconds"),
        ({"source": one, "target": one, "as_of": {}}, "as_of"),
    ):
        with diamond.refused(errors.InvalidArgument, match):
            diamond("FindPaths", **options)
    with diamond.refused(errors.NotFound, "no artifact 99"):
        diamond("FindPaths", source=one, target=none)


def test_a_summary(diamond):
    answer = diamond("Summarize", walk={"start": start(4), "direction": UPSTREAM})
    assert [(n.kind, n.type, n.hop, n.count) for n in answer.nodes] == [
        (ARTIFACT, "Model", 0, 1),
        (EXECUTION, "Train", 1, 2),
        (ARTIFACT, "Data", 2, 2),
        (EXECUTION, "Step", 3, 1),
        (ARTIFACT, "Data", 4, 1),
    ]
    assert [(e.type, e.count) for e in answer.events] == [
        (INPUT, 2),
        (OUTPUT, 4),
        (INTERNAL_INPUT, 1),
    ]
    assert answer.verdict.complete
    walk = {"start": start(4), "direction": UPSTREAM, "max_hops": 1}
    verdict = diamond("Summarize", walk=walk).verdict
    assert (verdict.reason, verdict.node_count) == (Reason.Value("MAX_HOPS"), 3)
    assert not verdict.resume_token


def test_a_comparison_reaches_the_service(diamond):
    answer = diamond("Compare", left_artifact_id=2, right_artifact_id=3)
    assert answer.left_verdict.complete
    assert answer.right_verdict.complete
    with diamond.refused(errors.NotFound, "no artifact 99"):
        diamond("Compare", left_artifact_id=2, right_artifact_id=99)
