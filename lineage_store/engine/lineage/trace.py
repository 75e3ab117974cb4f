"""Trace: a walk answered in parts.

Each step reads in a short transaction of its own, so a slow client never holds one open. Nodes
and events are only ever added, so a step sees everything that was committed before the walk began,
and perhaps some of what came since.
"""

from collections.abc import Iterator
from heapq import nlargest

from lineage_store import errors
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.lineage.adjacency import Read
from lineage_store.engine.lineage.budget import Meter
from lineage_store.engine.lineage.encoding import PART_BYTES, id_only, last_part, parts
from lineage_store.engine.lineage.progress import Progress
from lineage_store.engine.lineage.selection import check_exist
from lineage_store.engine.lineage.sources import GraphSources
from lineage_store.engine.lineage.walks import Plan, plan
from lineage_store.lineage.resumption import digest, read_token, write_token
from lineage_store.lineage.source import other
from lineage_store.lineage.state import State
from lineage_store.lineage.walk import Expansion, PageSizes, Walk
from lineage_store.v1 import lineage_pb2 as pb

PACE = PageSizes()

LOOK_BYTES = 4 * PART_BYTES
"""Bytes of the nodes that are read at once, one node at least."""

CHECKED_IDS = 1_000
"""Nodes of each list in a resume token that are looked up."""


def trace(read: Read, request: pb.TraceRequest, sources: GraphSources) -> Iterator[bytes]:
    """Return the encoded parts of the answer; an empty one says only that the walk goes on.

    Raises:
        InvalidArgument: The request is not valid.
        NotFound: There is nothing to start from.
    """
    meter = Meter(request.budget, sources.limits)
    token_digest = _digest(request)
    walk_plan, state = read(lambda snapshot: _begin(snapshot, request, sources, token_digest))
    progress = Progress(Walk(walk_plan.rules, state), meter, PACE)
    return _parts(read, walk_plan, progress, request.ids_only, token_digest)


def _begin(
    snapshot: Snapshot, request: pb.TraceRequest, sources: GraphSources, token_digest: bytes
) -> tuple[Plan, State]:
    """Return the walk that is asked for, and where it stands."""
    walk_plan = plan(request, snapshot.filter_limits, sources, with_bodies=True)
    if not request.HasField("resume_token"):
        return walk_plan, State.start(walk_plan.kind, walk_plan.find(snapshot))
    state = read_token(request.resume_token, token_digest)
    _check_store(snapshot, state)
    return walk_plan, state


def _digest(request: pb.TraceRequest) -> bytes:
    """Return the digest that ties a resume token to a walk: all of it but hops and budget."""
    fixed_part = pb.TraceRequest(walk=request.walk, ids_only=request.ids_only)
    fixed_part.walk.ClearField("max_hops")
    fixed_part.DiscardUnknownFields()
    return digest(fixed_part.SerializeToString(deterministic=True))


def _check_store(snapshot: Snapshot, state: State) -> None:
    """Check that the nodes of a resume token are of this store.

    Those with the greatest ids are enough: ids are given in order, so a smaller store lacks them.
    """
    checked_ids = {
        state.kind: [*nlargest(CHECKED_IDS, state.unsent), *nlargest(CHECKED_IDS, state.reached)],
        other(state.kind): nlargest(CHECKED_IDS, state.frontier),
    }
    try:
        for kind, ids in checked_ids.items():
            check_exist(snapshot, kind, ids)
    except errors.NotFound as error:
        raise errors.InvalidArgument(
            f"resume_token belongs to another store: {error.message}"
        ) from None


def _parts(
    read: Read, walk_plan: Plan, progress: Progress, ids_only: bool, token_digest: bytes
) -> Iterator[bytes]:
    max_nodes = PACE.nodes

    def look(snapshot: Snapshot) -> tuple[Expansion, list[bytes]] | None:
        graph = walk_plan.graph(snapshot)
        step = progress.look(graph, max_nodes)
        if step is None:
            return None
        if ids_only:
            return step, [id_only(i) for i in step.nodes]
        bodies = graph.bodies_in_order(step.kind, step.nodes)
        count = bodies.fitting(LOOK_BYTES)
        if 0 < count < len(step.nodes):  # a look changes nothing, so another is as good
            step = progress.look(graph, count)
            if step is None:
                return None
            bodies = graph.bodies_in_order(step.kind, step.nodes)
        return step, bodies.read()

    while (look_result := read(look)) is not None:
        step, nodes = look_result
        encoded = list(parts(step.hop, step.kind, nodes, [edge[4] for edge in step.events]))
        progress.take(step, sum(map(len, encoded)))
        max_nodes = _next_size(nodes)
        yield from encoded or [b""]
    yield last_part(_verdict(progress, token_digest))


def _next_size(nodes: list[bytes]) -> int:
    """Return how many nodes to read next, so that nodes of this size make up about one part."""
    size = sum(map(len, nodes))
    return max(1, min(PACE.nodes, len(nodes) * PART_BYTES // size)) if size else PACE.nodes


def _verdict(progress: Progress, token_digest: bytes) -> pb.Verdict:
    verdict = progress.verdict()
    if not verdict.complete:
        token = write_token(progress.walk.state, token_digest)
        if token is not None:
            verdict.resume_token = token
    return verdict
