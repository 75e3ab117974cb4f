"""The arrays of the graph in memory: encoded events of all lengths, nodes with many events."""

from random import Random

import numpy as np
import pytest

from lineage_store.engine.lineage.encoding import id_only, ids_only, joined
from lineage_store.engine.responses import repeated
from lineage_store.kinds import ARTIFACT, EXECUTION
from lineage_store.lineage.adjacency import neighbours, rows
from lineage_store.lineage.adjacency.arena import FEW, MAX_LENGTHS, ArenaBuilder
from lineage_store.lineage.adjacency.columns import BEGINNING, ColumnsBuilder
from lineage_store.lineage.adjacency.graph import Graph
from lineage_store.lineage.adjacency.neighbours import edges
from lineage_store.lineage.adjacency.rows import Rows
from lineage_store.lineage.source import position
from lineage_store.v1 import metadata_pb2 as pb


def event(artifact: int, execution: int, of_type: int = pb.Event.INPUT, key: str = "") -> bytes:
    message = pb.Event(artifact_id=artifact, execution_id=execution, type=of_type)
    if key:
        message.path.steps.add(key=key)
    return message.SerializeToString(deterministic=True)


def lengths() -> list[bytes]:
    """Events of more lengths than there can be matrices, the last of which are kept alone."""
    bodies = [event(1, i, key="k" * i) for i in range(1, MAX_LENGTHS + 20)]
    bodies += [event(1, i, key="k" * i) for i in (3, 5, 7, MAX_LENGTHS + 10, 20_000)]
    Random(1).shuffle(bodies)
    return bodies


@pytest.mark.parametrize("count", [FEW // 2, 200])
def test_events_of_all_lengths(count):
    bodies = lengths()
    first = ArenaBuilder()
    first.add(bodies[:100])
    arena = first.build()
    second = ArenaBuilder(arena)
    for at in range(100, len(bodies), 50):
        second.add(bodies[at : at + 50])
    whole = second.build()
    assert len({len(body) for body in bodies}) > MAX_LENGTHS
    assert whole.long
    assert [whole.body(i) for i in range(len(bodies))] == bodies
    assert [arena.body(i) for i in range(100)] == bodies[:100]
    sample = Random(2).sample(range(len(bodies)), count)
    encoded = b"".join(whole.frames(np.array(sample)))
    events = pb.LineageGraph.FromString(encoded).events
    assert sorted(e.SerializeToString(deterministic=True) for e in events) == sorted(
        bodies[i] for i in sample
    )


def test_what_an_arena_takes_is_what_its_builder_said():
    builder = ArenaBuilder()
    for at in range(0, 300, 60):
        builder.add(lengths()[at : at + 60])
    estimate = builder.nbytes
    assert builder.build().nbytes == pytest.approx(estimate, rel=0.1)


def entries(events: list[tuple[int, int, int]]) -> list[tuple[int, int, int, int, bytes, int]]:
    return [(at, *one, event(*one), 10 * at) for at, one in enumerate(events, 1)]


@pytest.mark.parametrize("kind", [ARTIFACT, EXECUTION])
@pytest.mark.parametrize("types", [None, {3}, {3, 4}, {4, 5}, {7}])
@pytest.mark.parametrize("limit", [1, 7, 64, 10_000])
@pytest.mark.parametrize("batch", [20, neighbours.BATCH])
def test_a_node_with_many_events_is_gone_over_page_by_page(kind, types, limit, batch, monkeypatch):
    monkeypatch.setattr(neighbours, "BATCH", batch)
    choice = Random(4)
    events = {
        (choice.randint(1, 40), choice.randint(1, 40), choice.randint(1, 7)) for _ in range(900)
    }
    events |= {(7, i, t) for i in range(1, 90) for t in (3, 4)}
    log = entries(choice.sample(sorted(events), len(events)))
    builder = ColumnsBuilder()
    builder.add(log[:300])
    builder.add(log[300:700])
    graph = Graph(builder.build())
    graph.extend(log)
    view = graph.view((len(log), 10 * len(log)))
    walked, ids, after = [], list(range(1, 100)), None
    while ids:
        page = edges(view, kind, ids, types, after, limit, with_bodies=True)
        assert len(page) <= limit
        walked += page
        if len(page) < limit:
            break
        after = position(kind, page[-1])
        ids = [i for i in ids if i >= after[0]]
    expected = [(*one[1:5],) for one in log if types is None or one[3] in types]
    near, far = (0, 1) if kind is ARTIFACT else (1, 0)
    expected.sort(key=lambda one: (one[near], one[far], one[2]))
    assert [edge[1:] for edge in walked] == expected


def test_a_graph_of_nothing():
    graph = Graph(ColumnsBuilder().build())
    view = graph.view(BEGINNING)
    assert view.count == 0
    assert edges(view, ARTIFACT, [1, 2], None, None, 10, with_bodies=True) == []


@pytest.mark.parametrize(
    "ids", [[], [1], [127, 128, 16_383, 16_384, 2**21 - 1, 2**21, 2**42, 2**53 - 1], range(1, 300)]
)
def test_ids_are_encoded_as_protobuf_encodes_them(ids):
    pieces = ids_only(3, np.array(ids, np.int64))
    assert b"".join(pieces) == repeated(3, map(id_only, ids))
    assert joined(1, pieces) == repeated(1, [b"".join(pieces)])


@pytest.mark.parametrize("at_once", [1, 7, 50])
def test_rows_that_are_sorted_in_parts(monkeypatch, at_once):
    draw = np.random.default_rng(at_once)
    near, far = (draw.integers(0, 40, 300).astype(np.int32) for _ in range(2))
    types = draw.integers(0, 8, 300).astype(np.uint8)
    whole = Rows(near, far, types, 45)
    monkeypatch.setattr(rows, "AT_ONCE", at_once)
    parts = Rows(near, far, types, 45)
    assert parts.bounds.tolist() == whole.bounds.tolist()
    for of_event in (near, far, types):
        assert of_event[parts.events].tolist() == of_event[whole.events].tolist()
    assert sorted(parts.events.tolist()) == list(range(300))


def test_ids_of_more_than_32_bits():
    builder = ColumnsBuilder()
    ids = [5, 2**31 - 1, 2**31, 2**53 - 1]
    builder.add([(1, ids[0], ids[1], 3, b"a", 1)])
    builder.add([(2, ids[2], ids[3], 4, b"b", 1)])
    columns = builder.build()
    assert columns.ids[ARTIFACT].tolist() == [ids[0], ids[2]]
    assert columns.ids[EXECUTION].tolist() == [ids[1], ids[3]]
    more = ColumnsBuilder(columns)
    more.add([(3, ids[0], 7, 3, b"c", 1)])
    grown = more.build()
    assert grown.ids[EXECUTION].tolist() == [7, ids[1], ids[3]]
    assert grown.ends[EXECUTION].tolist() == [1, 2, 0]
    assert grown.ends[ARTIFACT].tolist() == [0, 1, 0]
