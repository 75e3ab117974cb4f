"""An entry published: the claim checked, and ended."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lineage_store import errors
from lineage_store.cache.leases import check_publication
from lineage_store.database.clock import now_ms
from lineage_store.database.staging.cache_claims import Ended
from lineage_store.database.staging.cache_entries import Entry
from lineage_store.database.transaction import Transaction
from lineage_store.engine.cache import checks
from lineage_store.kinds import EXECUTION
from lineage_store.v1 import cache_pb2 as pb


@dataclass(frozen=True, slots=True)
class Origin:
    """From where an execution was served; times in ms.

    Attributes:
        execution_id: The execution that really ran.
        published_at: From when on the age of what it made counts.
        expires_at: Until when that is good; None: for ever.
    """

    execution_id: int
    published_at: int
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Publication:
    """A CachePublication that was checked.

    Attributes:
        scope: Where the key is valid.
        digest: The key.
        components: What it was made from.
        holder: Who has the claim; None: nobody.
        token: Of the claim.
        time_to_live: For how many ms it is good; None: for ever.
        body: What is kept of the message, encoded.
    """

    scope: str
    digest: bytes
    components: Mapping[str, str]
    holder: str | None
    token: int | None
    time_to_live: int | None
    body: bytes


def publication(message: Any, where: str) -> Publication:
    """Return what a step publishes.

    Raises:
        InvalidArgument: The message is malformed.
    """
    if message.HasField("token") != message.HasField("holder"):
        raise errors.InvalidArgument(f"{where}holder and {where}token belong together")
    has_claim = message.HasField("token")
    checks.parameters(message.output_parameters, f"{where}output_parameters")
    return Publication(
        scope=checks.scope_of(message, where),
        digest=checks.digest(message.digest, f"{where}digest"),
        components=checks.components(message.components, f"{where}components"),
        holder=checks.holder(message, where) if has_claim else None,
        token=message.token if has_claim else None,
        time_to_live=checks.duration(message, "time_to_live_milliseconds", where),
        body=_body(message),
    )


def _body(message: Any) -> bytes:
    kept = pb.CachePublication(
        components=message.components, output_parameters=message.output_parameters
    )
    kept.DiscardUnknownFields()
    return kept.SerializeToString(deterministic=True)


def publish(
    tx: Transaction, given: Publication, execution_id: int, origin: Origin | None = None
) -> int:
    """Stage the entry of an execution and end the claim of its key; return the id of the entry.

    What the execution has published before is not published again.

    Args:
        tx: The transaction.
        given: What to publish.
        execution_id: The execution.
        origin: From where the execution was served; None: it ran.

    Raises:
        StaleClaim: Someone else has the claim, or the one that is named has ended.
    """
    known = _known(tx, given, execution_id)
    if known is not None:
        return known
    now = now_ms()
    claim = tx.claims.find(given.scope, given.digest)
    check_publication(claim, given.holder, given.token, now)
    entry = _entry(tx, given, execution_id, origin or Origin(execution_id, now), now)
    tx.entries.create(entry, given.components.items())
    if claim is not None and claim.ended is Ended.NOT_YET:
        tx.claims.put(replace(claim, ended=Ended.PUBLISHED))
    return entry.id


def _known(tx: Transaction, given: Publication, execution_id: int) -> int | None:
    is_new = tx.nodes[EXECUTION].is_new(execution_id)
    key = (given.scope, given.digest)
    published = tx.entries.of_executions([execution_id], are_new=is_new)
    return next((entry.id for entry in published if (entry.scope, entry.digest) == key), None)


def _entry(
    tx: Transaction, given: Publication, execution_id: int, origin: Origin, now: int
) -> Entry:
    """Return a new entry, as old as what it comes from: copying something does not refresh it."""
    own_end = None if given.time_to_live is None else now + given.time_to_live
    ends = [end for end in (own_end, origin.expires_at) if end is not None]
    return Entry(
        id=tx.new_id("cache_entries"),
        scope=given.scope,
        digest=given.digest,
        execution_id=execution_id,
        original_execution_id=origin.execution_id,
        published_at=origin.published_at,
        expires_at=min(ends, default=None),
        hit_count=0,
        last_hit_at=None,
        invalidated_at=None,
        invalidated_by=None,
        invalidated_why=None,
        body=given.body,
    )
