"""The claims that steps of this process hold, kept alive while the steps run."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from lineage_store import errors
from lineage_store.client.cache import Cache
from lineage_store.client.cache_answers import Claim
from lineage_store.recording.diagnostics import complain

_Name = tuple[str, bytes, int]


class Claims:
    """Holds claims, and extends each of them three times in its lease.

    Args:
        cache: Returns what asks the store.
    """

    def __init__(self, cache: Callable[[], Cache]) -> None:
        self._cache = cache
        self._lock = threading.Lock()
        self._held: dict[_Name, tuple[Claim, timedelta]] = {}
        self._given_up: list[Claim] = []
        self._due: dict[_Name, float] = {}

    def hold(self, claim: Claim, lease: timedelta) -> None:
        """Keep a claim alive from now on."""
        with self._lock:
            self._held[_name(claim)] = (claim, lease)
            self._due[_name(claim)] = time.monotonic() + lease.total_seconds() / 3

    def drop(self, claim: Claim) -> None:
        """Stop keeping a claim alive: it is published, or is to run out."""
        with self._lock:
            self._held.pop(_name(claim), None)
            self._due.pop(_name(claim), None)

    def give_up(self, claim: Claim) -> None:
        """Give a claim back, so that others need not wait for its lease to pass."""
        self.drop(claim)
        with self._lock:
            self._given_up.append(claim)

    def clear(self) -> None:
        """Forget all claims: they belong to the process that this one was forked from."""
        self._lock = threading.Lock()
        self._held, self._due, self._given_up = {}, {}, []

    def work(self) -> float | None:
        """Give back and extend what is due; return in how many seconds more is, or None."""
        with self._lock:
            given_up, self._given_up = self._given_up, []
            now = time.monotonic()
            due = [self._held[name] for name, at in self._due.items() if at <= now]
            for claim, lease in due:
                self._due[_name(claim)] = now + lease.total_seconds() / 3
        try:
            if given_up:
                self._cache().release(given_up)
            for claim, lease in due:
                self._extend(claim, lease)
        except errors.LineageError as error:
            complain("claims", "claims can't be extended: %s", error.message)
        with self._lock:
            at = min(self._due.values(), default=None)
        return None if at is None else max(0.0, at - time.monotonic())

    def _extend(self, claim: Claim, lease: timedelta) -> None:
        if not self._cache().heartbeat([claim], lease=lease):
            self.drop(claim)
            complain("claim lost", "the claim of %s was lost; its step runs on", claim.digest.hex())


def _name(claim: Claim) -> _Name:
    return claim.scope, claim.digest, claim.token
