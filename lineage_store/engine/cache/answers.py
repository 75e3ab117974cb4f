"""Messages of the cache, made from stored rows."""

from lineage_store.cache.slots import Slot
from lineage_store.database.staging.cache_claims import StoredClaim
from lineage_store.database.staging.cache_entries import CacheEntryRow
from lineage_store.v1 import cache_pb2 as pb
from lineage_store.v1 import metadata_pb2


def publication_of(entry: CacheEntryRow) -> pb.CachePublication:
    """Return the components and output parameters of an entry, as a CachePublication."""
    return pb.CachePublication.FromString(entry.body)


def components_of(entry: CacheEntryRow) -> dict[str, str]:
    """Return the components of an entry by name."""
    return {component.name: component.value for component in publication_of(entry).components}


def entry_message(entry: CacheEntryRow) -> pb.CacheEntry:
    """Return the CacheEntry message of an entry."""
    return pb.CacheEntry(
        id=entry.id,
        scope=entry.scope,
        digest=entry.digest,
        execution_id=entry.execution_id,
        original_execution_id=entry.original_execution_id,
        components=publication_of(entry).components,
        published_at_milliseconds=entry.published_at,
        expires_at_milliseconds=entry.expires_at,
        hit_count=entry.hit_count,
        last_hit_at_milliseconds=entry.last_hit_at,
        invalidated_at_milliseconds=entry.invalidated_at,
        invalidated_by=entry.invalidated_by,
        invalidated_why=entry.invalidated_why,
    )


def claim_message(claim: StoredClaim) -> pb.Claim:
    """Return the Claim message of a claim."""
    return pb.Claim(
        scope=claim.scope,
        digest=claim.digest,
        holder=claim.holder,
        token=claim.token,
        expires_at_milliseconds=claim.expires_at,
    )


def output_message(
    slot: Slot, artifact: metadata_pb2.Artifact | None, event: metadata_pb2.Event | None = None
) -> pb.StepArtifact:
    """Return the StepArtifact message of an output."""
    name, index = slot
    message = pb.StepArtifact(artifact=artifact, name=name or None, index=index)
    if event is not None:
        message.event_type = event.type
        message.happened_at_milliseconds = event.milliseconds_since_epoch
    return message
