"""Explain: which parts of a key are new."""

from lineage_store import errors
from lineage_store.cache.comparison import STEP, differences, equal_count, nearest
from lineage_store.database.queries.cache_listing import EntryQuery, EntryReader
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.database.staging.cache_entries import CacheEntryRow, component_hash
from lineage_store.database.transaction import Transaction
from lineage_store.engine.cache import checks
from lineage_store.engine.cache.answers import components_of, entry_message
from lineage_store.v1 import cache_pb2 as pb

MAX_COMPARED = 1_000
"""Entries that are looked at, the newest ones of the kind of step."""


def explain(snapshot: Snapshot, request: pb.ExplainRequest) -> pb.ExplainResponse:
    """Compare components with those of the nearest earlier entry."""
    components = checks.components(request.components, "components")
    entry = _compared_with(snapshot, request, components)
    if entry is None:
        return pb.ExplainResponse()
    stored_components = components_of(entry)
    difference_messages = [
        pb.ExplainResponse.Difference(name=part.name, stored=part.stored, given=part.given)
        for part in differences(stored_components, components)
    ]
    return pb.ExplainResponse(
        nearest=entry_message(entry),
        differences=difference_messages,
        equal_components=equal_count(stored_components, components),
    )


def _compared_with(
    snapshot: Snapshot, request: pb.ExplainRequest, components: dict[str, str]
) -> CacheEntryRow | None:
    if request.HasField("execution_id"):
        return _of_execution(snapshot, request)
    candidates = _candidates(snapshot, checks.scope_of(request), components)
    return nearest(((entry, components_of(entry)) for entry in candidates), components)


def _candidates(snapshot: Snapshot, scope: str, components: dict[str, str]) -> list[CacheEntryRow]:
    step = component_hash(STEP, components[STEP]) if STEP in components else None
    query = EntryQuery(scope=scope, component_hash=step, limit=MAX_COMPARED)
    return EntryReader(snapshot.connection).page(query)


def _of_execution(snapshot: Snapshot, request: pb.ExplainRequest) -> CacheEntryRow:
    entries = Transaction.reading(snapshot).entries.of_executions([request.execution_id])
    if request.HasField("scope"):
        scope = checks.scope_of(request)
        entries = [entry for entry in entries if entry.scope == scope]
    if not entries:
        raise errors.NotFound(
            f"execution_id: execution {request.execution_id} has published no entry"
        )
    return entries[0]
