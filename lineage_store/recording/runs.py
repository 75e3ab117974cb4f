"""Runs of pipelines, and the steps in them."""

import secrets
import threading
import weakref
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar, Token
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType
from typing import Any, Self

from lineage_store.client.records import Publication, StepRecord
from lineage_store.client.step_artifacts import StepArtifact
from lineage_store.entities import Context, Execution, ExecutionState
from lineage_store.entities.values import PropertyValue
from lineage_store.fingerprints.code.guards import WatchedFile
from lineage_store.recording.artifacts import Inputs, as_properties
from lineage_store.recording.diagnostics import complain, harmless
from lineage_store.recording.environment import capture
from lineage_store.recording.gaps import Gaps
from lineage_store.recording.naming import (
    PIPELINE,
    PIPELINE_RUN,
    PROJECT,
    RUN,
    bounded,
    run_key,
    step_key,
)
from lineage_store.recording.options import CacheMode, Caching
from lineage_store.recording.outcomes import (
    Fault,
    begun,
    error_properties,
    now_ms,
    outcome_of,
    times,
)
from lineage_store.recording.recorder import Recorder
from lineage_store.recording.step_spec import StepDescription
from lineage_store.recording.steps import Step
from lineage_store.v1 import cache_pb2 as pb

ORCHESTRATOR = "python"

_active: ContextVar["Run | None"] = ContextVar("lineage_store_run", default=None)


_open: "weakref.WeakSet[Run]" = weakref.WeakSet()
"""The runs that this process has begun and not ended."""


def open_run() -> "Run | None":
    """Return a run that is open in this process, whichever context it was begun in, or None."""
    return next(iter(list(_open)), None)


def current_run() -> "Run | None":
    """Return the run whose `with` block this code is in, or None."""
    return _active.get()


class Run:
    """One run of a pipeline; made by `LineageStore.run`, and recorded by `with`.

    What can't use `with` calls `begin` and `end`; a process that has part in a run that begins and
    ends in another makes the run with the same `run_id`, and calls neither.

    Args:
        recorder: Brings what is recorded to the store.
        name: What it is called.
        pipeline: The pipeline that it is a run of; None: that of the parent, else its own name.
        run_id: What tells it from all other runs; None: the name, the time and a random part. A
            run that goes on in another process gives the same id again.
        parent: The run that it is a part of.
        orchestrator: Who runs it; part of the keys of its steps.
        project: What the pipeline belongs to; None: that of the parent, else nothing.
        properties: What else is recorded of it.
    """

    def __init__(
        self,
        recorder: Recorder,
        name: str,
        *,
        pipeline: str | None = None,
        run_id: str | None = None,
        parent: "Run | None" = None,
        orchestrator: str = ORCHESTRATOR,
        project: str | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> None:
        self.recorder = recorder
        self.name = name
        self.pipeline: str = pipeline or (parent.pipeline if parent else name)
        self.id = run_id or new_run_id(name)
        self.parent = parent
        self.project: str | None = project or (parent.project if parent else None)
        self.gaps = Gaps(f"run {self.id}", complain)
        self._orchestrator = orchestrator
        self._properties = properties
        self._indexes: dict[str, int] = {}
        self._lock = threading.Lock()
        self._token: Token[Run | None] | None = None
        self._started = 0
        self._ticks = 0.0

    def __enter__(self) -> Self:
        self._token = _active.set(self)
        _open.add(self)
        self.begin()
        return self

    @harmless(None)
    def begin(self, *, at: int | None = None) -> None:
        """Record that the run has begun, now or at a time in ms since the epoch."""
        self._started, self._ticks = begun(at)
        known: dict[str, PropertyValue] = {
            **as_properties(self._properties),
            **as_properties(capture()),
            "run_name": self.name,
            "pipeline": self.pipeline,
            "started_at": self._started,
        }
        if self.parent is not None:
            known["parent_run_id"] = self.parent.id
        self._record(ExecutionState.RUNNING, known)
        self.recorder.begin(self)

    def step(
        self,
        name: str,
        *,
        inputs: Inputs | None = None,
        params: Mapping[str, Any] | None = None,
        cache: CacheMode | Caching = False,
        type: str | None = None,  # noqa: A002 - the field of an execution has this name
        version: str | None = None,
        code: str | None = None,
        image: str | None = None,
        command: Sequence[str] | None = None,
        environment: Mapping[str, Any] | None = None,
        attempt: int = 1,
        index: int | None = None,
        id: str | None = None,  # noqa: A002 - what orchestrators call it
        properties: Mapping[str, Any] | None = None,
        ignore: Collection[str] = (),
        secret: Collection[str] = (),
        uncached: str | None = None,
        outputs: Mapping[str, Any] | None = None,
        files: Sequence[WatchedFile] = (),
    ) -> Step:
        """Return a step, to be run by `with`.

        A `with` block can't skip its body: with `cache`, test `step.hit`. The code of the body is
        not part of the cache key unless `code` or `version` says it; the decorator `step` does so
        by itself.

        Args:
            name: Of the step within its pipeline; a name that was used before is another step.
            inputs: What it reads, by name: artifacts, files, uris, ids, or lists of them.
            params: What else it is given, by name.
            cache: Ask whether it may be skipped, and publish what it puts out; how, if it is a
                `Caching`. "refresh" runs it anyway and publishes its outcome anew.
            type: The type of its execution; None: the name.
            version: Of the step; part of the cache key, as are the following.
            code: The digest of its code, "sha256:…".
            image: What it runs in, best by digest.
            command: What is run in the image.
            environment: What of the environment decides about its outputs.
            attempt: 1, or more for a retry of the step of this name that came last.
            index: Which of the steps of this name it is, from 0, such as the index of a mapped
                task; None: the next, or the last for a retry.
            id: What the step is called within the run if the name does not tell; part of its key.
            properties: What else is recorded; no part of the key.
            ignore: The names of parameters and inputs that are recorded, but no part of the key.
            secret: The names of parameters of which nobody may read the value in the store.
            uncached: Why the step can't be cached, such as code that has no fingerprint.
            outputs: For each output that is a file, its suffixes; part of the key.
            files: What the key rests on beside the inputs: paths, and what `file_state` said.

        Raises:
            InvalidArgument: `cache` is none of what it can be.
        """
        index = self._index(id or name, attempt) if index is None else index
        described = StepDescription(
            name=name,
            type=bounded(type or name),
            key=step_key(self._orchestrator, self.id, id or name, index, attempt),
            index=index,
            attempt=attempt,
            inputs=inputs,
            parameters=dict(params or {}),
            version=version,
            code=code,
            image=image,
            command=command,
            environment=dict(environment or {}),
            properties=dict(properties or {}),
            caching=Caching.of(cache),
            uncached=uncached,
            ignored=frozenset(ignore),
            secret=frozenset(secret),
            outputs=dict(outputs or {}),
            files=files,
        )
        return Step(self, described)

    def _index(self, name: str, attempt: int) -> int:
        """Return which of the steps of a name this is."""
        with self._lock:
            next_one = self._indexes.get(name, 0)
            if attempt > 1:
                return max(0, next_one - 1)
            self._indexes[name] = next_one + 1
            return next_one

    def run(self, name: str, **options: Any) -> "Run":
        """Return a run that is a part of this one; the options are those of `LineageStore.run`."""
        return Run(self.recorder, name, parent=self, orchestrator=self._orchestrator, **options)

    def skip(self, name: str, why: str) -> None:
        """Record a step that did not run, since there was nothing for it to do."""
        with self.step(name) as skipped:
            skipped.skip(why)

    def record_of(
        self,
        described: StepDescription,
        state: ExecutionState,
        properties: Mapping[str, PropertyValue],
        inputs: Sequence[StepArtifact] = (),
        outputs: Sequence[StepArtifact] = (),
        publication: Publication | None = None,
    ) -> StepRecord:
        """Return the record of one of its steps, but for its surroundings."""
        custom = {**properties, "run_id": self.id}
        return StepRecord(
            key=described.key,
            execution=Execution(type=described.type, state=state, custom_properties=custom),
            inputs=inputs,
            outputs=outputs,
            publication=publication,
        )

    @cached_property
    def surroundings(self) -> pb.Step:
        """The contexts that its steps are in: what the messages of all its steps have in common."""
        contexts = self._contexts()
        return pb.Step(
            contexts=[context.to_message() for context in contexts],
            parents=[
                pb.ContextParent(child_index=c, parent_index=p) for c, p in _chained(contexts)
            ],
        )

    def _contexts(self) -> list[Context]:
        """Return the contexts of all that is in the run, each but the last a child of the next."""
        found = [
            Context(type=RUN, name=bounded(self.id)),
            Context(type=PIPELINE, name=bounded(self.pipeline)),
        ]
        if self.project is not None:
            found.append(Context(type=PROJECT, name=bounded(self.project)))
        return found

    @harmless(None)
    def beat(self) -> None:
        """Record that the run still goes on; the recorder calls this now and then."""
        self._record(ExecutionState.RUNNING, {"updated_at": now_ms()})

    def _record(self, state: ExecutionState, properties: Mapping[str, PropertyValue]) -> None:
        contexts = self._contexts()
        parents = _chained(contexts)
        if self.parent is not None:
            parents.append((0, len(contexts)))
            contexts.append(Context(type=RUN, name=bounded(self.parent.id)))
        custom = {**properties, **self.gaps.properties(), "run_id": self.id}
        execution = Execution(type=PIPELINE_RUN, state=state, custom_properties=custom)
        record = StepRecord(
            key=run_key(self._orchestrator, self.id),
            execution=execution,
            contexts=contexts,
            parents=parents,
        )
        self.gaps.watch(lambda: self.recorder.record(record))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._token is not None:
            with suppress(ValueError):  # a generator that is closed in another context
                _active.reset(self._token)
            self._token = None
        _open.discard(self)
        self.end(error)

    @harmless(None)
    def end(
        self,
        error: Fault | None = None,
        *,
        state: ExecutionState | None = None,
        at: int | None = None,
    ) -> None:
        """Record that the run has ended, and wait a little until all is sent or spooled.

        Args:
            error: What it failed with.
            state: How it ended; None: COMPLETE, or by the error FAILED or CANCELED.
            at: When, in ms since the epoch; None: now.
        """
        self.recorder.end(self)
        ending = times(self._started, self._ticks, at)
        self._record(state or outcome_of(error), ending | error_properties(error))
        if self.parent is None:
            self.recorder.flush()


def _chained(contexts: Sequence[Context]) -> list[tuple[int, int]]:
    """Return the pairs that make each context a child of the next."""
    return [(at, at + 1) for at in range(len(contexts) - 1)]


def new_run_id(name: str) -> str:
    """Return an id that no other run has: the name, the time (UTC) and a random part."""
    return f"{name}@{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
