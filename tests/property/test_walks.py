"""Every way to walk a graph finds the same, and a walk cut into pieces is still the same walk."""

import hashlib
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage_store import errors
from lineage_store.client.embedded import EmbeddedTransport
from lineage_store.database.queries.lineage import LineageReader
from lineage_store.engine.lineage import trace
from lineage_store.engine.lineage.sources import AdjacencyReader
from lineage_store.kinds import ARTIFACT, EXECUTION, NodeKind
from lineage_store.lineage.adjacency import reach
from lineage_store.lineage.resumption import digest, read_token, write_token
from lineage_store.lineage.rules import BIDIRECTIONAL, DOWNSTREAM, INPUTS, UPSTREAM, Rules
from lineage_store.lineage.state import State
from lineage_store.lineage.walk import PageSizes, Walk
from lineage_store.v1 import lineage_pb2
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service

pytestmark = pytest.mark.long

SIZE = 7
"""Artifacts in a graph, and executions."""

NO_LIMIT = 10**6
DIRECTIONS = (UPSTREAM, DOWNSTREAM, BIDIRECTIONAL)
NUMBERS = {ARTIFACT: lineage_pb2.ARTIFACT, EXECUTION: lineage_pb2.EXECUTION}

Node = tuple[NodeKind, int]


@dataclass(frozen=True)
class Event:
    artifact: int
    execution: int
    type: int
    moment: int

    @property
    def key(self) -> tuple[int, int, int]:
        return (self.artifact, self.execution, self.type)

    def ways(self, direction: int) -> list[tuple[Node, Node]]:
        """From where to where the event leads."""
        artifact, execution = (ARTIFACT, self.artifact), (EXECUTION, self.execution)
        if direction == BIDIRECTIONAL:
            return [(artifact, execution), (execution, artifact)]
        down = (artifact, execution) if self.type in INPUTS else (execution, artifact)
        return [down if direction == DOWNSTREAM else down[::-1]]


ids = st.integers(1, SIZE)
# Few nodes and many events: diamonds, cycles, artifacts that are input and output of one execution,
# several events between two nodes, nodes without any.
graphs = st.lists(
    st.builds(Event, ids, ids, st.integers(1, 7), st.integers(0, 3)),
    max_size=40,
    unique_by=lambda event: event.key,
)
starts = st.tuples(
    st.sampled_from([ARTIFACT, EXECUTION]), st.lists(ids, min_size=1, max_size=3, unique=True)
)
bounds = st.none() | st.integers(-1, 3)
thorough = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


# How many events are in the arrays of the graph in memory; the others are in its tail. None: there
# is no such graph, and the database answers.
memories = st.none() | st.integers(0, 40)


@contextmanager
def stored(events: list[Event], memory: int | None = None) -> Iterator[EmbeddedTransport]:
    with closing(EmbeddedTransport("sqlite://")) as transport:
        nodes = service.PutLineageSubgraphRequest()
        types = service.PutTypesRequest(
            artifact_types=[pb.ArtifactType(name="A")],
            execution_types=[pb.ExecutionType(name="E")],
        )
        answer: Any = transport.call("PutTypes", types)
        for _ in range(SIZE):
            nodes.artifacts.add(type_id=answer.artifact_type_ids[0])
            nodes.executions.add(type_id=answer.execution_type_ids[0])
        transport.call("PutLineageSubgraph", nodes)
        put_events(transport, events[:memory])
        if memory is not None:
            transport._engine.load_graph(wait=True)
            put_events(transport, events[memory:])
        yield transport


def put_events(transport: EmbeddedTransport, events: list[Event]) -> None:
    request = service.PutEventsRequest()
    for event in events:
        request.events.add(
            artifact_id=event.artifact,
            execution_id=event.execution,
            type=event.type,
            milliseconds_since_epoch=event.moment,
        )
    transport.call("PutEvents", request)


@dataclass(frozen=True)
class Ends:
    """Nodes at which a walk ends."""

    nodes: frozenset[Node] = frozenset()
    are_included: bool = False

    def leads(self, near: Node, there: Node) -> bool:
        return near not in self.nodes and (self.are_included or there not in self.nodes)


def plain(
    events: list[Event],
    start: list[Node],
    direction: int,
    most: int = NO_LIMIT,
    ends: Ends = Ends(),
) -> tuple[dict[Node, int], set[Any]]:
    """Return the distance of each node in reach, and the events that a walk goes over."""
    start = [node for node in start if ends.are_included or node not in ends.nodes]
    ways = [
        (near, there, event.key)
        for event in events
        for near, there in event.ways(direction)
        if ends.leads(near, there)
    ]
    graph = nx.DiGraph()
    graph.add_nodes_from(start)
    graph.add_edges_from((near, there) for near, there, _ in ways)
    hops: dict[Node, int] = {}
    for node in start:
        for reached, hop in nx.single_source_shortest_path_length(graph, node, most).items():
            hops[reached] = min(hop, hops.get(reached, hop))
    return hops, {key for near, _, key in ways if hops.get(near, most) < most}


def events_as_of(events: list[Event], as_of: int | None) -> list[Event]:
    return [event for event in events if as_of is None or event.moment <= as_of]


@thorough
@given(
    graphs,
    memories,
    starts,
    st.sampled_from(DIRECTIONS),
    bounds,
    st.integers(1, 5),
    st.integers(1, 5),
)
def test_frontiers_the_closure_and_networkx_agree(
    events, memory, start, direction, as_of, batch, page
):
    kind, start_ids = start
    if memory is not None:
        as_of = None
    hops, passed = plain(events_as_of(events, as_of), [(kind, i) for i in start_ids], direction)
    bound = None if as_of is None else "happened_at"
    with stored(events, memory) as transport:

        def look(snapshot):
            if memory is None:
                graph = LineageReader(snapshot, bound=bound, as_of=as_of)
            else:
                graph = transport._engine._sources.present(snapshot, with_bodies=True)
                assert isinstance(graph, AdjacencyReader)
            rules = Rules(direction=direction)
            walk = Walk(rules, State.start(kind, start_ids))
            hops, edges = {}, []
            while not walk.is_done:
                step = walk.look(graph, PageSizes(nodes=2, batch=batch, events=page))
                walk.take(step)
                hops.update(((step.kind, i), step.hop) for i in step.nodes)
                edges += [edge[1:4] for edge in step.events]
                for _, *of, body in step.events:
                    event = pb.Event.FromString(body)
                    assert [event.artifact_id, event.execution_id, event.type] == of
            types = (rules.types_from(ARTIFACT), rules.types_from(EXECUTION))
            return hops, edges, graph.closure(kind, start_ids, types, NO_LIMIT)

        nodes, edges, closure = transport._engine._database.read(look)
    assert nodes == hops
    assert len(edges) == len(set(edges))
    assert set(edges) == passed
    assert {(of, i) for of, ids in closure.items() for i in ids} == set(hops)


def request_of(start, direction, as_of, max_hops):
    kind, start_ids = start
    request = lineage_pb2.TraceRequest(ids_only=True)
    request.walk.start.kind = NUMBERS[kind]
    request.walk.start.ids.ids.extend(start_ids)
    request.walk.direction = direction
    if as_of is not None:
        request.walk.as_of.happened_by_milliseconds = as_of
    if max_hops is not None:
        request.walk.max_hops = max_hops
    return request


class Answer:
    """All parts of one or more traces."""

    def __init__(self) -> None:
        self.nodes: list[tuple[Node, int]] = []
        self.events: list[tuple[int, int, int]] = []
        self.verdict: Any = None

    def add(self, parts: Iterator[Any]) -> None:
        for part in parts:
            self.nodes += [((ARTIFACT, node.id), part.hop) for node in part.artifacts]
            self.nodes += [((EXECUTION, node.id), part.hop) for node in part.executions]
            self.events += [(e.artifact_id, e.execution_id, e.type) for e in part.events]
            node_keys = {node for node, _ in self.nodes}
            for artifact, execution, _ in self.events:  # an event never comes before its nodes
                assert {(ARTIFACT, artifact), (EXECUTION, execution)} <= node_keys
            self.verdict = part.verdict


ends = st.builds(
    Ends,
    st.frozensets(st.tuples(st.sampled_from([ARTIFACT, EXECUTION]), ids), max_size=5),
    st.booleans(),
)


def set_ends(walk, ends: Ends) -> None:
    for kind in (ARTIFACT, EXECUTION):
        conditions = [f"id = {i}" for of, i in ends.nodes if of is kind]
        if conditions:
            ending = getattr(walk, f"ending_{kind.plural}")
            ending.filter_query = " OR ".join(conditions)
            ending.include_ending_nodes = ends.are_included


@thorough
@given(
    graphs,
    memories,
    starts,
    st.sampled_from(DIRECTIONS),
    bounds,
    st.none() | st.integers(0, 6),
    ends,
    st.data(),
)
def test_a_trace_cut_anywhere_and_resumed_is_the_same_trace(
    events, memory, start, direction, as_of, max_hops, ends, data
):
    kind, start_ids = start
    most = NO_LIMIT if max_hops is None else max_hops
    nodes = [(kind, i) for i in start_ids]
    hops, passed = plain(events_as_of(events, as_of), nodes, direction, most, ends)
    _, all_events = plain(events_as_of(events, as_of), nodes, direction, ends=ends)
    request = request_of(start, direction, as_of, max_hops)
    set_ends(request.walk, ends)
    answer = Answer()
    with stored(events, memory) as transport:
        seen = {end for one in events_as_of(events, as_of) for end, _ in one.ways(BIDIRECTIONAL)}
        if as_of is not None and not set(nodes) <= seen:
            with pytest.raises(errors.NotFound, match="not known then"):
                list(transport.stream("Trace", request))
            return
        for _ in range(100):
            budget = data.draw(st.integers(1, 4), "budget")
            request.budget.max_nodes = budget
            before = len(answer.nodes)
            answer.add(transport.stream("Trace", request))
            assert len(answer.nodes) - before <= budget
            verdict = answer.verdict
            if verdict.complete or verdict.reason == lineage_pb2.Verdict.MAX_HOPS:
                break
            assert verdict.reason == lineage_pb2.Verdict.MAX_NODES
            request.resume_token = verdict.resume_token
    assert dict(answer.nodes) == hops
    assert len(answer.nodes) == len(hops) == verdict.node_count
    assert [hop for _, hop in answer.nodes] == sorted(hop for _, hop in answer.nodes)
    assert sorted(answer.events) == sorted(passed)
    assert verdict.event_count == len(passed)
    assert verdict.complete == (all_events == passed)


@thorough
@given(graphs, memories, st.sampled_from(DIRECTIONS), ids, ids, st.integers(0, 8))
def test_paths_are_those_of_networkx(events, memory, direction, source, target, max_hops):
    request = lineage_pb2.FindPathsRequest(direction=direction, max_paths=20, max_hops=max_hops)
    request.source.kind, request.source.id = lineage_pb2.ARTIFACT, source
    request.target.kind, request.target.id = lineage_pb2.EXECUTION, target
    graph = nx.DiGraph()
    graph.add_nodes_from([(ARTIFACT, source), (EXECUTION, target)])
    for event in events:
        graph.add_edges_from(event.ways(direction))
    ends = ((ARTIFACT, source), (EXECUTION, target))
    expected = {tuple(path) for path in nx.all_simple_paths(graph, *ends, cutoff=max_hops)}
    with stored(events, memory) as transport:
        answer = transport.call("FindPaths", request)
    kinds = {number: kind for kind, number in NUMBERS.items()}
    node_paths = [
        tuple((kinds[node.kind], node.id) for node in path.nodes) for path in answer.paths
    ]
    assert [len(path) for path in node_paths] == sorted(map(len, expected))[:20]
    assert set(node_paths) <= expected
    assert len(node_paths) == len(set(node_paths))
    assert (answer.verdict.reason == lineage_pb2.Verdict.MAX_PATHS) == (len(expected) > 20)
    assert {node.id for node in answer.artifacts} == {
        i for path in node_paths for kind, i in path if kind is ARTIFACT
    }
    for path, nodes in zip(answer.paths, node_paths, strict=True):
        assert len(path.events) == len(nodes) - 1
        for event, first, there in zip(path.events, nodes, nodes[1:], strict=False):
            ends = {(ARTIFACT, event.artifact_id), (EXECUTION, event.execution_id)}
            assert ends == {first, there}


@thorough
@given(
    graphs,
    memories,
    starts,
    st.sampled_from(DIRECTIONS),
    st.integers(0, 8),
    ends,
    st.sampled_from([1, 2, reach.FEW]),
)
def test_subgraphs_are_those_of_networkx(events, memory, start, direction, max_hops, ends, few):
    """Node by node and hop by hop, out of arrays and lists."""
    kind, start_ids = start
    hops, passed = plain(events, [(kind, i) for i in start_ids], direction, max_hops, ends)
    request = service.GetLineageSubgraphRequest()
    options = request.lineage_subgraph_query_options
    options.direction, options.max_num_hops = direction, max_hops
    starting = getattr(options, f"starting_{kind.plural}")
    starting.filter_query = " OR ".join(f"id = {i}" for i in start_ids)
    set_ends(options, ends)
    with stored(events, memory) as transport, pytest.MonkeyPatch.context() as patch:
        patch.setattr(reach, "FEW", few)
        subgraph = transport.call("GetLineageSubgraph", request).lineage_subgraph
    nodes = [(ARTIFACT, node.id) for node in subgraph.artifacts]
    nodes += [(EXECUTION, node.id) for node in subgraph.executions]
    assert sorted(nodes, key=repr) == sorted(hops, key=repr)
    assert sorted((e.artifact_id, e.execution_id, e.type) for e in subgraph.events) == sorted(
        passed
    )


id_sets = st.frozensets(st.integers(1, SIZE + 1), max_size=4)
states = st.builds(
    State,
    kind=st.sampled_from([ARTIFACT, EXECUTION]),
    hop=st.integers(0, 2**53),
    unsent=st.builds(deque, st.builds(sorted, id_sets)),
    frontier=st.builds(deque, st.builds(sorted, id_sets)),
    after=st.none() | st.tuples(ids, ids, st.integers(0, 9)),
    reached=st.builds(set, id_sets),
    answered=st.fixed_dictionaries(
        {ARTIFACT: st.builds(set, id_sets), EXECUTION: id_sets.map(set)}
    ),
    end_nodes=st.fixed_dictionaries(
        {ARTIFACT: st.builds(set, id_sets), EXECUTION: id_sets.map(set)}
    ),
    nodes=st.integers(0, 2**53),
    events=st.integers(0, 2**53),
)


@thorough
@given(graphs, memories, states, st.sampled_from(DIRECTIONS), st.none() | st.integers(1, 3))
def test_a_forged_token_is_refused_or_walked_from(events, memory, state, direction, max_nodes):
    """Whatever a token claims, the answer is a walk that ends, or InvalidArgument."""
    request = request_of((ARTIFACT, [1]), direction, None, None)
    if max_nodes is not None:
        request.budget.max_nodes = max_nodes
    request.resume_token = write_token(state, trace._digest(request))
    with stored(events, memory) as transport, suppress(errors.InvalidArgument):
        *_, last = transport.stream("Trace", request)
        assert last.HasField("verdict")


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_bytes_that_are_no_token(garbage, payload):
    made_for = digest(b"request")
    packed = zlib.compress(payload)
    checksum = hashlib.sha256(made_for + packed).digest()[:8]
    for token in (garbage, b"\x01" + garbage, b"\x01" + made_for + checksum + packed):
        with pytest.raises(errors.InvalidArgument):
            read_token(token, made_for)
