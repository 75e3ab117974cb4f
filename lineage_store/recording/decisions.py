"""Cache decisions within a deadline."""

import queue
import threading
import time
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

from lineage_store import errors
from lineage_store.cache.keys import Key
from lineage_store.client.cache import Cache
from lineage_store.client.cache_answers import Claim, Decision, Hit, InFlight, Miss
from lineage_store.recording.claims import Claims
from lineage_store.recording.diagnostics import warn_once
from lineage_store.recording.options import Caching, RecordingOptions

ROUND_SECONDS = 5.0
"""Seconds that one call waits for a key in flight; then another call waits on."""

BACKOFF_DEADLINES = 5
"""Deadlines for which a store that did not answer in time is not asked again."""


class Decisions:
    """Asks whether steps may be skipped; a store that is away says no.

    Args:
        cache: Returns the client of the store's cache.
        claims: Keeps claims alive.
        options: The deadline.
    """

    def __init__(
        self, cache: Callable[[], Cache], claims: Claims, options: RecordingOptions
    ) -> None:
        self._cache = cache
        self._claims = claims
        self._seconds = options.decide_seconds
        self._away_until = 0.0

    def decide(
        self, key: Key, holder: str, caching: Caching, enclosing: Collection[str] = ()
    ) -> Hit | Miss | None:
        """Return the decision on a key, and hold the claim if it is a miss.

        A key that someone else runs is waited for. None: the store did not answer, or the wait is
        over; run the step without a claim.

        Args:
            key: The cache key of the step.
            holder: The holder of the claim.
            caching: How the step uses the cache.
            enclosing: The holders of steps that this one runs in; it must not wait for them.
        """
        end = None if caching.wait is None else time.monotonic() + caching.wait.total_seconds()
        while True:
            decision = self._ask(key, holder, caching)
            if isinstance(decision, Miss) and decision.claim is not None:
                self._claims.hold(decision.claim, caching.lease)
            if not isinstance(decision, InFlight):
                return decision
            is_over = end is not None and time.monotonic() >= end
            if is_over or decision.holder in enclosing or not self._wait(key, caching, end):
                return None

    def peek(self, key: Key, caching: Caching) -> Hit | Miss | None:
        """Return the decision on a key, without a claim; None: there is none now."""
        decision: Decision | None = self.in_time(
            lambda: self._cache().lookup(
                key,
                scope=caching.scope,
                max_age=caching.max_age,
                require_live=caching.require_live,
            )
        )
        return None if isinstance(decision, InFlight) else decision

    def claim(self, key: Key, holder: str, caching: Caching) -> Claim | None:
        """Take the claim of a key, whatever the store has for it; None: someone else has it."""
        claim: Claim | None = self.in_time(
            lambda: self._cache().claim(key, holder, scope=caching.scope, lease=caching.lease)
        )
        if claim is not None:
            self._claims.hold(claim, caching.lease)
        return claim

    def _ask(self, key: Key, holder: str, caching: Caching) -> Decision | None:
        decision: Decision | None = self.in_time(
            lambda: self._cache().lookup(
                key,
                scope=caching.scope,
                max_age=caching.max_age,
                require_live=caching.require_live,
                claim=holder,
                lease=caching.lease,
            )
        )
        return decision

    def in_time(self, work: Callable[[], object]) -> Any:  # noqa: ANN401 - the result of the work
        """Return the result of `work`, or None if it fails or takes too long."""
        if time.monotonic() < self._away_until:
            return None
        answers: queue.SimpleQueue[tuple[Any, Exception | None]] = queue.SimpleQueue()
        pending = _Pending(work, answers, self._claims)
        threading.Thread(target=pending.run, name="lineage-store-decision", daemon=True).start()
        try:
            answer, error = answers.get(timeout=self._seconds)
        except queue.Empty:
            pending.abandon()
            self._away_until = time.monotonic() + BACKOFF_DEADLINES * self._seconds
            warn_once(
                "decision", "the store did not answer within %g s: no cache decision", self._seconds
            )
            return None
        if error is not None:
            warn_once(f"decision {error}", "no cache decision: %s", error)
        return answer

    def _wait(self, key: Key, caching: Caching, end: float | None) -> bool:
        """Wait until a key is no longer in flight, or for one round; False: the store is away."""
        seconds = ROUND_SECONDS
        if end is not None:
            seconds = max(0.0, min(seconds, end - time.monotonic()))
        try:
            wait = self._cache().wait(
                [key], scope=caching.scope, timeout=timedelta(seconds=seconds)
            )
            for _ in wait:
                pass
        except errors.LineageError as error:
            warn_once("wait", "can't wait for a step that runs elsewhere: %s", error.message)
            return False
        return True


class _Pending:
    """A question that may be answered too late: a claim that comes then is given back."""

    def __init__(
        self,
        work: Callable[[], object],
        answers: "queue.SimpleQueue[tuple[Any, Exception | None]]",
        claims: Claims,
    ) -> None:
        self._work = work
        self._answers = answers
        self._claims = claims
        self._lock = threading.Lock()
        self._is_abandoned = False

    def run(self) -> None:
        """Ask, and hand over the answer or the error."""
        answer, error = None, None
        try:
            answer = self._work()
        except Exception as raised:
            error = raised
        with self._lock:
            if not self._is_abandoned:
                self._answers.put((answer, error))
                return
        claim = answer if isinstance(answer, Claim) else getattr(answer, "claim", None)
        if claim is not None:
            self._claims.give_up(claim)

    def abandon(self) -> None:
        """Stop waiting for the answer."""
        with self._lock:
            self._is_abandoned = True
