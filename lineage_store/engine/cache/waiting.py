"""Wait: answered as soon as a key is no longer in flight.

A commit of this process wakes the waiters at once. A commit of another process on the same database
is seen at the next look, a second later at most, or when a lease is over.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from lineage_store import errors
from lineage_store.cache.leases import is_held
from lineage_store.database.clock import now_ms
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.database.staging.cache_claims import CacheKey, Ended
from lineage_store.database.transaction import Transaction
from lineage_store.engine.cache import checks
from lineage_store.v1 import cache_pb2 as pb

LOOK_SECONDS = 1.0
"""Seconds for which a commit of another process may go unseen."""

LOOKERS = 4
"""Waiters that read at the same time: they are woken together, and each would open a connection."""

Read = Callable[[Callable[[Snapshot], Any]], Any]
"""Runs a function on a new snapshot."""

Event = pb.WaitResponse
Ends = dict[bytes, pb.WaitResponse.Event]
"""The event that ended the flight of each key, by digest."""


class Announcements:
    """Wakes those who wait for keys, when something was committed about them.

    Attributes:
        lookers: Has room for those who look at the same time.
        closed: Whether there is nothing more to wait for.
    """

    def __init__(self) -> None:
        self.lookers = threading.BoundedSemaphore(LOOKERS)
        self._mutex = threading.Lock()
        self._events_by_key: dict[CacheKey, set[threading.Event]] = {}
        self.closed = False

    @contextmanager
    def about(self, keys: Iterable[CacheKey]) -> Iterator[threading.Event]:
        """Give an event that is set whenever something is announced about one of some keys."""
        keys, event = list(keys), threading.Event()
        with self._mutex:
            for key in keys:
                self._events_by_key.setdefault(key, set()).add(event)
        try:
            yield event
        finally:
            with self._mutex:
                for key in keys:
                    self._forget(key, event)

    def _forget(self, key: CacheKey, event: threading.Event) -> None:
        events = self._events_by_key.get(key, set())
        events.discard(event)
        if not events:
            self._events_by_key.pop(key, None)

    def announce(self, keys: Iterable[CacheKey]) -> None:
        """Wake those who wait for one of some keys."""
        with self._mutex:
            for key in keys:
                for event in self._events_by_key.get(key, ()):
                    event.set()

    def close(self) -> None:
        """Wake all, for good."""
        self.closed = True
        with self._mutex:
            for events in self._events_by_key.values():
                for event in events:
                    event.set()


def announced_keys(method: str, request: Any) -> list[CacheKey]:  # noqa: ANN401 - of several methods
    """Return the keys that a request may have ended the claims of."""
    if method == "Release":
        return [(claim.scope, claim.digest) for claim in request.claims]
    if method == "RecordSteps":
        return [(s.cache.scope, s.cache.digest) for s in request.steps if s.HasField("cache")]
    if method in {"RecordStep", "RecordCached"} and request.step.HasField("cache"):
        return [(request.step.cache.scope, request.step.cache.digest)]
    return []


def wait(read: Read, announcements: Announcements, request: pb.WaitRequest) -> Iterator[bytes]:
    """Return the encoded messages of the answer; an empty one says only that the wait goes on.

    Raises:
        InvalidArgument: The request is not valid.
    """
    scope = checks.scope_of(request)
    digests = checks.digests(request.digests, "digests")
    most = checks.duration(request, "max_milliseconds", "")
    ends = None if most is None else time.monotonic() + most / 1_000
    return _answers(read, announcements, scope, list(dict.fromkeys(digests)), ends)


def _answers(
    read: Read, announcements: Announcements, scope: str, digests: list[bytes], ends: float | None
) -> Iterator[bytes]:
    pending_digests = digests
    with announcements.about((scope, digest) for digest in digests) as woken:
        while pending_digests:
            woken.clear()
            with announcements.lookers:
                events, next_look = read(partial(_look, scope=scope, digests=pending_digests))
            yield from (_encoded(digest, event) for digest, event in events.items())
            pending_digests = [digest for digest in pending_digests if digest not in events]
            if pending_digests and not _pause(woken, announcements, next_look, ends):
                yield from (_encoded(digest, Event.STILL_IN_FLIGHT) for digest in pending_digests)
                return
            yield b""


def _pause(
    woken: threading.Event, announcements: Announcements, seconds: float, ends: float | None
) -> bool:
    """Wait until the next look; return whether there is time for it.

    Raises:
        Unavailable: The store is about to close.
    """
    if ends is not None:
        seconds_left = ends - time.monotonic()
        if seconds_left <= 0:
            return False
        seconds = min(seconds, seconds_left)
    woken.wait(seconds)
    if announcements.closed:
        raise errors.Unavailable("the store is about to close; wait again later")
    return True


def _look(snapshot: Snapshot, scope: str, digests: list[bytes]) -> tuple[Ends, float]:
    """Return the events of the keys that are not in flight, and the seconds to the next look."""
    tx, now = Transaction.reading(snapshot), now_ms()
    tx.claims.load(scope, digests)
    claims = {digest: tx.claims.find(scope, digest) for digest in digests}
    free = [digest for digest, claim in claims.items() if not is_held(claim, now)]
    published = tx.entries.newest(scope, [d for d in free if claims[d] is None])
    events: Ends = {}
    for digest in free:
        claim = claims[digest]
        if claim is None:
            events[digest] = Event.PUBLISHED if digest in published else Event.RELEASED
        else:
            events[digest] = _ENDS[claim.ended]
    held_until = [c.expires_at for d, c in claims.items() if c is not None and d not in events]
    soonest = min(held_until, default=now) - now
    return events, min(LOOK_SECONDS, max(soonest, 1) / 1_000)


_ENDS = {
    Ended.NOT_YET: Event.LEASE_EXPIRED,
    Ended.PUBLISHED: Event.PUBLISHED,
    Ended.RELEASED: Event.RELEASED,
}


def _encoded(digest: bytes, event: pb.WaitResponse.Event) -> bytes:
    return pb.WaitResponse(digest=digest, event=event).SerializeToString()
