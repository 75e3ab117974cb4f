"""Claim, Heartbeat and Release."""

from dataclasses import replace

from lineage_store.cache.leases import acquired_claim, is_current
from lineage_store.database.clock import now_ms
from lineage_store.database.staging.cache_claims import Ended
from lineage_store.database.transaction import Transaction
from lineage_store.engine.cache import checks
from lineage_store.engine.cache.answers import claim_message
from lineage_store.v1 import cache_pb2 as pb


def take_claim(tx: Transaction, request: pb.ClaimRequest) -> pb.ClaimResponse:
    """Take the claim of a key if it is free, or the caller's already."""
    key = (checks.scope_of(request), checks.digest(request.digest, "digest"))
    holder, lease = checks.holder(request, ""), checks.lease(request, "")
    stored_claim = tx.claims.find(*key)
    new_claim = acquired_claim(stored_claim, key, holder, now_ms(), lease)
    if new_claim is None:
        assert stored_claim is not None  # noqa: S101 - a key never claimed is free
        return pb.ClaimResponse(claim=claim_message(stored_claim), is_acquired=False)
    tx.claims.put(new_claim)
    return pb.ClaimResponse(claim=claim_message(new_claim), is_acquired=True)


def heartbeat(tx: Transaction, request: pb.HeartbeatRequest) -> pb.HeartbeatResponse:
    """Extend those claims that are still the caller's, and answer them."""
    lease, now = checks.lease(request, ""), now_ms()
    response = pb.HeartbeatResponse()
    for at, sent_claim in enumerate(request.claims):
        scope, digest, holder, token = checks.claim(sent_claim, f"claims[{at}].")
        claim = tx.claims.find(scope, digest)
        if claim is not None and is_current(claim, holder, token):
            extended_claim = replace(claim, expires_at=now + lease)
            tx.claims.put(extended_claim)
            response.claims.append(claim_message(extended_claim))
    return response


def release(tx: Transaction, request: pb.ReleaseRequest) -> pb.ReleaseResponse:
    """End those claims that are still the caller's."""
    for at, sent_claim in enumerate(request.claims):
        scope, digest, holder, token = checks.claim(sent_claim, f"claims[{at}].")
        claim = tx.claims.find(scope, digest)
        if claim is not None and is_current(claim, holder, token):
            tx.claims.put(replace(claim, ended=Ended.RELEASED))
    return pb.ReleaseResponse()
