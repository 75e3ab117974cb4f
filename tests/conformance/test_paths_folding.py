"""FindPaths leaves cached repeats out if it is asked to, and else answers all there is."""

import pytest

from lineage_store.v1 import lineage_pb2
from lineage_store.v1 import metadata_pb2 as pb

INPUT, OUTPUT = pb.Event.INPUT, pb.Event.OUTPUT
COMPLETE, CACHED = pb.Execution.COMPLETE, pb.Execution.CACHED


@pytest.fixture
def repeated(call):
    """a1 -> e1 -> a2, as often again from the cache by e2 and e3; e3 wrote a3, too."""
    data, step = call.type(name="Data"), call.type("execution", "Step")
    call.put("artifact", *[{"type_id": data} for _ in range(3)])
    served = {"custom_properties": {"cached_execution_id": 1}}
    states = [{"last_known_state": state} for state in (COMPLETE, CACHED, CACHED)]
    call.put("execution", *[{"type_id": step, **served, **state} for state in states])
    edges = [(1, e, INPUT) for e in (1, 2, 3)] + [(2, e, OUTPUT) for e in (1, 2, 3)]
    names = ("artifact_id", "execution_id", "type")
    edges.append((3, 3, OUTPUT))
    call("PutEvents", events=[dict(zip(names, edge, strict=True)) for edge in edges])
    return call


def executions(call, target, **options):
    """Return the executions of the paths from a1, and the repeats folded into them."""
    ends = {
        "source": {"kind": lineage_pb2.ARTIFACT, "id": 1},
        "target": {"kind": lineage_pb2.ARTIFACT, "id": target},
    }
    answer = call("FindPaths", **ends, **options)
    assert answer.verdict.complete
    repeats = {one.execution_id: (one.count, list(one.ids)) for one in answer.repeats}
    return [path.nodes[1].id for path in answer.paths], repeats


def test_the_answer_is_full_unless_asked(repeated):
    assert executions(repeated, 2) == ([1, 2, 3], {})


def test_repeats_are_left_out_and_counted(repeated):
    assert executions(repeated, 2, fold_cached=True) == ([1], {1: (2, [2, 3])})


def test_a_repeat_with_an_output_of_its_own_is_on_the_way_to_it(repeated):
    assert executions(repeated, 3, fold_cached=True) == ([3], {})
    both = {"direction": 3, "max_hops": 2, "fold_cached": True}
    ends = {
        "source": {"kind": lineage_pb2.ARTIFACT, "id": 1},
        "target": {"kind": lineage_pb2.ARTIFACT, "id": 2},
    }
    answer = repeated("FindPaths", **ends, **both)
    assert [path.nodes[1].id for path in answer.paths] == [1, 3]
    assert [(one.execution_id, one.count) for one in answer.repeats] == [(1, 1)]


def test_an_end_is_never_left_out(repeated):
    source = {"kind": lineage_pb2.EXECUTION, "id": 2}
    target = {"kind": lineage_pb2.ARTIFACT, "id": 2}
    answer = repeated("FindPaths", source=source, target=target, fold_cached=True)
    assert [len(path.nodes) for path in answer.paths] == [2]
