"""Lookup: may these steps be skipped, and who runs those that may not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from lineage_store import errors
from lineage_store.cache.decision import Candidate, Decision, Judge
from lineage_store.cache.leases import acquired_claim, is_held
from lineage_store.database.clock import now_ms
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.database.staging.cache_claims import StoredClaim
from lineage_store.database.transaction import Transaction
from lineage_store.engine.cache import checks
from lineage_store.engine.cache.answers import claim_message, output_message, publication_of
from lineage_store.engine.cache.candidates import originals, read_sources
from lineage_store.v1 import cache_pb2 as pb

Result = pb.LookupResult


@dataclass(frozen=True, slots=True)
class LookupKeys:
    """The keys of a lookup.

    Attributes:
        scope: The scope of the keys.
        digests: The keys, with None in place of each fingerprint.
        fingerprints: The fingerprints, with None in place of each key.
    """

    scope: str
    digests: list[bytes | None]
    fingerprints: list[str | None]

    @property
    def keys(self) -> list[bytes]:
        """The keys without gaps."""
        return [digest for digest in self.digests if digest is not None]


@dataclass(frozen=True, slots=True)
class Claimant:
    """The holder who takes the claims of missed keys, and the lease in ms."""

    holder: str
    lease: int


def lookup(snapshot: Snapshot, request: pb.LookupRequest) -> pb.LookupResponse:
    """Decide for each key."""
    return _lookup(Transaction.reading(snapshot), request, None)


def lookup_and_claim(tx: Transaction, request: pb.LookupRequest) -> pb.LookupResponse:
    """Decide for each key, and take the claims of those that are missed and free."""
    where = "claim."
    claimant = Claimant(checks.holder(request.claim, where), checks.lease(request.claim, where))
    return _lookup(tx, request, claimant)


def _lookup(
    tx: Transaction, request: pb.LookupRequest, claimant: Claimant | None
) -> pb.LookupResponse:
    lookup_keys = _lookup_keys(request)
    policy, now = checks.policy(request), now_ms()
    candidates, reports = _candidates(tx, lookup_keys)
    judge = Judge(policy, now, reports)
    decisions = [judge.decide(key_candidates) for key_candidates in candidates]
    answer = _Answer(tx, lookup_keys, now, claimant, _originals(tx, decisions))
    return pb.LookupResponse(results=answer.answers(decisions))


def _lookup_keys(request: pb.LookupRequest) -> LookupKeys:
    digests: list[bytes | None] = []
    fingerprints: list[str | None] = []
    for at, key in enumerate(request.keys):
        kind, where = key.WhichOneof("key"), f"keys[{at}]"
        if kind is None:
            raise errors.InvalidArgument(f"{where} must have a digest or a fingerprint")
        is_digest = kind == "digest"
        digests.append(checks.digest(key.digest, f"{where}.digest") if is_digest else None)
        fingerprints.append(
            None if is_digest else checks.fingerprint(key.fingerprint, f"{where}.fingerprint")
        )
    return LookupKeys(checks.scope_of(request), digests, fingerprints)


def _candidates(tx: Transaction, lookup_keys: LookupKeys) -> tuple[list[Sequence[Candidate]], Any]:
    """Return the candidates for each key, newest first, and the reports on their outputs."""
    keys = lookup_keys.keys
    entries = tx.entries.newest(lookup_keys.scope, keys) if keys else {}
    fingerprints = [text for text in lookup_keys.fingerprints if text is not None]
    ids_by_fingerprint = (
        tx.by_fingerprints(list(dict.fromkeys(fingerprints))) if fingerprints else {}
    )
    ids = [entry.execution_id for key_entries in entries.values() for entry in key_entries]
    sources = read_sources(tx, [*ids, *chain.from_iterable(ids_by_fingerprint.values())])
    candidates: list[Sequence[Candidate]] = []
    for digest, fingerprint in zip(lookup_keys.digests, lookup_keys.fingerprints, strict=True):
        if digest is not None:
            candidates.append([sources.of_entry(entry) for entry in entries.get(digest, ())])
        else:
            execution_ids = ids_by_fingerprint.get(fingerprint or "", ())
            candidates.append([sources.of_execution(i) for i in execution_ids])
    return candidates, sources.reports


def _originals(tx: Transaction, decisions: Sequence[Decision]) -> dict[int, int]:
    hits = [
        decision.candidate.execution
        for decision in decisions
        if decision.rejection is None and decision.candidate and decision.candidate.entry is None
    ]
    return originals(tx, hits)


class _Answer:
    """Turns decisions into results, and takes claims."""

    def __init__(
        self,
        tx: Transaction,
        lookup_keys: LookupKeys,
        now: int,
        claimant: Claimant | None,
        original_ids: Mapping[int, int],
    ) -> None:
        self._tx = tx
        self._lookup_keys = lookup_keys
        self._now = now
        self._claimant = claimant
        self._original_ids = original_ids

    def answers(self, decisions: Sequence[Decision]) -> list[pb.LookupResult]:
        """Return the result for each key."""
        missed = [at for at, decision in enumerate(decisions) if _hit_of(decision) is None]
        digests = [digest for at in missed if (digest := self._lookup_keys.digests[at])]
        if digests:
            self._tx.claims.load(self._lookup_keys.scope, digests)
        return [self._result(*one) for one in enumerate(decisions)]

    def _result(self, at: int, decision: Decision) -> pb.LookupResult:
        """Return the result for the key at a position."""
        candidate = _hit_of(decision)
        if candidate is not None:
            return Result(hit=self._hit(candidate))
        digest = self._lookup_keys.digests[at]
        if digest is None:
            return Result(miss=_miss(decision))
        return self._miss_result(digest, decision)

    def _miss_result(self, digest: bytes, decision: Decision) -> pb.LookupResult:
        stored = self._tx.claims.find(self._lookup_keys.scope, digest)
        if self._claimant is None:
            return _in_flight(stored, self._now) or Result(miss=_miss(decision))
        key = (self._lookup_keys.scope, digest)
        claim = acquired_claim(stored, key, self._claimant.holder, self._now, self._claimant.lease)
        if claim is None:
            in_flight = _in_flight(stored, self._now)
            assert in_flight is not None  # noqa: S101 - only a claim that is held is not acquired
            return in_flight
        self._tx.claims.put(claim)
        return Result(miss=_miss(decision), claim=claim_message(claim))

    def _hit(self, candidate: Candidate) -> pb.LookupResult.Hit:
        entry, source = candidate.entry, candidate.execution
        original_id = entry.original_execution_id if entry else self._original_ids[source.id]
        hit = Result.Hit(
            source=source,
            original_execution_id=original_id,
            outputs=[output_message(out.slot, out.artifact) for out in candidate.outputs],
            age_milliseconds=max(0, self._now - candidate.published_at),
        )
        if entry is not None:
            hit.entry_id, hit.hit_count = entry.id, entry.hit_count
            for name, value in publication_of(entry).output_parameters.items():
                hit.output_parameters[name].CopyFrom(value)
        return hit


def _hit_of(decision: Decision) -> Candidate | None:
    return decision.candidate if decision.rejection is None else None


def _in_flight(claim: StoredClaim | None, now: int) -> pb.LookupResult | None:
    """Return the result for a key that someone runs now, or None."""
    if claim is None or not is_held(claim, now):
        return None
    in_flight = Result.InFlight(holder=claim.holder, expires_at_milliseconds=claim.expires_at)
    return Result(in_flight=in_flight)


def _miss(decision: Decision) -> pb.LookupResult.Miss:
    rejection, candidate = decision.rejection, decision.candidate
    miss = Result.Miss()
    if rejection is not None:
        miss.reason, miss.detail = rejection.reason, rejection.detail
        if rejection.artifact_id is not None:
            miss.artifact_id = rejection.artifact_id
    if candidate is not None and candidate.entry is not None:
        miss.entry_id = candidate.entry.id
        miss.execution_id = candidate.entry.execution_id
    elif candidate is not None:
        miss.execution_id = candidate.execution.id
    return miss
