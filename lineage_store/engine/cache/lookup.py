"""Lookup: may these steps be skipped, and who runs those that may not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lineage_store import errors
from lineage_store.cache.decision import Candidate, Decision, Judge
from lineage_store.cache.leases import is_held, taken
from lineage_store.database.clock import now_ms
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.database.staging.cache_claims import StoredClaim
from lineage_store.database.transaction import Transaction
from lineage_store.engine.cache import checks
from lineage_store.engine.cache.answers import claim_message, output_message, published
from lineage_store.engine.cache.candidates import originals, sources
from lineage_store.v1 import cache_pb2 as pb

Result = pb.LookupResult


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked up.

    Attributes:
        scope: Where the keys are valid.
        digests: The keys, None in the place of each fingerprint.
        fingerprints: The fingerprints, None in the place of each key.
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
    """Who takes the claims of what is missed, and for how many ms."""

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
    asked = _asked(request)
    policy, now = checks.policy(request), now_ms()
    candidates, reports = _candidates(tx, asked)
    judge = Judge(policy, now, reports)
    decisions = [judge.decide(of_one) for of_one in candidates]
    answer = _Answer(tx, asked, now, claimant, _originals(tx, decisions))
    return pb.LookupResponse(results=answer.answers(decisions))


def _asked(request: pb.LookupRequest) -> Asked:
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
    return Asked(checks.scope_of(request), digests, fingerprints)


def _candidates(tx: Transaction, asked: Asked) -> tuple[list[Sequence[Candidate]], Any]:
    """Return the candidates for each key, newest first, and the reports on their outputs."""
    entries = tx.entries.newest(asked.scope, asked.keys)
    wanted = list(dict.fromkeys(text for text in asked.fingerprints if text is not None))
    found = tx.by_fingerprints(wanted)
    ids = [entry.execution_id for of_one in entries.values() for entry in of_one]
    known = sources(tx, [*ids, *(i for of_one in found.values() for i in of_one)])
    candidates: list[Sequence[Candidate]] = []
    for digest, fingerprint in zip(asked.digests, asked.fingerprints, strict=True):
        if digest is not None:
            candidates.append([known.of_entry(entry) for entry in entries.get(digest, ())])
        else:
            candidates.append([known.of_execution(i) for i in found.get(fingerprint or "", ())])
    return candidates, known.reports


def _originals(tx: Transaction, decisions: Sequence[Decision]) -> dict[int, int]:
    hits = [
        found.candidate.execution
        for found in decisions
        if found.fault is None and found.candidate and found.candidate.entry is None
    ]
    return originals(tx, hits)


class _Answer:
    """Turns decisions into results, and takes claims."""

    def __init__(
        self,
        tx: Transaction,
        asked: Asked,
        now: int,
        claimant: Claimant | None,
        ran: Mapping[int, int],
    ) -> None:
        self._tx = tx
        self._asked = asked
        self._now = now
        self._claimant = claimant
        self._ran = ran

    def answers(self, decisions: Sequence[Decision]) -> list[Any]:
        """Return the result for each key."""
        missed = [at for at, decision in enumerate(decisions) if _hit_of(decision) is None]
        digests = [self._asked.digests[at] for at in missed]
        self._tx.claims.load(self._asked.scope, [d for d in digests if d is not None])
        return [self._to(*one) for one in enumerate(decisions)]

    def _to(self, at: int, decision: Decision) -> Any:
        """Return the result for the key at a position."""
        candidate = _hit_of(decision)
        if candidate is not None:
            return Result(hit=self._hit(candidate))
        digest = self._asked.digests[at]
        return Result(miss=_miss(decision)) if digest is None else self._missed(digest, decision)

    def _missed(self, digest: bytes, decision: Decision) -> Any:
        stored = self._tx.claims.find(self._asked.scope, digest)
        if self._claimant is None:
            return _in_flight(stored, self._now) or Result(miss=_miss(decision))
        key = (self._asked.scope, digest)
        claim = taken(stored, key, self._claimant.holder, self._now, self._claimant.lease)
        if claim is None:
            return _in_flight(stored, self._now)
        self._tx.claims.put(claim)
        return Result(miss=_miss(decision), claim=claim_message(claim))

    def _hit(self, candidate: Candidate) -> Any:
        entry, source = candidate.entry, candidate.execution
        hit = Result.Hit(
            source=source,
            original_execution_id=entry.original_execution_id if entry else self._ran[source.id],
            outputs=[output_message(out.place, out.artifact) for out in candidate.outputs],
            age_milliseconds=max(0, self._now - candidate.published_at),
        )
        if entry is not None:
            hit.entry_id, hit.hit_count = entry.id, entry.hit_count
            for name, value in published(entry).output_parameters.items():
                hit.output_parameters[name].CopyFrom(value)
        return hit


def _hit_of(decision: Decision) -> Candidate | None:
    return decision.candidate if decision.fault is None else None


def _in_flight(claim: StoredClaim | None, now: int) -> Any:
    """Return the result for a key that someone runs now, or None."""
    if claim is None or not is_held(claim, now):
        return None
    in_flight = Result.InFlight(holder=claim.holder, expires_at_milliseconds=claim.expires_at)
    return Result(in_flight=in_flight)


def _miss(decision: Decision) -> Any:
    fault, candidate = decision.fault, decision.candidate
    miss = Result.Miss()
    if fault is not None:
        miss.reason, miss.detail = fault.reason, fault.detail
        if fault.artifact_id is not None:
            miss.artifact_id = fault.artifact_id
    if candidate is not None and candidate.entry is not None:
        miss.entry_id = candidate.entry.id
        miss.execution_id = candidate.entry.execution_id
    elif candidate is not None:
        miss.execution_id = candidate.execution.id
    return miss
