"""Invalidate: entries never hit again, and neither does anything made from their outputs."""

from lineage_store import errors
from lineage_store.database.clock import now_ms
from lineage_store.database.queries.cache_listing import EntryReader
from lineage_store.database.queries.lineage import NO_LIMIT, LineageReader
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.database.staging.cache_entries import CacheEntryRow, Tombstone
from lineage_store.database.transaction import Transaction
from lineage_store.engine.cache.answers import entry_message
from lineage_store.engine.cache.selection import (
    EntrySelection,
    executions_of,
    parse_selection,
    producers,
    select_entries,
)
from lineage_store.engine.requests import text
from lineage_store.engine.sizes import check_size
from lineage_store.kinds import ARTIFACT, EXECUTION
from lineage_store.lineage.rules import INPUTS, OUTPUTS
from lineage_store.v1 import cache_pb2 as pb


def invalidate(
    tx: Transaction, snapshot: Snapshot, request: pb.InvalidateRequest
) -> pb.InvalidateResponse:
    """Invalidate the entries that are selected, and answer them."""
    if not request.entries.ListFields():
        raise errors.InvalidArgument("entries must select the entries to invalidate")
    selection = parse_selection(request.entries)
    tombstone = Tombstone(now_ms(), text("by", request.by), text("why", request.why))
    check_size(tx, len(tombstone.by.encode()) + len(tombstone.why.encode()), "by and why")
    entries_by_id = {entry.id: entry for entry in select_entries(snapshot, selection)}
    if request.transitive:
        affected = _downstream(snapshot, selection, list(entries_by_id.values()))
        entries_by_id |= {entry.id: entry for entry in tx.entries.of_executions(affected)}
    newest_first = (entries_by_id[i] for i in sorted(entries_by_id, reverse=True))
    valid = [entry for entry in newest_first if entry.invalidated_at is None]
    if not request.dry_run:
        for entry in valid:
            tx.entries.invalidate(entry, tombstone)
    return pb.InvalidateResponse(entries=[entry_message(tombstone.on(e)) for e in valid])


def _downstream(
    snapshot: Snapshot, selection: EntrySelection, entries: list[CacheEntryRow]
) -> set[int]:
    """Return the executions whose outputs come from those of some entries, copies included."""
    executions = {entry.execution_id for entry in entries}
    originals = {entry.original_execution_id for entry in entries}
    artifacts = set[int]()
    if selection.is_of_nodes:
        executions |= executions_of(snapshot, selection) or set()
        artifacts |= selection.artifact_ids or set()
    reached_ids, artifacts = _reach(snapshot, executions, artifacts, originals)
    reached_ids |= producers(snapshot, artifacts)  # also those that were served from the cache
    return reached_ids | EntryReader(snapshot.connection).copies_of(reached_ids | originals)


def _reach(
    snapshot: Snapshot, executions: set[int], artifacts: set[int], originals: set[int]
) -> tuple[set[int], set[int]]:
    """Return the executions and artifacts that come from some, also by way of copies.

    A step that was served from the cache may have copied the outputs. Only the execution of that
    step leads to the nodes that were made from the copy.
    """
    reader, cache = LineageReader(snapshot, with_bodies=False), EntryReader(snapshot.connection)
    closure = reader.closure(ARTIFACT, sorted(artifacts), (INPUTS, OUTPUTS), NO_LIMIT)
    execution_ids, artifact_ids = set(closure[EXECUTION]), artifacts | closure[ARTIFACT]
    start = executions | cache.copies_of(execution_ids | originals) - execution_ids
    while start:
        closure = reader.closure(EXECUTION, sorted(start), (INPUTS, OUTPUTS), NO_LIMIT)
        execution_ids |= start | closure[EXECUTION]
        artifact_ids |= closure[ARTIFACT]
        start = cache.copies_of(execution_ids | originals) - execution_ids
    return execution_ids, artifact_ids
