"""The rules of claims, the exclusive rights to run the step of a key.

A claim ends when it is used to publish, when it is released, or when its time is over. Its token
is greater than that of every holder before, so the store can tell a late holder from the present
one.
"""

from dataclasses import replace

from lineage_store import errors
from lineage_store.database.staging.cache_claims import CacheKey, Ended, StoredClaim


def is_held(claim: StoredClaim | None, now: int) -> bool:
    """Return whether a claim is held at a time in ms."""
    return claim is not None and claim.ended is Ended.NOT_YET and claim.expires_at > now


def acquired_claim(
    claim: StoredClaim | None, key: CacheKey, holder: str, now: int, lease: int
) -> StoredClaim | None:
    """Return the claim that a holder gets, or None if someone else has one.

    A holder who claims the same key again keeps the token, unless someone else took it meanwhile.

    Args:
        claim: The newest claim of the key, if there ever was one.
        key: The key.
        holder: The new holder.
        now: The time in ms.
        lease: The length of the lease in ms.
    """
    if claim is None:
        return StoredClaim(*key, holder, 1, now + lease)
    is_own = claim.holder == holder and claim.ended is Ended.NOT_YET
    if is_own:
        return replace(claim, expires_at=now + lease)
    if is_held(claim, now):
        return None
    return StoredClaim(*key, holder, claim.token + 1, now + lease)


def is_current(claim: StoredClaim | None, holder: str, token: int) -> bool:
    """Return whether a holder may still use a claim: it has not ended, except by its time.

    After its time it is good as long as no one else took it.
    """
    return (
        claim is not None
        and claim.ended is Ended.NOT_YET
        and (claim.holder, claim.token) == (holder, token)
    )


def check_publication(
    claim: StoredClaim | None, holder: str | None, token: int | None, now: int
) -> None:
    """Check that one may publish.

    Args:
        claim: The newest claim of the key, if there ever was one.
        holder: The publisher; None, and no token: it has no claim.
        token: The token of the claim that the step ran under.
        now: The time in ms.

    Raises:
        StaleClaim: Someone else has the claim, or the one that is named has ended.
    """
    if token is None:
        if claim is not None and is_held(claim, now):
            raise errors.StaleClaim(f"{claim.holder!r} has the claim of this key; wait for it")
    elif not is_current(claim, holder or "", token):
        raise errors.StaleClaim(
            f"the claim with token {token} of {holder!r} has ended; {_newest(claim)}"
        )


def _newest(claim: StoredClaim | None) -> str:
    if claim is None:
        return "the key was never claimed"
    return f"the newest one has token {claim.token} and is of {claim.holder!r}"
