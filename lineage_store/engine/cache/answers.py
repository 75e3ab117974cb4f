"""Messages of the cache, made from stored rows."""

from typing import Any

from lineage_store.cache.slots import Slot
from lineage_store.database.staging.cache_claims import StoredClaim
from lineage_store.database.staging.cache_entries import CacheEntryRow
from lineage_store.v1 import cache_pb2 as pb


def published(entry: CacheEntryRow) -> Any:
    """Return the components and output parameters of an entry, as a CachePublication."""
    return pb.CachePublication.FromString(entry.body)


def components_of(entry: CacheEntryRow) -> dict[str, str]:
    """Return the components of an entry by name."""
    return {component.name: component.value for component in published(entry).components}


def entry_message(entry: CacheEntryRow) -> Any:
    """Return the CacheEntry message of an entry."""
    return pb.CacheEntry(
        id=entry.id,
        scope=entry.scope,
        digest=entry.digest,
        execution_id=entry.execution_id,
        original_execution_id=entry.original_execution_id,
        components=published(entry).components,
        published_at_milliseconds=entry.published_at,
        expires_at_milliseconds=entry.expires_at,
        hit_count=entry.hit_count,
        last_hit_at_milliseconds=entry.last_hit_at,
        invalidated_at_milliseconds=entry.invalidated_at,
        invalidated_by=entry.invalidated_by,
        invalidated_why=entry.invalidated_why,
    )


def claim_message(claim: StoredClaim) -> Any:
    """Return the Claim message of a claim."""
    return pb.Claim(
        scope=claim.scope,
        digest=claim.digest,
        holder=claim.holder,
        token=claim.token,
        expires_at_milliseconds=claim.expires_at,
    )


def output_message(slot: Slot, artifact: Any, event: Any = None) -> Any:
    """Return the StepArtifact message of an output."""
    name, index = slot
    message = pb.StepArtifact(artifact=artifact, name=name or None, index=index)
    if event is not None:
        message.event_type = event.type
        message.happened_at_milliseconds = event.milliseconds_since_epoch
    return message
