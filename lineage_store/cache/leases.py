"""Who may run what a key stands for: the rules of claims.

A claim ends when it is used to publish, when it is released, or when its time is over. Its token
is greater than that of every holder before, so what a late holder does can be told apart.
"""

from dataclasses import replace

from lineage_store import errors
from lineage_store.database.staging.cache_claims import CacheKey, Ended, StoredClaim


def is_held(claim: StoredClaim | None, now: int) -> bool:
    """Whether someone has a claim at a time in ms."""
    return claim is not None and claim.ended is Ended.NOT_YET and claim.expires_at > now


def taken(
    claim: StoredClaim | None, key: CacheKey, holder: str, now: int, lease: int
) -> StoredClaim | None:
    """Return the claim that a holder gets, or None if someone else has one.

    Who claims again what no one else took meanwhile keeps the token.

    Args:
        claim: The newest claim of the key, if there ever was one.
        key: The key.
        holder: Who wants it.
        now: The time in ms.
        lease: For how many ms.
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
    """Whether a claim is that of a holder and has not ended, or only by its time.

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
        holder: Who publishes; None, and no token: someone without a claim.
        token: Of the claim that the step ran under.
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
