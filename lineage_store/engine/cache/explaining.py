"""Explain: which parts of a key are new."""

from typing import Any

from lineage_store import errors
from lineage_store.cache.comparison import STEP, differences, equal_count, nearest
from lineage_store.database.queries.cache_listing import EntryQuery, EntryReader
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.database.staging.cache_entries import Entry, component_hash
from lineage_store.database.transaction import Transaction
from lineage_store.engine.cache import checks
from lineage_store.engine.cache.answers import components_of, entry_message
from lineage_store.v1 import cache_pb2 as pb

MAX_COMPARED = 1_000
"""Entries that are looked at, the newest ones of the kind of step."""


def explain(snapshot: Snapshot, request: pb.ExplainRequest) -> pb.ExplainResponse:
    """Compare components with those of the nearest earlier entry."""
    given = checks.components(request.components, "components")
    entry = _compared_with(snapshot, request, given)
    if entry is None:
        return pb.ExplainResponse()
    stored = components_of(entry)
    found = [
        pb.ExplainResponse.Difference(name=one.name, stored=one.stored, given=one.given)
        for one in differences(stored, given)
    ]
    return pb.ExplainResponse(
        nearest=entry_message(entry),
        differences=found,
        equal_components=equal_count(stored, given),
    )


def _compared_with(snapshot: Snapshot, request: Any, given: dict[str, str]) -> Entry | None:
    if request.HasField("execution_id"):
        return _of_execution(snapshot, request)
    candidates = _candidates(snapshot, checks.scope_of(request), given)
    return nearest(((entry, components_of(entry)) for entry in candidates), given)


def _candidates(snapshot: Snapshot, scope: str, given: dict[str, str]) -> list[Entry]:
    step = component_hash(STEP, given[STEP]) if STEP in given else None
    query = EntryQuery(scope=scope, component_hash=step, limit=MAX_COMPARED)
    return EntryReader(snapshot.connection).page(query)


def _of_execution(snapshot: Snapshot, request: Any) -> Entry:
    entries = Transaction.reading(snapshot).entries.of_executions([request.execution_id])
    if request.HasField("scope"):
        scope = checks.scope_of(request)
        entries = [entry for entry in entries if entry.scope == scope]
    if not entries:
        raise errors.NotFound(
            f"execution_id: execution {request.execution_id} has published no entry"
        )
    return entries[0]
