"""The recorder that all runs of one store share: its sender, claims and decisions."""

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
from lineage_store.recording.diagnostics import never_raises
from lineage_store.recording.options import RecordingOptions
from lineage_store.recording.outcomes import ErrorLike
from lineage_store.v1 import cache_pb2 as pb

KNOWN_ARTIFACTS = 10_000
"""Artifacts of this process that are remembered, so that an input given as a path is known."""

IDLE_SECONDS = 5.0

BUSY_SECONDS = 1.0
"""Seconds to wait for another process that writes to the spool: a full buffer waits as long."""


class Heartbeating(Protocol):
    """A step or run that is recorded as running now and then."""

    def heartbeat(self) -> None:
        """Record that it still runs."""

    def end(self, error: ErrorLike | None = None, *, state: ExecutionState | None = None) -> None:
        """Record that it has ended."""


class Recorder:
    """Brings the records of runs to one store; it never raises, and never waits for the store.

    Args:
        transport: Returns the transport, which should fail rather than wait.
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
        self._running: dict[int, Heartbeating] = {}
        self._heartbeat_at = time.monotonic() + options.heartbeat_seconds
        self._artifacts: OrderedDict[str, Artifact] = OrderedDict()
        self._lock = threading.Lock()
        _close_at_exit(self)
        _notify_after_fork(self)

    def after_fork(self) -> None:
        """In a child: running steps are the parent's, and its locks may be held for ever."""
        self._lock = threading.Lock()
        self._running = {}
        self.claims.clear()
        self._sender.after_fork()

    @property
    def is_child(self) -> bool:
        """True if this process was forked, and can't talk to the store."""
        return self._sender.is_child

    @never_raises(None)
    def record(self, step: StepRecord, common: pb.Step | None = None) -> None:
        """Take the record of a step.

        Args:
            step: The record.
            common: The fields that all steps of its run share, to be merged into its message.
        """
        request = pb.RecordStepRequest(step=step.to_message())
        if common is not None:
            request.step.MergeFrom(common)
        self._sender.put(Record.of(STEP, request))

    @never_raises(None)
    def record_cached(
        self, step: StepRecord, entry_id: int, common: pb.Step, copies: Sequence[StepArtifact] = ()
    ) -> None:
        """Take the record of a step that was served from the cache; see `record`."""
        request = cached_request(step, entry_id, copies)
        request.step.MergeFrom(common)
        self._sender.put(Record.of(CACHED, request))

    def remember(self, artifact: Artifact) -> None:
        """Keep an artifact for steps that name it by its uri as an input."""
        with self._lock:
            for name in filter(None, (artifact.external_id, artifact.uri)):
                self._artifacts[name] = artifact
                self._artifacts.move_to_end(name)
            while len(self._artifacts) > KNOWN_ARTIFACTS:
                self._artifacts.popitem(last=False)

    def find_artifact(self, name: str) -> Artifact | None:
        """Return the artifact that was last remembered with an external id or a uri, if one was."""
        with self._lock:
            return self._artifacts.get(name)

    def begin(self, running: Heartbeating) -> None:
        """Record something as running from now on."""
        with self._lock:
            self._running[id(running)] = running

    def end(self, running: Heartbeating) -> None:
        """Stop recording something as running."""
        with self._lock:
            self._running.pop(id(running), None)

    def running(self) -> list[Heartbeating]:
        """Return the unfinished steps and runs that this process began, the last first."""
        with self._lock:
            return list(reversed(self._running.values()))

    def wake(self) -> None:
        """Have claims given back and extended now, not at the next turn."""
        if not self.is_child:
            self._sender.wake()

    def _chores(self) -> float:
        """Keep claims alive and record heartbeats; return the seconds until the next turn."""
        due = self.claims.work()
        now = time.monotonic()
        if now >= self._heartbeat_at:
            self._heartbeat_at = now + self.options.heartbeat_seconds
            with self._lock:
                running = list(self._running.values())
            for activity in running:
                activity.heartbeat()
        waits = [IDLE_SECONDS, self._heartbeat_at - now] + ([] if due is None else [due])
        return max(0.0, min(waits))

    def flush(self) -> bool:
        """Wait until all is sent or spooled; False: it is not, in the time that this may take."""
        return self._sender.flush(self.options.flush_seconds)

    def settle(self) -> bool:
        """Wait until all is in the store, including the records that forked children spooled.

        False: it is not, in the time that a flush may take, or because the store is away.
        """
        return self._sender.settle(self.options.flush_seconds)

    def close(self) -> None:
        """Flush, spool the rest, and stop."""
        self._sender.close(self.options.flush_seconds)


def _spool(path: Path, url: str, options: RecordingOptions) -> Spool:
    return Spool(path, url=url, max_bytes=options.spool_bytes, busy_seconds=BUSY_SECONDS)


def _close_at_exit(recorder: Recorder) -> None:
    recorder_ref = weakref.ref(recorder)

    def close() -> None:
        live_recorder = recorder_ref()
        if live_recorder is not None:
            live_recorder.close()

    atexit.register(close)
    # Not at the exit itself, where it may come before `close`.
    weakref.finalize(recorder, atexit.unregister, close).atexit = False


def _notify_after_fork(recorder: Recorder) -> None:
    """Call `after_fork` of a recorder in forked processes, as long as it lives."""
    recorder_ref = weakref.ref(recorder)

    def notify() -> None:
        live_recorder = recorder_ref()
        if live_recorder is not None:
            live_recorder.after_fork()

    if hasattr(os, "register_at_fork"):  # Windows has no fork
        os.register_at_fork(after_in_child=notify)
