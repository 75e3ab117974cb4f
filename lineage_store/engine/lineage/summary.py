"""Summarize: a walk of which only the counts are answered."""

from collections import Counter

from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.lineage.budget import Meter
from lineage_store.engine.lineage.progress import Progress
from lineage_store.engine.lineage.selection import NUMBERS
from lineage_store.engine.lineage.sources import GraphSources
from lineage_store.engine.lineage.walks import plan
from lineage_store.lineage.state import State
from lineage_store.lineage.walk import PageSizes, Walk
from lineage_store.v1 import lineage_pb2 as pb

PACE = PageSizes(nodes=8192, batch=8192, events=16_384)


def summarize(
    snapshot: Snapshot, request: pb.SummarizeRequest, sources: GraphSources
) -> pb.SummarizeResponse:
    """Answer how many nodes and events a walk meets; no body is read."""
    walk_plan = plan(request, snapshot.filter_limits, sources, with_bodies=False)
    meter = Meter(request.budget, sources.limits)
    state = State.start(walk_plan.kind, walk_plan.find(snapshot))
    progress = Progress(Walk(walk_plan.rules, state), meter, PACE)
    graph = walk_plan.graph(snapshot)
    nodes: Counter[tuple[int, int, str]] = Counter()
    events: Counter[int] = Counter()
    for step in progress.steps(graph):
        names = graph.type_names(step.kind, step.nodes)
        nodes.update((step.hop, NUMBERS[step.kind], names[i]) for i in step.nodes)
        events.update(edge[3] for edge in step.events)
    answer = pb.SummarizeResponse(verdict=progress.verdict())
    for (hop, kind, name), count in sorted(nodes.items()):
        answer.nodes.add(kind=kind, type=name, hop=hop, count=count)
    for event_type, count in sorted(events.items()):
        answer.events.add(type=event_type, count=count)
    return answer
