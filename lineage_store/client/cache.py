"""The cache: what `LineageStore.cache` offers."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.cache.keys import DIGEST_BYTES, Component, Key
from lineage_store.client.cache_answers import (
    CacheEntry,
    CacheStats,
    Claim,
    Decision,
    Explanation,
    WaitEvent,
    component_messages,
    decision_of,
)
from lineage_store.client.calls import Page
from lineage_store.client.transport import Transport
from lineage_store.v1 import cache_pb2 as pb

AnyKey = Key | bytes | str
"""A key, its digest, or what another system calls a fingerprint."""

LEASE = timedelta(seconds=30)
"""The time that a claim lasts unless it is extended."""


class LookupOptions(TypedDict, total=False):
    """Options of a lookup: the conditions on entries, and the claims to take.

    Attributes:
        scope: The scope of the keys; "" by default.
        max_age: Entries that were published longer ago do not count.
        not_before: Entries that were published earlier do not count; with a time zone.
        require_live: Each output must be LIVE; so it is by default.
        verified_within: Each output must have been reported as verified within this time.
        claim: The holder who takes the claim of each key that is missed and free. By default no
            claim is taken.
        lease: How long such a claim lasts; 30 s by default.
    """

    scope: str
    max_age: timedelta | None
    not_before: datetime | None
    require_live: bool
    verified_within: timedelta | None
    claim: str | None
    lease: timedelta


class Cache:
    """Decides whether steps may be skipped; made by `LineageStore.cache`.

    `scope` is part of every key: entries of one scope are not seen in another. A key is given as a
    `Key`, or as its digest of 32 bytes.

    Args:
        transport: Carries the requests.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _call(self, method: str, request: Message) -> Any:  # noqa: ANN401 - the response of the method
        return self._transport.call(method, request)

    def lookup(self, key: AnyKey, **options: Unpack[LookupOptions]) -> Decision:
        """Decide for one key: `Hit`, `Miss` or `InFlight`; see `lookup_many`."""
        return self.lookup_many([key], **options)[0]

    def lookup_many(
        self, keys: Sequence[AnyKey], **options: Unpack[LookupOptions]
    ) -> list[Decision]:
        """Decide for many keys in one call, as for all steps of a pipeline, in their order.

        Args:
            keys: A str is a fingerprint of Kubeflow Pipelines or TFX.
            options: See `LookupOptions`.

        Raises:
            InvalidArgument: A digest has not 32 bytes, or a duration is negative.
        """
        request = _lookup_request([_key_message(key) for key in keys], options)
        return [decision_of(result) for result in self._call("Lookup", request).results]

    def claim(
        self, key: Key | bytes, holder: str, *, scope: str = "", lease: timedelta = LEASE
    ) -> Claim | None:
        """Return the claim of a key, if the caller got it; None: someone else has it.

        Raises:
            InvalidArgument: The digest has not 32 bytes, or nobody is named as holder.
        """
        request = pb.ClaimRequest(
            scope=scope,
            digest=_digest(key),
            holder=holder,
            lease_milliseconds=_milliseconds(lease, "lease"),
        )
        response = self._call("Claim", request)
        return Claim.from_message(response.claim) if response.is_acquired else None

    def heartbeat(self, claims: Sequence[Claim], *, lease: timedelta = LEASE) -> list[Claim]:
        """Extend claims; return those that are still held, with their new expiry."""
        request = pb.HeartbeatRequest(
            claims=[claim.to_message() for claim in claims],
            lease_milliseconds=_milliseconds(lease, "lease"),
        )
        return [Claim.from_message(message) for message in self._call("Heartbeat", request).claims]

    def release(self, claims: Sequence[Claim]) -> None:
        """Give claims back; one that is no longer held is no error."""
        self._call("Release", pb.ReleaseRequest(claims=[claim.to_message() for claim in claims]))

    def wait(
        self,
        keys: Sequence[Key | bytes],
        *,
        scope: str = "",
        timeout: timedelta | None = None,
    ) -> Iterator[tuple[bytes, WaitEvent]]:
        """Yield the digest of each key with an event, as soon as the key is not in flight.

        Args:
            keys: The keys to wait for.
            scope: The scope of the keys.
            timeout: Afterwards, keys still in flight are answered as STILL_IN_FLIGHT; None: wait
                as long as the server lets a call last.

        Raises:
            InvalidArgument: A digest has not 32 bytes, or the timeout is negative.
        """
        request = pb.WaitRequest(
            scope=scope,
            digests=[_digest(key) for key in keys],
            max_milliseconds=_milliseconds(timeout, "timeout"),
        )
        return self._events(request)

    def _events(self, request: pb.WaitRequest) -> Iterator[tuple[bytes, WaitEvent]]:
        for answer in self._transport.stream("Wait", request):
            message: Any = answer
            yield message.digest, WaitEvent(pb.WaitResponse.Event.Name(message.event))

    def invalidate(
        self,
        *,
        by: str,
        why: str,
        scope: str | None = None,
        keys: Sequence[Key | bytes] = (),
        executions: Sequence[int] = (),
        artifacts: Sequence[int] = (),
        contexts: Sequence[int] = (),
        entries: Sequence[int] = (),
        component: Component | None = None,
        published_before: datetime | None = None,
        transitive: bool = False,
        dry_run: bool = False,
    ) -> list[CacheEntry]:
        """Make sure that entries never hit again; return them.

        Args:
            by: Who invalidates; kept.
            why: The reason; kept, and part of the detail of later misses.
            scope: The entries of this scope; None: of all scopes.
            keys: Of these keys.
            executions: Of these executions, by id.
            artifacts: With one of these outputs, by id.
            contexts: Of executions in one of these contexts, by id.
            entries: With these ids.
            component: With this component, such as a version of the code.
            published_before: Published earlier than this; with a time zone.
            transitive: Also the entries of everything made from their outputs.
            dry_run: Only return the entries.

        Raises:
            InvalidArgument: Nothing is selected, or nobody and no reason are named.
        """
        if not by or not why:
            raise errors.InvalidArgument("say who invalidates, and why")
        selection = _selection(
            scope=scope,
            keys=keys,
            executions=executions,
            artifacts=artifacts,
            contexts=contexts,
            entries=entries,
            component=component,
            published_before=published_before,
        )
        request = pb.InvalidateRequest(
            entries=selection, transitive=transitive, dry_run=dry_run, by=by, why=why
        )
        response = self._call("Invalidate", request)
        return [CacheEntry.from_message(entry) for entry in response.entries]

    def report(
        self,
        *,
        by: str,
        verified: Sequence[int] = (),
        missing: Sequence[int] = (),
        digests: dict[int, str] | None = None,
    ) -> None:
        """Report observations of payloads to the store.

        Args:
            by: The observer.
            verified: The ids of artifacts whose payload is there.
            missing: The ids of those whose payload is not; steps that made them run again.
            digests: The digests of the payloads, "sha256:…", by id.

        Raises:
            NotFound: An artifact is unknown.
        """
        digest_by_id = digests or {}
        statuses = [(artifact_id, pb.ArtifactReport.VERIFIED) for artifact_id in verified]
        statuses += [(artifact_id, pb.ArtifactReport.MISSING) for artifact_id in missing]
        reports = [
            pb.ArtifactReport(
                artifact_id=artifact_id, status=status, digest=digest_by_id.get(artifact_id), by=by
            )
            for artifact_id, status in statuses
        ]
        self._call("ReportArtifacts", pb.ReportArtifactsRequest(reports=reports))

    def explain(
        self,
        components: Key | Sequence[Component],
        *,
        scope: str = "",
        execution: int | None = None,
    ) -> Explanation:
        """Return which components of a key are new.

        Args:
            components: The key, or its components.
            scope: The scope of the key.
            execution: Compare with this execution; None: with the entry that is nearest.

        Raises:
            NotFound: The execution is unknown, or has no entry.
        """
        request = pb.ExplainRequest(
            scope=scope, components=component_messages(components), execution_id=execution
        )
        return Explanation.from_message(self._call("Explain", request))

    def stats(self, *, scope: str | None = None) -> CacheStats:
        """Return the counts of entries, hits and claims, of one scope or of all."""
        response = self._call("CacheStats", pb.CacheStatsRequest(scope=scope))
        return CacheStats(
            entries=response.entries,
            invalidated=response.invalidated,
            expired=response.expired,
            hits=response.hits,
            claims_held=response.claims_held,
        )

    def list(
        self,
        *,
        scope: str | None = None,
        keys: Sequence[Key | bytes] = (),
        executions: Sequence[int] = (),
        artifacts: Sequence[int] = (),
        contexts: Sequence[int] = (),
        component: Component | None = None,
        published_before: datetime | None = None,
        include_invalidated: bool = False,
        limit: int = 20,
        page_token: str | None = None,
    ) -> Page[CacheEntry]:
        """Return a page of entries, the newest first; the selection is that of `invalidate`."""
        selection = _selection(
            scope=scope,
            keys=keys,
            executions=executions,
            artifacts=artifacts,
            contexts=contexts,
            component=component,
            published_before=published_before,
        )
        request = pb.ListEntriesRequest(
            entries=selection,
            include_invalidated=include_invalidated,
            max_result_size=limit,
            page_token=page_token,
        )
        response = self._call("ListEntries", request)
        entries = [CacheEntry.from_message(entry) for entry in response.entries]
        return Page(entries, response.next_page_token or None)


def _lookup_request(keys: Sequence[pb.CacheKey], options: LookupOptions) -> pb.LookupRequest:
    policy = pb.CachePolicy(
        max_age_milliseconds=_milliseconds(options.get("max_age"), "max_age"),
        not_before_milliseconds=_epoch(options.get("not_before"), "not_before"),
        require_live=options.get("require_live", True),
        verified_within_milliseconds=_milliseconds(
            options.get("verified_within"), "verified_within"
        ),
    )
    request = pb.LookupRequest(scope=options.get("scope", ""), keys=keys, policy=policy)
    holder = options.get("claim")
    if holder is not None:
        request.claim.holder = holder
        request.claim.lease_milliseconds = _duration(options.get("lease", LEASE), "lease")
    return request


def _selection(
    *,
    scope: str | None,
    keys: Sequence[Key | bytes],
    executions: Sequence[int],
    artifacts: Sequence[int],
    contexts: Sequence[int],
    component: Component | None,
    published_before: datetime | None,
    entries: Sequence[int] = (),
) -> pb.EntrySelection:
    return pb.EntrySelection(
        scope=scope,
        digests=[_digest(key) for key in keys],
        execution_ids=executions,
        artifact_ids=artifacts,
        context_ids=contexts,
        entry_ids=entries,
        component=None if component is None else component_messages([component])[0],
        published_before_milliseconds=_epoch(published_before, "published_before"),
    )


def _key_message(key: AnyKey) -> pb.CacheKey:
    return (
        pb.CacheKey(fingerprint=key) if isinstance(key, str) else pb.CacheKey(digest=_digest(key))
    )


def _digest(key: Key | bytes) -> bytes:
    digest = key.digest if isinstance(key, Key) else key
    if not isinstance(digest, bytes) or len(digest) != DIGEST_BYTES:
        raise errors.InvalidArgument(f"a key is a Key, or its digest of {DIGEST_BYTES} bytes")
    return digest


def _milliseconds(duration: timedelta | None, where: str) -> int | None:
    return None if duration is None else _duration(duration, where)


def _duration(duration: timedelta, where: str) -> int:
    if duration < timedelta():
        raise errors.InvalidArgument(f"{where} must not be negative: {duration}")
    return round(duration / timedelta(milliseconds=1))


def _epoch(time: datetime | None, where: str) -> int | None:
    if time is None:
        return None
    if time.tzinfo is None:
        raise errors.InvalidArgument(f"{where} needs a time zone: {time}")
    return int(time.timestamp() * 1000)
