"""Base class of all orchestrator hooks: turns a tool's events into runs and steps."""

import atexit
import itertools
import multiprocessing
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from multiprocessing.util import Finalize
from typing import Any

from lineage_store import errors
from lineage_store.client.addresses import located
from lineage_store.entities import Artifact, ExecutionState
from lineage_store.fingerprints.code import code_of
from lineage_store.fingerprints.code.guards import WatchedFile
from lineage_store.integrations.artifacts import arguments_in_key
from lineage_store.integrations.lazy_transport import LazyTransport
from lineage_store.integrations.options import CacheOptions, CodeOptions
from lineage_store.integrations.tools import Tool
from lineage_store.recording.diagnostics import warn_once
from lineage_store.recording.naming import CACHE_DECISION
from lineage_store.recording.options import Caching, RecordingOptions
from lineage_store.recording.outcomes import ErrorLike, Failure
from lineage_store.recording.recorder import Recorder
from lineage_store.recording.runs import Run
from lineage_store.v1 import metadata_service_pb2 as rpc

CACHE = "LINEAGE_STORE_CACHE"
"""The environment variable that makes hooks skip unchanged steps, where the tool lets them."""

_REFRESH = "refresh"
_YES = {"1", "true", "yes", "on", _REFRESH}

FLUSH_SECONDS = 3.0
"""Seconds that the end of a run may wait for the store."""

OPEN_SECONDS = 10.0
"""Seconds that the first cache decision may wait until the store is opened."""

RETRY_SECONDS = 1.0
"""Seconds that a retry waits at most for the claim of the attempt before it."""

LOST = Failure("Lost", "the process that ran it ended before it did")
"""The error of steps and runs that still ran when their process ended in order."""


def wants_cache() -> bool:
    """Return whether LINEAGE_STORE_CACHE asks to skip unchanged steps."""
    return _cache_mode() in _YES


def wants_refresh() -> bool:
    """Return whether LINEAGE_STORE_CACHE asks to run everything, and to publish it anew."""
    return _cache_mode() == _REFRESH


def _cache_mode() -> str:
    return os.environ.get(CACHE, "").strip().lower()


def _at_exit(function: Callable[[], object]) -> None:
    """Call a function when the process ends in order, before all functions registered so far.

    A worker of multiprocessing ends without the functions of `atexit`.
    """
    if multiprocessing.parent_process() is None:
        atexit.register(function)
    else:
        priority = next(_priorities)
        Finalize(None, function, exitpriority=priority)


_priorities = itertools.count(10)


def _renamed(name: str, successor: str) -> Callable[..., object]:
    """Return a method under its old name, which warns and calls its successor; for one release."""

    def method(self: "Hook", *args: object, **kwargs: object) -> object:
        message = f"Hook.{name} is called Hook.{successor} now"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return getattr(self, successor)(*args, **kwargs)

    return method


class Hook:
    """Records the runs and steps of one tool, to one store; a tool's events extend it.

    A thread of its own opens the store, and while the store is away records wait on the local
    disk. `Run` and `Step` never raise.

    Attributes:
        tool: The tool.
        recorder: Brings the records to the store.
        wants_cache: True if LINEAGE_STORE_CACHE asks to skip unchanged steps.

    Args:
        tool: The tool.
        url: Of the store.
    """

    ends_with_process = True
    """True if unfinished steps and runs of this process end with it; else another goes on."""

    def __init__(self, tool: Tool, url: str) -> None:
        self.tool = tool
        self.wants_cache = wants_cache()
        place = located(url)
        if place == "sqlite://":
            warn_once("memory", "LINEAGE_STORE_URL=%s is in memory: nothing is kept", url)
        self._transport = transport = LazyTransport(url)
        options = RecordingOptions(flush_seconds=FLUSH_SECONDS)
        self.recorder = Recorder(lambda: transport, place, options)
        if multiprocessing.parent_process() is not None:
            _at_exit(self.recorder.close)
        self._process_id = os.getpid()
        if self.ends_with_process:
            _at_exit(self.end_orphans)

    def run(
        self,
        name: str,
        *,
        pipeline: str,
        run_id: str,
        project: str | None = None,
        parent: Run | None = None,
        properties: Mapping[str, object] | None = None,
    ) -> Run:
        """Return a run, to be begun by `begin()` in the process that begins it, and there only.

        In every other process that takes part in it the same arguments give the same run, whose
        `step(…)` can be called at once.

        Args:
            name: Its name for people.
            pipeline: The pipeline, under a name that no other pipeline of the store has.
            run_id: The tool's id of the run, made unlike that of any other run.
            project: The project of the pipeline, if the tool has projects.
            parent: The run that it is a part of.
            properties: Other properties to record.
        """
        versions = {"orchestrator": self.tool.name, "orchestrator_version": self.tool.installed()}
        tool_properties = {name: value for name, value in versions.items() if value is not None}
        return Run(
            self.recorder,
            name,
            pipeline=pipeline,
            run_id=run_id,
            parent=parent,
            orchestrator=self.tool.name,
            project=project,
            properties={**tool_properties, **(properties or {})},
        )

    def caching(self, scope: str, *, wait: timedelta | None = None) -> Caching | bool:
        """Return the `cache` argument of a step that the tool can skip; False: no caching.

        Args:
            scope: The project, or else the module, whose steps may stand for each other.
            wait: The time to wait for another that runs the same; None: as long as it lives.
        """
        if not self.wants_cache:
            return False
        self._transport.wait_until_tried(OPEN_SECONDS)
        return Caching(scope=scope, wait=wait, refresh=wants_refresh())

    def cache_options(
        self,
        name: str,
        why_not: str | None,
        *,
        scope: str,
        arguments: Mapping[str, object],
        attempt: int,
        code: CodeOptions,
    ) -> CacheOptions:
        """Return the caching keyword arguments for `Run.step`.

        A step that can't be cached gets the property that says why. A step waits for no other that
        runs the same; only a retry waits, until the attempt before it has released its claim.

        Args:
            name: Of the step.
            why_not: The reason why it can't be skipped at all; None: it can.
            scope: As in `caching`.
            arguments: Its arguments, as the tool passes them.
            attempt: From 1.
            code: The result of `code` for its function.
        """
        if not self.wants_cache:
            return {}
        why_not = code["uncached"] or why_not
        if why_not is not None:
            return {"properties": self.note_not_skipped(name, why_not)}
        files: list[WatchedFile] = list(code["files"])
        try:
            environment = arguments_in_key(arguments, files)
        except (errors.LineageError, OSError) as error:
            why_not = f"its arguments can't be told from others: {error}"
            return {"properties": self.note_not_skipped(name, why_not)}
        wait = timedelta(seconds=RETRY_SECONDS if attempt > 1 else 0)
        return {
            "cache": self.caching(scope, wait=wait),
            "environment": environment,
            "files": files,
        }

    def code(self, function: Callable[..., object]) -> CodeOptions:
        """Return the code arguments for `Run.step`: its digest, or why it can't be cached.

        Args:
            function: The function of the step; a class counts with all its methods.
        """
        code = code_of(function)
        return {"code": code.digest, "uncached": code.why, "files": code.files}

    def end_run(
        self,
        run: Run,
        error: ErrorLike | None = None,
        *,
        state: ExecutionState | None = None,
        at: int | None = None,
    ) -> None:
        """End a run as `Run.end` does, and send the records that forked workers spooled."""
        run.end(error, state=state, at=at)
        self.recorder.settle()

    def begin_in_fork(self) -> None:
        """In a forked worker, make sure that its steps and runs end with it.

        A worker of multiprocessing forgets, when it starts, the functions to call at its end.
        """
        if os.getpid() != self._process_id:
            self._process_id = os.getpid()
            _at_exit(self.end_orphans)

    def delegate_delivery(self) -> None:
        """Let the process that started this one, and waits for it, send the records.

        For a worker that runs but one step: opening the store would take longer than many steps.
        As in a forked worker, records go to the spool, and steps do not ask the cache.
        """
        self.recorder.after_fork()

    def end_orphans(self) -> None:
        """End the unfinished steps and runs of this process; called when it ends in order."""
        for running in self.recorder.running():
            running.end(LOST, state=ExecutionState.CANCELED)

    def find_artifacts(self, external_ids: Sequence[str]) -> list[Artifact] | None:
        """Return the artifacts that the store has of these; None: it does not answer in time."""
        request = rpc.GetArtifactsByExternalIdsRequest(external_ids=external_ids)
        response: Any = self.recorder.decisions.in_time(
            lambda: self._transport.call("GetArtifactsByExternalIds", request)
        )
        if response is None:
            return None
        return [Artifact.from_message(message) for message in response.artifacts]

    def note_not_skipped(self, name: str, why: str) -> dict[str, str]:
        """Log once why a step can't be skipped at all; return the property that records it."""
        if not self.wants_cache:
            return {}
        warn_once(f"{name} {why}", "%s is not skipped: %s", name, why)
        return {CACHE_DECISION: f"NOT_CACHED: {why}"}

    asking = _renamed("asking", "cache_options")
    not_skipped = _renamed("not_skipped", "note_not_skipped")
    leave_sending = _renamed("leave_sending", "delegate_delivery")
