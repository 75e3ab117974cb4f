"""FindPaths: the ways from one node to another."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lineage_store import errors
from lineage_store.database.queries.lineage import LineageReader
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.lineage.budget import Meter
from lineage_store.engine.lineage.selection import NUMBERS, check_exist, kind_of
from lineage_store.engine.lineage.sources import Sources
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

Node = tuple[NodeKind, int]
Nodes = dict[NodeKind, set[int]]


@dataclass(slots=True)
class _Found:
    """Paths, each with its events, the verdict on them, and what is folded into executions."""

    paths: list[tuple[list[int], list[Edge]]] = field(default_factory=list)
    verdict: pb.Verdict = field(default_factory=pb.Verdict)
    repeats: dict[int, Repeats] = field(default_factory=dict)


def find_paths(snapshot: Snapshot, request: pb.FindPathsRequest, sources: Sources) -> bytes:
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
    known = graph(request, "as_of", sources, with_bodies=False)(snapshot)
    for kind, node_id in ends:
        check_exist(snapshot, kind, [node_id])
    found = _Found()
    try:
        _search(known, request, ends, meter, found)
    except (OutOfTime, errors.DeadlineExceeded):
        found.verdict.reason = pb.Verdict.MAX_TIME
    return _encoded(known, found)


def _check_bounds(request: Any) -> None:
    max_hops(request, "")
    if not 1 <= request.max_paths <= MAX_PATHS:
        raise errors.InvalidArgument(f"max_paths must be from 1 to {MAX_PATHS}")


def _search(
    known: LineageReader, request: Any, ends: tuple[Node, Node], meter: Meter, found: _Found
) -> None:
    """Find paths until there are no more, or more than were asked for."""
    direction = request.direction or DOWNSTREAM
    nodes = _between(known, ends, direction, meter, found.verdict)
    edges = list(_edges(known, nodes, meter))
    if request.fold_cached:
        edges, found.repeats = _without_repeats(known, edges, ends)
    path_graph = PathGraph(edges, direction)
    source, target = map(_signed, ends)
    search = Search(path_graph, source, target, lambda: meter.is_late)
    longest = request.max_hops if request.HasField("max_hops") else None
    shortest = search.shortest
    if request.shortest_only and shortest is not None:
        longest = shortest if longest is None else min(longest, shortest)
    for path in search.paths(longest):
        if len(found.paths) == request.max_paths:
            _stop(found.verdict, pb.Verdict.MAX_PATHS)
            return
        found.paths.append((path, path_graph.events(path)))
        meter.spend(0, STEP_BYTES * len(path))
        if meter.exhausted is not None:
            _stop(found.verdict, meter.exhausted)
            return
    if search.is_cut and (longest != shortest or not request.shortest_only):
        _stop(found.verdict, pb.Verdict.MAX_HOPS)


def _stop(verdict: pb.Verdict, reason: pb.Verdict.Reason) -> None:
    """Say what stopped the search, unless too many nodes did already."""
    if not verdict.HasField("reason"):
        verdict.reason = reason


def _node(request: Any, end: str) -> Node:
    message = required(request, end, "")
    check_enums(message, f"{end}.")
    return kind_of(message, end), required(message, "id", f"{end}.")


def _signed(node: Node) -> int:
    kind, node_id = node
    return node_id if kind is ARTIFACT else -node_id


def _between(
    known: LineageReader,
    ends: tuple[Node, Node],
    direction: Direction,
    meter: Meter,
    verdict: pb.Verdict,
) -> Nodes:
    """Return nodes among which all paths lie: everything behind the target, or before the source.

    One of the two is enough, and the second is only asked for when the first exceeds the budget.
    """
    nodes: Nodes = {}
    source, target = ends
    for (kind, node_id), way in ((target, _OPPOSITE[direction]), (source, direction)):
        rules = Rules(direction=way)
        types = (rules.types_from(ARTIFACT), rules.types_from(EXECUTION))
        nodes = known.closure(kind, [node_id], types, meter.nodes + 1, meter.seconds)
        if sum(map(len, nodes.values())) <= meter.nodes:
            return nodes
    verdict.reason = pb.Verdict.MAX_NODES
    return nodes


def _edges(known: LineageReader, nodes: Nodes, meter: Meter) -> Iterator[Edge]:
    """Yield the events between some nodes."""
    artifacts = sorted(nodes[ARTIFACT])
    for at in range(0, len(artifacts), BATCH):
        if meter.is_late:
            raise OutOfTime
        batch = artifacts[at : at + BATCH]
        for edge in known.all_events(ARTIFACT, batch):
            if edge[2] in nodes[EXECUTION]:
                yield edge


def _without_repeats(
    known: LineageReader, edges: list[Edge], ends: tuple[Node, Node]
) -> tuple[list[Edge], dict[int, Repeats]]:
    """Return events without those of cached repeats, and what is folded into each execution."""
    flows = flows_of((edge[2], edge[1], edge[3] in OUTPUTS) for edge in edges)
    bodies = known.bodies(EXECUTION, twins(flows)).values()
    executions = [Execution.from_message(metadata_pb2.Execution.FromString(b)) for b in bodies]
    keep = {node_id for kind, node_id in ends if kind is EXECUTION}
    into = find_repeats(executions, flows, keep=keep)
    return [edge for edge in edges if edge[2] not in into], grouped(into)


def _encoded(known: LineageReader, found: _Found) -> bytes:
    bodies = known.event_bodies(edge[0] for _, events in found.paths for edge in events)
    answer = pb.FindPathsResponse()
    for path, events in found.paths:
        shown = answer.paths.add()
        for node in path:
            kind = ARTIFACT if node > 0 else EXECUTION
            shown.nodes.add(kind=NUMBERS[kind], id=abs(node))
        shown.events.extend(metadata_pb2.Event.FromString(bodies[edge[0]]) for edge in events)
    nodes = {node for path, _ in found.paths for node in path}
    for execution_id, repeats in found.repeats.items():
        if -execution_id in nodes:
            answer.repeats.add(execution_id=execution_id, count=repeats.count, ids=repeats.ids)
    verdict = found.verdict
    verdict.complete = not verdict.HasField("reason")
    verdict.node_count, verdict.event_count = len(nodes), len(bodies)
    answer.verdict.CopyFrom(verdict)
    encoded = answer.SerializeToString()
    for kind, sign in ((ARTIFACT, 1), (EXECUTION, -1)):
        of_kind = known.bodies(kind, (sign * node for node in nodes if sign * node > 0))
        encoded += repeated(_FIELDS[kind.plural], (of_kind[i] for i in sorted(of_kind)))
    return encoded
