"""What the events of a tool are recorded with."""

import atexit
import itertools
import multiprocessing
import os
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
from lineage_store.integrations.lazy_transport import OpenedLater
from lineage_store.integrations.tools import Tool
from lineage_store.recording.diagnostics import warn_once
from lineage_store.recording.naming import CACHE_DECISION
from lineage_store.recording.options import Caching, RecordingOptions
from lineage_store.recording.outcomes import Failure
from lineage_store.recording.recorder import Recorder
from lineage_store.recording.runs import Run
from lineage_store.v1 import metadata_service_pb2 as rpc

CACHE = "LINEAGE_STORE_CACHE"
"""The environment variable that makes hooks skip what did not change, where the tool lets them."""

_REFRESH = "refresh"
_YES = {"1", "true", "yes", "on", _REFRESH}

FLUSH_SECONDS = 3.0
"""How long the end of a run may wait for the store."""

OPEN_SECONDS = 10.0
"""How long the first cache decision may wait until the store is opened."""

RETRY_SECONDS = 1.0
"""How long a retry waits at most for the claim of the attempt before it."""

LOST = Failure("Lost", "the process that ran it ended before it did")
"""What is said of what was still running when its process ended in order."""


def wants_cache() -> bool:
    """Return whether LINEAGE_STORE_CACHE asks to skip what did not change."""
    return _cache_mode() in _YES


def wants_refresh() -> bool:
    """Return whether LINEAGE_STORE_CACHE asks to run everything, and to publish it anew."""
    return _cache_mode() == _REFRESH


def _cache_mode() -> str:
    return os.environ.get(CACHE, "").strip().lower()


def _at_exit(function: Callable[[], object]) -> None:
    """Have a function called when the process ends in order, before what was to be called so far.

    A worker of multiprocessing ends without the functions of `atexit`.
    """
    if multiprocessing.parent_process() is None:
        atexit.register(function)
    else:
        priority = next(_priorities)
        Finalize(None, function, exitpriority=priority)


_priorities = itertools.count(10)


class Hook:
    """Records what one tool runs, to one store; a tool's events extend it.

    It opens nothing by itself: the store is opened by a thread of its own, and while it is away
    what is recorded waits on the local disk. `Run` and `Step` never raise.

    Attributes:
        tool: Which one.
        recorder: Brings what is recorded to the store.
        wants_cache: Whether LINEAGE_STORE_CACHE asks to skip what did not change.

    Args:
        tool: Which one.
        url: Of the store.
    """

    ends_with_process = True
    """Whether what this process began, and did not end, ends with it; else another goes on."""

    def __init__(self, tool: Tool, url: str) -> None:
        self.tool = tool
        self.wants_cache = wants_cache()
        place = located(url)
        if place == "sqlite://":
            warn_once("memory", "LINEAGE_STORE_URL=%s is in memory: nothing is kept", url)
        self._opened = opened = OpenedLater(url)
        options = RecordingOptions(flush_seconds=FLUSH_SECONDS)
        self.recorder = Recorder(lambda: opened, place, options)
        if multiprocessing.parent_process() is not None:
            _at_exit(self.recorder.close)
        self._process_id = os.getpid()
        if self.ends_with_process:
            _at_exit(self.end_lost)

    def run(
        self,
        name: str,
        *,
        pipeline: str,
        run_id: str,
        project: str | None = None,
        parent: Run | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> Run:
        """Return a run, to be begun by `begin()` in the process that begins it, and there only.

        In every other process that has part in it the same arguments give the same run, whose
        `step(…)` can be called at once.

        Args:
            name: What people call it.
            pipeline: The pipeline, named so that no other of the same store has the name.
            run_id: What the tool calls the run, made unlike that of any other run.
            project: What the pipeline belongs to, if the tool has such a thing.
            parent: The run that it is a part of.
            properties: What else is recorded of it.
        """
        known = {"orchestrator": self.tool.name, "orchestrator_version": self.tool.installed()}
        told = {name: value for name, value in known.items() if value is not None}
        return Run(
            self.recorder,
            name,
            pipeline=pipeline,
            run_id=run_id,
            parent=parent,
            orchestrator=self.tool.name,
            project=project,
            properties={**told, **(properties or {})},
        )

    def caching(self, scope: str, *, wait: timedelta | None = None) -> Caching | bool:
        """Return how a step that the tool can skip uses the cache; False: not at all.

        Args:
            scope: The project, or else the module, whose steps may stand for each other.
            wait: How long to wait for another that runs the same; None: as long as it lives.
        """
        if not self.wants_cache:
            return False
        self._opened.wait_until_tried(OPEN_SECONDS)
        return Caching(scope=scope, wait=wait, refresh=wants_refresh())

    def asking(
        self,
        name: str,
        why_not: str | None,
        *,
        scope: str,
        arguments: Mapping[str, Any],
        attempt: int,
        code: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Return how a step asks the cache, for `Run.step`, or what is recorded if it does not.

        It waits for no other that runs the same; only a retry, until the attempt before it has let
        go of its claim.

        Args:
            name: Of the step.
            why_not: Why it can't be skipped at all; None: it can.
            scope: As in `caching`.
            arguments: What it is given, as it is given it.
            attempt: From 1.
            code: What `code` returned for its function.
        """
        if not self.wants_cache:
            return {}
        why_not = code["uncached"] or why_not
        if why_not is not None:
            return {"properties": self.not_skipped(name, why_not)}
        files: list[WatchedFile] = list(code["files"])
        try:
            environment = arguments_in_key(arguments, files)
        except (errors.LineageError, OSError) as error:
            why_not = f"its arguments can't be told from others: {error}"
            return {"properties": self.not_skipped(name, why_not)}
        wait = timedelta(seconds=RETRY_SECONDS if attempt > 1 else 0)
        return {
            "cache": self.caching(scope, wait=wait),
            "environment": environment,
            "files": files,
        }

    def code(self, function: Any) -> dict[str, Any]:
        """Return the code of a step, for `Run.step`: its digest, or why it can't be cached.

        Args:
            function: What the step runs; a class counts with all its methods.
        """
        code = code_of(function)
        return {"code": code.digest, "uncached": code.why, "files": code.files}

    def end_run(self, run: Run, *args: Any, **kwargs: Any) -> None:
        """End a run as `Run.end` does, and bring what forked workers spooled to the store."""
        run.end(*args, **kwargs)
        self.recorder.settle()

    def begin_in_fork(self) -> None:
        """See to it that what a forked worker begins ends with it; nothing elsewhere.

        A worker of multiprocessing forgets, when it starts, what was to be called at its end.
        """
        if os.getpid() != self._process_id:
            self._process_id = os.getpid()
            _at_exit(self.end_lost)

    def leave_sending(self) -> None:
        """Have what this process records sent by the one that started it, and waits for it.

        For a worker that runs but one step: to open the store would take longer than many steps.
        As in a forked worker, records go to the spool, and nothing is asked of the cache.
        """
        self.recorder.after_fork()

    def end_lost(self) -> None:
        """End what this process began and did not end; called when it ends in order."""
        for running in self.recorder.running():
            running.end(LOST, state=ExecutionState.CANCELED)

    def find_artifacts(self, external_ids: Sequence[str]) -> list[Artifact] | None:
        """Return the artifacts that the store has of these; None: it does not answer in time."""
        request = rpc.GetArtifactsByExternalIdsRequest(external_ids=external_ids)
        response: Any = self.recorder.decisions.in_time(
            lambda: self._opened.call("GetArtifactsByExternalIds", request)
        )
        if response is None:
            return None
        return [Artifact.from_message(found) for found in response.artifacts]

    def not_skipped(self, name: str, why: str) -> dict[str, str]:
        """Say once why a step of a name can't be skipped at all; return what is recorded of it."""
        if not self.wants_cache:
            return {}
        warn_once(f"{name} {why}", "%s is not skipped: %s", name, why)
        return {CACHE_DECISION: f"NOT_CACHED: {why}"}
