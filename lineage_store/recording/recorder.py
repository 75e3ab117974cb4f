"""What all runs of one store share: the sender, the claims, the decisions, what is running."""

import atexit
import os
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from lineage_store.client.cache import Cache
from lineage_store.client.records import StepRecord, cached_request
from lineage_store.client.step_artifacts import StepArtifact
from lineage_store.client.transport import Transport
from lineage_store.entities import Artifact, ExecutionState
from lineage_store.recording.claims import Claims
from lineage_store.recording.decisions import Decisions
from lineage_store.recording.delivery.records import CACHED, STEP, Record
from lineage_store.recording.delivery.replay import spool_path
from lineage_store.recording.delivery.sender import Sender
from lineage_store.recording.delivery.spool import Spool
from lineage_store.recording.diagnostics import harmless
from lineage_store.recording.options import RecordingOptions
from lineage_store.recording.outcomes import Fault
from lineage_store.v1 import cache_pb2 as pb

KNOWN_ARTIFACTS = 10_000
"""Artifacts of this process that are remembered, so that an input given as a path is known."""

IDLE_SECONDS = 5.0

BUSY_SECONDS = 1.0
"""How long to wait for another process that writes to the spool: a full buffer waits as long."""


class Alive(Protocol):
    """Something that runs, and is recorded as running now and then."""

    def beat(self) -> None:
        """Record that it still runs."""

    def end(self, error: Fault | None = None, *, state: ExecutionState | None = None) -> None:
        """Record that it has ended."""


class Recorder:
    """Brings what runs record to one store; it never raises, and never waits for the store.

    Args:
        transport: Returns what carries the requests; it should fail rather than wait.
        url: Of the store, which the spool file is named after; a store in memory has no spool.
        options: Bounds and times.
    """

    def __init__(
        self, transport: Callable[[], Transport], url: str, options: RecordingOptions
    ) -> None:
        self.options = options
        in_memory = url in {"", "sqlite://"}
        path = spool_path(url, options.spool)
        spool = None if in_memory else _spool(path, url, options)
        self.claims = Claims(lambda: Cache(transport()))
        self.decisions = Decisions(lambda: Cache(transport()), self.claims, options)
        self._sender = Sender(transport, spool, options, self._chores)
        self._running: dict[int, Alive] = {}
        self._beat_at = time.monotonic() + options.heartbeat_seconds
        self._known: OrderedDict[str, Artifact] = OrderedDict()
        self._lock = threading.Lock()
        _close_at_exit(self)
        _tell_after_fork(self)

    def after_fork(self) -> None:
        """In a child: what runs is the parent's, and its locks may be held for ever."""
        self._lock = threading.Lock()
        self._running = {}
        self.claims.clear()
        self._sender.after_fork()

    @property
    def is_child(self) -> bool:
        """Whether this process was forked, and can't talk to the store."""
        return self._sender.is_child

    @harmless(None)
    def record(self, step: StepRecord, around: pb.Step | None = None) -> None:
        """Take the record of a step.

        Args:
            step: The record.
            around: What it has in common with other steps, to be merged into its message.
        """
        request = pb.RecordStepRequest(step=step.to_message())
        if around is not None:
            request.step.MergeFrom(around)
        self._sender.put(Record.of(STEP, request))

    @harmless(None)
    def record_cached(
        self, step: StepRecord, entry_id: int, around: pb.Step, copies: Sequence[StepArtifact] = ()
    ) -> None:
        """Take the record of a step that was served from the cache; see `record`."""
        request = cached_request(step, entry_id, copies)
        request.step.MergeFrom(around)
        self._sender.put(Record.of(CACHED, request))

    def remember(self, artifact: Artifact) -> None:
        """Keep an artifact for those who give its uri as an input."""
        with self._lock:
            for name in filter(None, (artifact.external_id, artifact.uri)):
                self._known[name] = artifact
                self._known.move_to_end(name)
            while len(self._known) > KNOWN_ARTIFACTS:
                self._known.popitem(last=False)

    def known(self, name: str) -> Artifact | None:
        """Return the artifact that was last remembered with an external id or a uri, if one was."""
        with self._lock:
            return self._known.get(name)

    def begin(self, running: Alive) -> None:
        """Record something as running from now on."""
        with self._lock:
            self._running[id(running)] = running

    def end(self, running: Alive) -> None:
        """Stop recording something as running."""
        with self._lock:
            self._running.pop(id(running), None)

    def running(self) -> list[Alive]:
        """Return what was begun by this process and has not ended, the last first."""
        with self._lock:
            return list(reversed(self._running.values()))

    def wake(self) -> None:
        """Have claims given back and extended now, not at the next turn."""
        if not self.is_child:
            self._sender.wake()

    def _chores(self) -> float:
        """Keep claims alive, and record what runs; return in how many seconds to do so again."""
        due = self.claims.work()
        now = time.monotonic()
        if now >= self._beat_at:
            self._beat_at = now + self.options.heartbeat_seconds
            with self._lock:
                running = list(self._running.values())
            for alive in running:
                alive.beat()
        waits = [IDLE_SECONDS, self._beat_at - now] + ([] if due is None else [due])
        return max(0.0, min(waits))

    def flush(self) -> bool:
        """Return when all is sent or spooled; False: it is not, in the time that it may take."""
        return self._sender.flush(self.options.flush_seconds)

    def settle(self) -> bool:
        """Return when all is in the store, also what forked children spooled.

        False: it is not, in the time that a flush may take, or because the store is away.
        """
        return self._sender.settle(self.options.flush_seconds)

    def close(self) -> None:
        """Flush, spool what is left, and stop."""
        self._sender.close(self.options.flush_seconds)


def _spool(path: Path, url: str, options: RecordingOptions) -> Spool:
    return Spool(path, url=url, max_bytes=options.spool_bytes, busy_seconds=BUSY_SECONDS)


def _close_at_exit(recorder: Recorder) -> None:
    found = weakref.ref(recorder)

    def close() -> None:
        alive = found()
        if alive is not None:
            alive.close()

    atexit.register(close)
    # Not at the exit itself, where it may come before `close`.
    weakref.finalize(recorder, atexit.unregister, close).atexit = False


def _tell_after_fork(recorder: Recorder) -> None:
    """Have a recorder told when it wakes up in a forked process, as long as it lives."""
    found = weakref.ref(recorder)

    def tell() -> None:
        alive = found()
        if alive is not None:
            alive.after_fork()

    if hasattr(os, "register_at_fork"):  # Windows has no fork
        os.register_at_fork(after_in_child=tell)
