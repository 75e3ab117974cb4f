"""ListEntries and CacheStats."""

from bisect import bisect_right
from dataclasses import asdict
from itertools import accumulate

from lineage_store import errors
from lineage_store.database.clock import now_ms
from lineage_store.database.ids import MAX_ID
from lineage_store.database.queries.cache_listing import EntryReader
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.database.staging.cache_entries import CacheEntryRow
from lineage_store.engine.cache import checks
from lineage_store.engine.cache.answers import entry_message
from lineage_store.engine.cache.selection import (
    EntrySelection,
    parse_selection,
    query_of,
    select_entries,
)
from lineage_store.limits import MAX_PAGE, PAGE_BYTES
from lineage_store.v1 import cache_pb2 as pb


def list_entries(snapshot: Snapshot, request: pb.ListEntriesRequest) -> pb.ListEntriesResponse:
    """Answer a page of entries, newest first."""
    if request.max_result_size <= 0:
        raise errors.InvalidArgument("max_result_size must be at least 1")
    limit = min(request.max_result_size, MAX_PAGE)
    selection, before = parse_selection(request.entries), _before(request)
    with_invalidated = request.include_invalidated
    read_page = _listed if selection.is_listed else _paged
    entries, has_more = read_page(
        snapshot, selection, before, limit, with_invalidated=with_invalidated
    )
    response = pb.ListEntriesResponse(entries=map(entry_message, entries))
    if has_more:
        response.next_page_token = str(entries[-1].id)
    return response


def _before(request: pb.ListEntriesRequest) -> int | None:
    token = request.page_token
    if not token:
        return None
    if not (token.isascii() and token.isdigit()) or int(token) > MAX_ID:
        raise errors.InvalidArgument("page_token is not a page token")
    return int(token)


def _paged(
    snapshot: Snapshot,
    selection: EntrySelection,
    before: int | None,
    limit: int,
    *,
    with_invalidated: bool,
) -> tuple[list[CacheEntryRow], bool]:
    """Return a page of entries by one query, and whether there are more."""
    query = query_of(selection, before_id=before, limit=limit, with_invalidated=with_invalidated)
    return EntryReader(snapshot.connection).part(query)


def _listed(
    snapshot: Snapshot,
    selection: EntrySelection,
    before: int | None,
    limit: int,
    *,
    with_invalidated: bool,
) -> tuple[list[CacheEntryRow], bool]:
    """Return a page of entries that are read together, and whether there are more."""
    entries = [
        entry
        for entry in select_entries(snapshot, selection)
        if (before is None or entry.id < before)
        and (with_invalidated or entry.invalidated_at is None)
    ]
    sizes = list(accumulate(len(entry.body) for entry in entries[:limit]))
    count = max(1, bisect_right(sizes, PAGE_BYTES))
    return entries[:count], count < len(entries)


def cache_stats(snapshot: Snapshot, request: pb.CacheStatsRequest) -> pb.CacheStatsResponse:
    """Count entries, hits and claims."""
    scope = checks.scope_of(request) if request.HasField("scope") else None
    counts = EntryReader(snapshot.connection).counts(scope, now_ms())
    return pb.CacheStatsResponse(**asdict(counts))
