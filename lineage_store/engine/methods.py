"""Every RPC and what answers it."""

from collections.abc import Callable, Iterator
from typing import Any

from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.database.transaction import Transaction
from lineage_store.engine.cache import cached, claims, explaining, invalidation, lookup, reports
from lineage_store.engine.cache import listing as cache_listing
from lineage_store.engine.lineage import comparing, graph, paths, subgraph, summary, trace
from lineage_store.engine.lineage.adjacency import Read
from lineage_store.engine.lineage.sources import Sources
from lineage_store.engine.metadata import edges, listing, nodes, reading, types
from lineage_store.engine.steps import put_execution as steps
from lineage_store.engine.steps import recording
from lineage_store.kinds import ARTIFACT, EXECUTION, KINDS

Write = Callable[[Transaction, Any], Any]
WriteAlone = Callable[[Transaction, Snapshot, Any], Any]
SnapshotRead = Callable[[Snapshot, Any], Any]
LineageRead = Callable[[Snapshot, Any, Sources], Any]
Stream = Callable[[Read, Any, Sources], Iterator[bytes]]

WRITES: dict[str, Write] = {
    "PutTypes": types.put_types,
    "PutEvents": edges.put_events,
    "PutExecution": steps.put_execution,
    "PutLineageSubgraph": steps.put_lineage_subgraph,
    "PutAttributionsAndAssociations": edges.put_attributions_and_associations,
    "PutParentContexts": edges.put_parent_contexts,
    "Claim": claims.take_claim,
    "Heartbeat": claims.heartbeat,
    "Release": claims.release,
    "RecordStep": recording.record_step,
    "RecordSteps": recording.record_steps,
    "RecordCached": cached.record_cached,
    "ReportArtifacts": reports.report_artifacts,
}
WRITES_ALONE: dict[str, WriteAlone] = {"Invalidate": invalidation.invalidate}
READS: dict[str, SnapshotRead] = {
    "GetArtifactsByURI": reading.get_artifacts_by_uri,
    "GetEventsByArtifactIDs": reading.get_events(ARTIFACT),
    "GetEventsByExecutionIDs": reading.get_events(EXECUTION),
    "GetContextsByArtifact": reading.get_contexts_of(ARTIFACT),
    "GetContextsByExecution": reading.get_contexts_of(EXECUTION),
    "GetArtifactsByContext": listing.get_by_context(ARTIFACT),
    "GetExecutionsByContext": listing.get_by_context(EXECUTION),
    "GetParentContextsByContext": reading.get_parents,
    "GetChildrenContextsByContext": reading.get_children,
    "GetParentContextsByContexts": reading.get_parents_of_many,
    "GetChildrenContextsByContexts": reading.get_children_of_many,
    "Lookup": lookup.lookup,
    "Explain": explaining.explain,
    "ListEntries": cache_listing.list_entries,
    "CacheStats": cache_listing.cache_stats,
}
for kind in KINDS:
    one = kind.name.title()
    WRITES |= {
        f"Put{one}Type": types.put_type(kind),
        f"Put{one}s": nodes.put_nodes(kind),
    }
    READS |= {
        f"Get{one}Type": types.get_type(kind),
        f"Get{one}Types": types.get_types(kind),
        f"Get{one}TypesByID": types.get_types_by_id(kind),
        f"Get{one}TypesByExternalIds": types.get_types_by_external_ids(kind),
        f"Get{one}s": listing.get_all(kind),
        f"Get{one}sByID": reading.get_by_id(kind),
        f"Get{one}sByType": listing.get_by_type(kind),
        f"Get{one}ByTypeAndName": reading.get_by_type_and_name(kind),
        f"Get{one}sByExternalIds": reading.get_by_external_ids(kind),
    }

READS_ONCE = {
    *(f"Get{kind.name.title()}sByID" for kind in KINDS),
    *(f"Get{kind.name.title()}ByTypeAndName" for kind in KINDS),
    *(f"Get{kind.name.title()}sByExternalIds" for kind in KINDS),
    *("GetArtifactsByContext", "GetExecutionsByContext", "GetArtifactsByURI"),
    *("GetEventsByArtifactIDs", "GetEventsByExecutionIDs"),
    *("GetContextsByArtifact", "GetContextsByExecution"),
    *("GetParentContextsByContext", "GetChildrenContextsByContext"),
}
"""Reads that take one query as a rule, so that they need no transaction."""

LINEAGE: dict[str, LineageRead] = {
    "GetLineageGraph": graph.get_lineage_graph,
    "GetLineageSubgraph": subgraph.get_lineage_subgraph,
    "FindPaths": paths.find_paths,
    "Summarize": summary.summarize,
    "Compare": comparing.compare_artifacts,
}
STREAMS: dict[str, Stream] = {"Trace": trace.trace}


def write_of(method: str, request: Any) -> Write | None:
    """Return what answers a request that writes, or None: a lookup does if it takes claims."""
    if method == "Lookup" and request.HasField("claim"):
        return lookup.lookup_and_claim
    return WRITES.get(method)


def writes(method: str, request: Any) -> bool:
    """Whether a request writes."""
    return write_of(method, request) is not None or method in WRITES_ALONE
