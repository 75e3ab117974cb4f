"""Invalidate: entries that never hit again, and with them what was made from their outputs."""

from lineage_store import errors
from lineage_store.database.clock import now_ms
from lineage_store.database.queries.cache_listing import EntryReader
from lineage_store.database.queries.lineage import NO_LIMIT, LineageReader
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.database.staging.cache_entries import Entry, Tombstone
from lineage_store.database.transaction import Transaction
from lineage_store.engine.cache.answers import entry_message
from lineage_store.engine.cache.selection import (
    Selection,
    executions_of,
    producers,
    selected,
    selection,
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
        raise errors.InvalidArgument("entries must name what to invalidate")
    chosen = selection(request.entries)
    tombstone = Tombstone(now_ms(), text("by", request.by), text("why", request.why))
    check_size(tx, len(tombstone.by.encode()) + len(tombstone.why.encode()), "by and why")
    found = {entry.id: entry for entry in selected(snapshot, chosen)}
    if request.transitive:
        affected = _downstream(snapshot, chosen, list(found.values()))
        found |= {entry.id: entry for entry in tx.entries.of_executions(affected)}
    valid = [found[i] for i in sorted(found, reverse=True) if found[i].invalidated_at is None]
    if not request.dry_run:
        for entry in valid:
            tx.entries.invalidate(entry, tombstone)
    return pb.InvalidateResponse(entries=[entry_message(tombstone.on(e)) for e in valid])


def _downstream(snapshot: Snapshot, chosen: Selection, entries: list[Entry]) -> set[int]:
    """Return the executions whose outputs come from those of some entries, copies included."""
    executions = {entry.execution_id for entry in entries}
    originals = {entry.original_execution_id for entry in entries}
    artifacts = set[int]()
    if chosen.is_of_nodes:
        executions |= executions_of(snapshot, chosen) or set()
        artifacts |= chosen.artifact_ids or set()
    reached, artifacts = _reach(snapshot, executions, artifacts, originals)
    reached |= producers(snapshot, artifacts)  # also those that were served from the cache
    return reached | EntryReader(snapshot.connection).copies_of(reached | originals)


def _reach(
    snapshot: Snapshot, executions: set[int], artifacts: set[int], originals: set[int]
) -> tuple[set[int], set[int]]:
    """Return the executions and artifacts that come from some, also by way of copies.

    A step that was served from the cache may have copied the outputs: what was made from the copy
    is found from the execution of that step alone.
    """
    reader, cache = LineageReader(snapshot, with_bodies=False), EntryReader(snapshot.connection)
    met = reader.closure(ARTIFACT, sorted(artifacts), (INPUTS, OUTPUTS), NO_LIMIT)
    reached, written = set(met[EXECUTION]), artifacts | met[ARTIFACT]
    start = executions | cache.copies_of(reached | originals) - reached
    while start:
        met = reader.closure(EXECUTION, sorted(start), (INPUTS, OUTPUTS), NO_LIMIT)
        reached |= start | met[EXECUTION]
        written |= met[ARTIFACT]
        start = cache.copies_of(reached | originals) - reached
    return reached, written
