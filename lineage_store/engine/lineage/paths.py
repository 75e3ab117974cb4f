"""FindPaths: the ways from one node to another."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lineage_store import errors
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.lineage.budget import Meter
from lineage_store.engine.lineage.known_then import check_known
from lineage_store.engine.lineage.reader import GraphReader
from lineage_store.engine.lineage.selection import NUMBERS, check_exist, kind_of
from lineage_store.engine.lineage.sources import GraphSources
from lineage_store.engine.lineage.walks import check_enums, graph, max_hops
from lineage_store.engine.requests import required
from lineage_store.engine.responses import repeated
from lineage_store.entities import Execution
from lineage_store.kinds import ARTIFACT, EXECUTION, NodeKind
from lineage_store.lineage.folding import Repeats, find_repeats, flows_of, grouped, twins
from lineage_store.lineage.rules import (
    BIDIRECTIONAL,
    DOWNSTREAM,
    OUTPUTS,
    UPSTREAM,
    Direction,
    Rules,
)
from lineage_store.lineage.search import OutOfTime, PathGraph, Search
from lineage_store.lineage.source import Edge
from lineage_store.v1 import lineage_pb2 as pb
from lineage_store.v1 import metadata_pb2

MAX_PATHS = 1_000
"""Paths in one answer."""

STEP_BYTES = 64
"""About how many bytes of an answer a node and an event of a path take."""

BATCH = 1024
"""Artifacts whose events are read at once."""

_OPPOSITE = {UPSTREAM: DOWNSTREAM, DOWNSTREAM: UPSTREAM, BIDIRECTIONAL: BIDIRECTIONAL}
_FIELDS = {name: of.number for name, of in pb.FindPathsResponse.DESCRIPTOR.fields_by_name.items()}

NodeKey = tuple[NodeKind, int]
NodeIds = dict[NodeKind, set[int]]


@dataclass(slots=True)
class _Answer:
    """Paths, each with its events, the verdict on them, and the repeats of each execution."""

    paths: list[tuple[list[int], list[Edge]]] = field(default_factory=list)
    verdict: pb.Verdict = field(default_factory=pb.Verdict)
    repeats: dict[int, Repeats] = field(default_factory=dict)


def find_paths(snapshot: Snapshot, request: pb.FindPathsRequest, sources: GraphSources) -> bytes:
    """Answer the ways from one node to another, the shortest first.

    Of several events that lead from one node to the next, a path shows the one recorded first.

    Raises:
        InvalidArgument: The request is not valid.
        NotFound: One of the nodes does not exist.
    """
    check_enums(request, "")
    ends = _node(request, "source"), _node(request, "target")
    meter = Meter(request.budget, sources.limits)
    _check_bounds(request)
    reader = graph(request, "as_of", sources, with_bodies=False)(snapshot)
    for kind, node_id in ends:
        check_exist(snapshot, kind, [node_id])
        check_known(snapshot, kind, [node_id], request.as_of)
    answer = _Answer()
    try:
        _search(reader, request, ends, meter, answer)
    except (OutOfTime, errors.DeadlineExceeded):
        answer.verdict.reason = pb.Verdict.MAX_TIME
    return _encoded(reader, answer)


def _check_bounds(request: pb.FindPathsRequest) -> None:
    max_hops(request, "")
    if not 1 <= request.max_paths <= MAX_PATHS:
        raise errors.InvalidArgument(f"max_paths must be from 1 to {MAX_PATHS}")


def _search(
    reader: GraphReader,
    request: pb.FindPathsRequest,
    ends: tuple[NodeKey, NodeKey],
    meter: Meter,
    answer: _Answer,
) -> None:
    """Find paths until there are no more, or more than were asked for."""
    direction = request.direction or DOWNSTREAM
    nodes = _between(reader, ends, direction, meter, answer.verdict)
    edges = list(_edges(reader, nodes, meter))
    if request.fold_cached:
        edges, answer.repeats = _without_repeats(reader, edges, ends)
    path_graph = PathGraph(edges, direction)
    source, target = map(_signed, ends)
    search = Search(path_graph, source, target, lambda: meter.is_late)
    longest = request.max_hops if request.HasField("max_hops") else None
    shortest = search.shortest
    if request.shortest_only and shortest is not None:
        longest = shortest if longest is None else min(longest, shortest)
    for path in search.paths(longest):
        if len(answer.paths) == request.max_paths:
            _stop(answer.verdict, pb.Verdict.MAX_PATHS)
            return
        answer.paths.append((path, path_graph.events(path)))
        meter.spend(0, STEP_BYTES * len(path))
        if meter.exhausted is not None:
            _stop(answer.verdict, meter.exhausted)
            return
    if search.is_cut and (longest != shortest or not request.shortest_only):
        _stop(answer.verdict, pb.Verdict.MAX_HOPS)


def _stop(verdict: pb.Verdict, reason: pb.Verdict.Reason) -> None:
    """Set the reason that stopped the search, unless there were too many nodes already."""
    if not verdict.HasField("reason"):
        verdict.reason = reason


def _node(request: pb.FindPathsRequest, end: str) -> NodeKey:
    message = required(request, end, "")
    check_enums(message, f"{end}.")
    return kind_of(message, end), required(message, "id", f"{end}.")


def _signed(node: NodeKey) -> int:
    kind, node_id = node
    return node_id if kind is ARTIFACT else -node_id


def _between(
    reader: GraphReader,
    ends: tuple[NodeKey, NodeKey],
    direction: Direction,
    meter: Meter,
    verdict: pb.Verdict,
) -> NodeIds:
    """Return nodes among which all paths lie: everything behind the target, or before the source.

    One of the two is enough, and the second is only asked for when the first exceeds the budget.
    """
    nodes: NodeIds = {}
    source, target = ends
    for (kind, node_id), walk_direction in ((target, _OPPOSITE[direction]), (source, direction)):
        rules = Rules(direction=walk_direction)
        types = (rules.types_from(ARTIFACT), rules.types_from(EXECUTION))
        nodes = reader.closure(kind, [node_id], types, meter.nodes + 1, meter.seconds)
        if sum(map(len, nodes.values())) <= meter.nodes:
            return nodes
    verdict.reason = pb.Verdict.MAX_NODES
    return nodes


def _edges(reader: GraphReader, nodes: NodeIds, meter: Meter) -> Iterator[Edge]:
    """Yield the events between some nodes."""
    artifacts = sorted(nodes[ARTIFACT])
    for at in range(0, len(artifacts), BATCH):
        if meter.is_late:
            raise OutOfTime
        batch = artifacts[at : at + BATCH]
        for edge in reader.all_events(ARTIFACT, batch):
            if edge[2] in nodes[EXECUTION]:
                yield edge


def _without_repeats(
    reader: GraphReader, edges: list[Edge], ends: tuple[NodeKey, NodeKey]
) -> tuple[list[Edge], dict[int, Repeats]]:
    """Return the events without those of cached repeats, and the repeats of each execution."""
    flows = flows_of((edge[2], edge[1], edge[3] in OUTPUTS) for edge in edges)
    bodies = reader.bodies(EXECUTION, twins(flows)).values()
    executions = [Execution.from_message(metadata_pb2.Execution.FromString(b)) for b in bodies]
    keep = {node_id for kind, node_id in ends if kind is EXECUTION}
    into = find_repeats(executions, flows, keep=keep)
    return [edge for edge in edges if edge[2] not in into], grouped(into)


def _encoded(reader: GraphReader, answer: _Answer) -> bytes:
    bodies = reader.event_bodies(edge[0] for _, events in answer.paths for edge in events)
    response = pb.FindPathsResponse()
    for path, events in answer.paths:
        path_message = response.paths.add()
        for node in path:
            kind = ARTIFACT if node > 0 else EXECUTION
            path_message.nodes.add(kind=NUMBERS[kind], id=abs(node))
        path_message.events.extend(
            metadata_pb2.Event.FromString(bodies[edge[0]]) for edge in events
        )
    nodes = {node for path, _ in answer.paths for node in path}
    for execution_id, repeats in answer.repeats.items():
        if -execution_id in nodes:
            response.repeats.add(execution_id=execution_id, count=repeats.count, ids=repeats.ids)
    verdict = answer.verdict
    verdict.complete = not verdict.HasField("reason")
    verdict.node_count, verdict.event_count = len(nodes), len(bodies)
    response.verdict.CopyFrom(verdict)
    encoded = response.SerializeToString()
    for kind, sign in ((ARTIFACT, 1), (EXECUTION, -1)):
        of_kind = reader.bodies(kind, (sign * node for node in nodes if sign * node > 0))
        encoded += repeated(_FIELDS[kind.plural], (of_kind[i] for i in sorted(of_kind)))
    return encoded
