"""The claims that steps of this process hold, kept alive while the steps run."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from lineage_store import errors
from lineage_store.client.cache import Cache
from lineage_store.client.cache_answers import Claim
from lineage_store.recording.diagnostics import warn_once

_Name = tuple[str, bytes, int]


class Claims:
    """Holds claims, and extends each of them three times in its lease.

    Args:
        cache: Returns the client of the store's cache.
    """

    def __init__(self, cache: Callable[[], Cache]) -> None:
        self._cache = cache
        self._lock = threading.Lock()
        self._live_claims: dict[_Name, tuple[Claim, timedelta]] = {}
        self._returned_claims: list[Claim] = []
        self._due: dict[_Name, float] = {}

    def hold(self, claim: Claim, lease: timedelta) -> None:
        """Keep a claim alive from now on."""
        with self._lock:
            self._live_claims[_name(claim)] = (claim, lease)
            self._due[_name(claim)] = time.monotonic() + lease.total_seconds() / 3

    def drop(self, claim: Claim) -> None:
        """Stop keeping a claim alive: it is published, or is to run out."""
        with self._lock:
            self._live_claims.pop(_name(claim), None)
            self._due.pop(_name(claim), None)

    def give_up(self, claim: Claim) -> None:
        """Give a claim back, so that others need not wait for its lease to pass."""
        self.drop(claim)
        with self._lock:
            self._returned_claims.append(claim)

    def clear(self) -> None:
        """Forget all claims: they belong to the process that this one was forked from."""
        self._lock = threading.Lock()
        self._live_claims, self._due, self._returned_claims = {}, {}, []

    def work(self) -> float | None:
        """Give back and extend claims that are due; return the seconds until the next, or None."""
        with self._lock:
            returned_claims, self._returned_claims = self._returned_claims, []
            now = time.monotonic()
            due = [self._live_claims[name] for name, at in self._due.items() if at <= now]
            for claim, lease in due:
                self._due[_name(claim)] = now + lease.total_seconds() / 3
        try:
            if returned_claims:
                self._cache().release(returned_claims)
            for claim, lease in due:
                self._extend(claim, lease)
        except errors.LineageError as error:
            warn_once("claims", "claims can't be extended: %s", error.message)
        with self._lock:
            at = min(self._due.values(), default=None)
        return None if at is None else max(0.0, at - time.monotonic())

    def _extend(self, claim: Claim, lease: timedelta) -> None:
        if not self._cache().heartbeat([claim], lease=lease):
            self.drop(claim)
            warn_once(
                "claim lost", "the claim of %s was lost; its step runs on", claim.digest.hex()
            )


def _name(claim: Claim) -> _Name:
    return claim.scope, claim.digest, claim.token
