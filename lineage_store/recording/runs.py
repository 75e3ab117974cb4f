"""Runs of pipelines, and the steps in them."""

import secrets
import threading
import weakref
from collections.abc import Callable, Collection, Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Self

from lineage_store.client.records import StepRecord
from lineage_store.entities import Context, Execution, ExecutionState
from lineage_store.entities.tables import html_fields
from lineage_store.entities.values import PropertyValue
from lineage_store.fingerprints.code.guards import WatchedFile
from lineage_store.recording.artifacts import Inputs, as_properties
from lineage_store.recording.diagnostics import never_raises
from lineage_store.recording.environment import capture
from lineage_store.recording.naming import PIPELINE_RUN, RUN, bounded, run_key, step_key
from lineage_store.recording.options import CacheMode, Caching
from lineage_store.recording.outcomes import ErrorLike, now_ms, outcome_of
from lineage_store.recording.recorder import Recorder
from lineage_store.recording.scope import RunScope, parent_pairs
from lineage_store.recording.step_spec import StepSpec
from lineage_store.recording.steps import Step
from lineage_store.recording.timed import Timed

ORCHESTRATOR = "python"

_active: ContextVar["Run | None"] = ContextVar("lineage_store_run", default=None)

_open: "weakref.WeakSet[Run]" = weakref.WeakSet()
"""The runs that this process has begun and not ended."""


def open_run() -> "Run | None":
    """Return a run that is open in this process, in whichever context it began, or None."""
    return next(iter(list(_open)), None)


def current_run() -> "Run | None":
    """Return the run whose `with` block this code is in, or None."""
    return _active.get()


class Run(Timed):
    """One run of a pipeline; made by `LineageStore.run`, and recorded by `with`.

    Code that can't use `with` calls `begin` and `end`; a process that takes part in a run which
    begins and ends in another makes the run with the same `run_id`, and calls neither.

    Args:
        recorder: Brings the records to the store.
        name: Its name.
        pipeline: The pipeline that it is a run of; None: that of the parent, else its own name.
        run_id: An id that no other run has; None: the name, the time and a random part. A
            run that goes on in another process gives the same id again.
        parent: The run that it is a part of.
        orchestrator: The tool that runs it; part of the keys of its steps.
        project: The project of the pipeline; None: that of the parent, else none.
        properties: Other properties to record.
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
        super().__init__(f"run {self.id}")
        self._scope = RunScope(
            recorder=recorder,
            orchestrator=orchestrator,
            id=self.id,
            pipeline=self.pipeline,
            project=self.project,
        )
        self._properties = properties
        self._indexes: dict[str, int] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<run {self.id} of pipeline {self.pipeline}>"

    def _repr_html_(self) -> str:
        fields = {"run": self.id, "name": self.name, "pipeline": self.pipeline}
        return html_fields({**fields, "project": self.project, **(self._properties or {})})

    def __enter__(self) -> Self:
        _open.add(self)
        return super().__enter__()

    def _activate(self) -> Callable[[], None]:
        token = _active.set(self)
        return lambda: _active.reset(token)

    @never_raises(None)
    def begin(self, *, at: int | None = None) -> None:
        """Record that the run has begun, now or at a time in ms since the epoch."""
        self._start_clock(at)
        properties: dict[str, PropertyValue] = {
            **as_properties(self._properties),
            **as_properties(capture()),
            "run_name": self.name,
            "pipeline": self.pipeline,
            "started_at": self._started_at,
        }
        if self.parent is not None:
            properties["parent_run_id"] = self.parent.id
        self._record(ExecutionState.RUNNING, properties)
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
        for you.

        Args:
            name: Of the step within its pipeline; a name that was used before is another step.
            inputs: Its inputs, by name: artifacts, files, uris, ids, or lists of them.
            params: Its parameters, by name.
            cache: True or a `Caching` asks whether it may be skipped, and publishes its outcome.
                "refresh" runs it anyway and publishes its outcome anew.
            type: The type of its execution; None: the name.
            version: Of the step; part of the cache key, as are the following.
            code: The digest of its code, "sha256:…".
            image: The image that it runs in, best by digest.
            command: The command that runs in the image.
            environment: The parts of the environment that decide about its outputs.
            attempt: 1, or more for a retry of the step of this name that came last.
            index: Its number among the steps of this name, from 0, such as the index of a mapped
                task; None: the next, or the last for a retry.
            id: Its id within the run, if the name does not identify it; part of its key.
            properties: Other properties to record; no part of the key.
            ignore: The names of parameters and inputs that are recorded, but no part of the key.
            secret: The names of parameters of which nobody may read the value in the store.
            uncached: The reason why the step can't be cached, such as code without a fingerprint.
            outputs: For each output that is a file, its suffixes; part of the key.
            files: The files that the key rests on beside the inputs, with their states.

        Raises:
            InvalidArgument: `cache` is not True, False, "refresh" or a `Caching`.
        """
        index = self._index(id or name, attempt) if index is None else index
        spec = StepSpec(
            name=name,
            type=bounded(type or name),
            key=step_key(self._scope.orchestrator, self.id, id or name, index, attempt),
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
        return Step(self._scope, spec)

    def _index(self, name: str, attempt: int) -> int:
        """Return the number of a step among those of its name."""
        with self._lock:
            next_one = self._indexes.get(name, 0)
            if attempt > 1:
                return max(0, next_one - 1)
            self._indexes[name] = next_one + 1
            return next_one

    def run(self, name: str, **options: Any) -> "Run":
        """Return a run that is a part of this one; the options are those of `LineageStore.run`."""
        return Run(
            self.recorder, name, parent=self, orchestrator=self._scope.orchestrator, **options
        )

    def skip(self, name: str, why: str) -> None:
        """Record a step that did not run, since there was nothing for it to do."""
        with self.step(name) as skipped:
            skipped.skip(why)

    @never_raises(None)
    def heartbeat(self) -> None:
        """Record that the run still goes on; the recorder calls this now and then."""
        self._record(ExecutionState.RUNNING, {"updated_at": now_ms()})

    def _record(self, state: ExecutionState, properties: Mapping[str, PropertyValue]) -> None:
        contexts = self._scope.contexts()
        parents = parent_pairs(contexts)
        if self.parent is not None:
            parents.append((0, len(contexts)))
            contexts.append(Context(type=RUN, name=bounded(self.parent.id)))
        custom = {**properties, **self.gaps.properties(), "run_id": self.id}
        execution = Execution(type=PIPELINE_RUN, state=state, custom_properties=custom)
        record = StepRecord(
            key=run_key(self._scope.orchestrator, self.id),
            execution=execution,
            contexts=contexts,
            parents=parents,
        )
        self.gaps.watch(lambda: self.recorder.record(record))

    def _finish(
        self, error: ErrorLike | None, state: ExecutionState | None, at: int | None
    ) -> None:
        _open.discard(self)
        self.recorder.end(self)
        self._record(state or outcome_of(error), self._end_properties(error, at))
        if self.parent is None:
            self.recorder.flush()


def new_run_id(name: str) -> str:
    """Return an id that no other run has: the name, the time (UTC) and a random part."""
    return f"{name}@{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
