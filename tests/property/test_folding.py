"""Whatever the graph, folding hides no artifact and no way from one artifact to another."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage_store import Artifact, Event, Execution, ExecutionState
from lineage_store.lineage.graph import Direction, LineageGraph
from lineage_store.lineage.result import Lineage
from tests.unit.lineages import data, lineage, reads, writes

pytestmark = pytest.mark.long

ARTIFACTS = 5

_ids = st.frozensets(st.integers(1, ARTIFACTS), max_size=3)
_steps = st.lists(
    st.tuples(st.sampled_from([None, None, 1, 2, 3, 9]), _ids, _ids, st.sampled_from("AB")),
    min_size=1,
    max_size=8,
)


def graph_of(steps: list[tuple[int | None, frozenset[int], frozenset[int], str]]) -> Lineage:
    """Return the lineage of steps, each by its original, its input, its output, and its type."""
    executions: list[Artifact | Execution] = []
    edges: list[Event] = []
    for at, (original, sources, targets, kind) in enumerate(steps, start=1):
        named = {} if original is None else {"cached_execution_id": original}
        state = ExecutionState.COMPLETE if original is None else ExecutionState.CACHED
        one = Execution(id=at, type=kind, state=state, custom_properties=named)
        executions.append(one)
        edges += [reads(one, data(artifact)) for artifact in sources]
        edges += [writes(one, data(artifact)) for artifact in targets]
    artifacts: list[Artifact | Execution] = [data(at) for at in range(1, ARTIFACTS + 1)]
    whole = lineage([artifacts, executions], edges, direction=Direction.BOTH)
    return replace(whole, start=("artifact:1",))


def ways(graph: LineageGraph) -> set[tuple[int | None, int | None]]:
    """Return the pairs of artifacts of which a step made the second from the first."""
    sides: dict[int | None, tuple[set[int | None], set[int | None]]] = {}
    for event in graph.inner_edges:
        side = sides.setdefault(event.execution_id, (set(), set()))
        side[event.type.is_output].add(event.artifact_id)
    return {
        (one, other) for sources, targets in sides.values() for one in sources for other in targets
    }


@given(_steps)
def test_folding_hides_nothing(
    steps: list[tuple[int | None, frozenset[int], frozenset[int], str]],
) -> None:
    walked = graph_of(steps)
    folded = walked.fold()
    assert folded.artifacts == walked.artifacts
    assert ways(folded) == ways(walked)
    assert len(folded.executions) + folded.repeat_count == len(walked.executions)
    assert all(name in folded for name in folded.repeats)
    ran = [one for one in walked.executions if one.state is ExecutionState.COMPLETE]
    assert [one for one in ran if one not in folded.executions] == []
    assert (folded.whole, folded.verdict) == (walked, walked.verdict)
