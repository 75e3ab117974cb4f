"""An entry published: the claim checked, and ended."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lineage_store import errors
from lineage_store.cache.leases import check_publication
from lineage_store.database.clock import now_ms
from lineage_store.database.staging.cache_claims import Ended
from lineage_store.database.staging.cache_entries import CacheEntryRow
from lineage_store.database.transaction import Transaction
from lineage_store.engine.cache import checks
from lineage_store.kinds import EXECUTION
from lineage_store.v1 import cache_pb2 as pb


@dataclass(frozen=True, slots=True)
class Origin:
    """The source that an execution was served from; times in ms.

    Attributes:
        execution_id: The execution that really ran.
        published_at: When its outputs were published: their age counts from here.
        expires_at: When they expire; None: never.
    """

    execution_id: int
    published_at: int
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class CheckedPublication:
    """A checked CachePublication.

    Attributes:
        scope: The scope of the key.
        digest: The key.
        components: The components of the key, by name.
        holder: The holder of the claim; None: nobody.
        token: The token of the claim.
        time_to_live: Lifetime of the entry in ms; None: for ever.
        body: The part of the message that is stored, encoded.
    """

    scope: str
    digest: bytes
    components: Mapping[str, str]
    holder: str | None
    token: int | None
    time_to_live: int | None
    body: bytes


def parse_publication(message: pb.CachePublication, where: str) -> CheckedPublication:
    """Return the publication of a step, checked.

    Raises:
        InvalidArgument: The message is malformed.
    """
    if message.HasField("token") != message.HasField("holder"):
        raise errors.InvalidArgument(f"{where}holder and {where}token belong together")
    has_claim = message.HasField("token")
    checks.parameters(message.output_parameters, f"{where}output_parameters")
    return CheckedPublication(
        scope=checks.scope_of(message, where),
        digest=checks.digest(message.digest, f"{where}digest"),
        components=checks.components(message.components, f"{where}components"),
        holder=checks.holder(message, where) if has_claim else None,
        token=message.token if has_claim else None,
        time_to_live=checks.duration(message, "time_to_live_milliseconds", where),
        body=_body(message),
    )


def _body(message: pb.CachePublication) -> bytes:
    stored_part = pb.CachePublication(
        components=message.components, output_parameters=message.output_parameters
    )
    stored_part.DiscardUnknownFields()
    return stored_part.SerializeToString(deterministic=True)


def publish(
    tx: Transaction,
    publication: CheckedPublication,
    execution_id: int,
    origin: Origin | None = None,
) -> int:
    """Stage the entry of an execution and end the claim of its key; return the id of the entry.

    An execution publishes a key only once: a repetition returns the id of the first entry.

    Args:
        tx: The transaction.
        publication: The publication.
        execution_id: The execution.
        origin: The source that the execution was served from; None: it ran.

    Raises:
        StaleClaim: Someone else has the claim, or the one that is named has ended.
    """
    published_id = _published_id(tx, publication, execution_id)
    if published_id is not None:
        return published_id
    now = now_ms()
    claim = tx.claims.find(publication.scope, publication.digest)
    check_publication(claim, publication.holder, publication.token, now)
    entry = _entry(tx, publication, execution_id, origin or Origin(execution_id, now), now)
    tx.entries.create(entry, publication.components.items())
    if claim is not None and claim.ended is Ended.NOT_YET:
        tx.claims.put(replace(claim, ended=Ended.PUBLISHED))
    return entry.id


def _published_id(
    tx: Transaction, publication: CheckedPublication, execution_id: int
) -> int | None:
    is_new = tx.nodes[EXECUTION].is_new(execution_id)
    key = (publication.scope, publication.digest)
    entries = tx.entries.of_executions([execution_id], are_new=is_new)
    return next((entry.id for entry in entries if (entry.scope, entry.digest) == key), None)


def _entry(
    tx: Transaction,
    publication: CheckedPublication,
    execution_id: int,
    origin: Origin,
    now: int,
) -> CacheEntryRow:
    """Return a new entry, as old as its origin: a copy is no fresher than the original."""
    own_end = None if publication.time_to_live is None else now + publication.time_to_live
    ends = [end for end in (own_end, origin.expires_at) if end is not None]
    return CacheEntryRow(
        id=tx.new_id("cache_entries"),
        scope=publication.scope,
        digest=publication.digest,
        execution_id=execution_id,
        original_execution_id=origin.execution_id,
        published_at=origin.published_at,
        expires_at=min(ends, default=None),
        hit_count=0,
        last_hit_at=None,
        invalidated_at=None,
        invalidated_by=None,
        invalidated_why=None,
        body=publication.body,
    )
