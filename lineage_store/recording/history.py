"""Runs as they were recorded, read back from a store."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lineage_store import errors
from lineage_store.client.calls import Page
from lineage_store.client.store import ClientStore
from lineage_store.entities import Context, Event, Execution, ExecutionState
from lineage_store.recording.naming import (
    CACHE_DECISION,
    INCOMPLETE,
    INDEX,
    PIPELINE_RUN,
    RUN,
)

ORIGINAL = "cached_execution_id"
"""The custom property that names the execution that really ran."""

_RUN_TYPES = (RUN, "system.PipelineRun", "pipeline_run")
"""What we call the context of a run, what Kubeflow Pipelines does, and what TFX does."""

_STEP_NAMES = ("step", "display_name", "task_name", "component_id")
"""The custom properties that name a step: ours, those of Kubeflow Pipelines, that of TFX."""

_EVENTS_OF = 500
"""Executions whose events are asked for in one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What is known of a run as a whole.

    Attributes:
        run: Its id, which is the name of its context.
        name: What it is called.
        pipeline: What it is a run of.
        state: How far it came; None: that is not recorded.
        started_at: In ms since the epoch.
        duration_ms: None: it has not ended.
        heard_of_at: When it last gave a sign of life, in ms since the epoch.
        error: Type and text of the error that ended it.
        execution_id: The execution that stands for it.
        incomplete: What of the run itself is not recorded, and why; None: nothing is known to be
            missing.
        incomplete_steps: How many of its steps are not recorded completely.
    """

    run: str
    name: str | None
    pipeline: str | None
    state: ExecutionState | None
    started_at: int | None
    duration_ms: int | None
    heard_of_at: int | None = None
    error: str | None = None
    execution_id: int | None = None
    incomplete: str | None = None
    incomplete_steps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStep:
    """One attempt at a step of a run.

    Attributes:
        execution_id: Its execution.
        name: Of the step; of a run within the run, the name of that.
        type: Of the execution.
        index: How many steps of this name the run had before.
        attempt: From 1.
        state: How far it came.
        is_cached: Whether it was served from the cache.
        original_execution_id: The execution that really ran; None: this one.
        decision: What the cache said; None: it was not asked.
        started_at: In ms since the epoch.
        duration_ms: None: it has not ended.
        heard_of_at: When it last gave a sign of life, in ms since the epoch.
        error: Type and text of the error that ended it, or why there was nothing to do.
        run: The id of the run within the run that this stands for; None: it is a step.
        after: The executions of the run that wrote what it reads.
        incomplete: What of the step is not recorded, and why; None: nothing is known to be missing.
    """

    execution_id: int
    name: str
    type: str | None
    index: int
    attempt: int
    state: ExecutionState | None
    is_cached: bool
    original_execution_id: int | None
    decision: str | None
    started_at: int | None
    duration_ms: int | None
    heard_of_at: int | None
    error: str | None
    run: str | None
    after: tuple[int, ...] = ()
    incomplete: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHistory:
    """A run and its steps, in the order in which they began."""

    summary: RunSummary
    steps: Sequence[RunStep]


def list_runs(
    store: ClientStore,
    *,
    pipeline: str | None = None,
    name: str | None = None,
    limit: int = 20,
    page_token: str | None = None,
) -> Page[RunSummary]:
    """Return a page of runs, the newest first.

    Args:
        store: Where to look.
        pipeline: Only its runs.
        name: Only runs that are called so.
        limit: Runs on the page, at most 100.
        page_token: `next_page_token` of the page before.
    """
    wanted = {"pipeline": pipeline, "run_name": name}
    conditions = [
        f"custom_properties.{key}.string_value = {_quoted(value)}"
        for key, value in wanted.items()
        if value is not None
    ]
    try:
        page = store.list_executions(
            type=PIPELINE_RUN,
            where=" AND ".join(conditions) or None,
            ascending=False,
            limit=limit,
            page_token=page_token,
        )
    except errors.NotFound:  # no run was ever recorded
        return Page([])
    summaries = [_summary(execution) for execution in page]
    counts = _incomplete_steps(store, [summary.run for summary in summaries])
    runs = [replace(found, incomplete_steps=counts[found.run]) for found in summaries]
    return Page(runs, page.next_page_token)


def _incomplete_steps(store: ClientStore, run_ids: Sequence[str]) -> Counter[str]:
    """Return how many steps of each run are not recorded completely."""
    if not run_ids:
        return Counter()
    wanted = ", ".join(map(_quoted, run_ids))
    found = store.iter_executions(
        where=f"custom_properties.`{INCOMPLETE}`.string_value > '' AND "
        f"custom_properties.run_id.string_value IN ({wanted})"
    )
    steps = (execution for execution in found if execution.type != PIPELINE_RUN)
    return Counter(_text(execution, "run_id") or "" for execution in steps)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def read_run(store: ClientStore, run: str | None = None) -> RunHistory:
    """Return a run with its steps.

    Args:
        store: Where to look.
        run: The id of the run, also of one that Kubeflow Pipelines or TFX recorded; or what runs
            are called: then the newest of them; None: the newest of all.

    Raises:
        NotFound: There is none.
    """
    context = _context(store, run)
    executions = list(store.iter_executions(context=context))
    own = [found for found in executions if _is_run(found, str(context.name))]
    steps = [found for found in executions if not _is_run(found, str(context.name))]
    events = _events(store, [found.id for found in steps if found.id is not None])
    before = _producers(steps, events)
    summary = _summary(own[0]) if own else _unknown(str(context.name))
    incomplete = sum(_text(found, INCOMPLETE) is not None for found in steps)
    return RunHistory(
        summary=replace(summary, incomplete_steps=incomplete),
        steps=[_step(found, before.get(found.id or 0, ())) for found in sorted(steps, key=_begin)],
    )


def _context(store: ClientStore, run: str | None) -> Context:
    for type_name in _RUN_TYPES if run is not None else ():
        found = store.find_context(type=type_name, name=run)
        if found is not None:
            return found
    page = list_runs(store, name=run, limit=1)
    if not page.items:
        raise errors.NotFound("no run is recorded" if run is None else f"no run is called {run!r}")
    return store.get_context(type=RUN, name=page.items[0].run)


def _is_run(execution: Execution, run_id: str) -> bool:
    return execution.type == PIPELINE_RUN and _text(execution, "run_id") == run_id


def _unknown(run_id: str) -> RunSummary:
    return RunSummary(
        run=run_id, name=None, pipeline=None, state=None, started_at=None, duration_ms=None
    )


def _summary(execution: Execution) -> RunSummary:
    return RunSummary(
        run=_text(execution, "run_id") or "",
        name=_text(execution, "run_name"),
        pipeline=_text(execution, "pipeline"),
        state=execution.state,
        started_at=_begin(execution)[0],
        duration_ms=_number(execution, "duration_ms"),
        heard_of_at=execution.update_time,
        error=_error(execution),
        execution_id=execution.id,
        incomplete=_text(execution, INCOMPLETE),
    )


def _step(execution: Execution, after: Iterable[int]) -> RunStep:
    is_run = execution.type == PIPELINE_RUN
    is_cached = execution.state is ExecutionState.CACHED
    return RunStep(
        execution_id=execution.id or 0,
        name=_name(execution),
        type=execution.type,
        index=_number(execution, INDEX) or 0,
        attempt=_number(execution, "attempt_id") or 1,
        state=execution.state,
        is_cached=is_cached,
        original_execution_id=_number(execution, ORIGINAL) if is_cached else None,
        decision=_text(execution, CACHE_DECISION),
        started_at=_begin(execution)[0],
        duration_ms=_number(execution, "duration_ms"),
        heard_of_at=execution.update_time,
        error=_error(execution),
        run=_text(execution, "run_id") if is_run else None,
        after=tuple(sorted(after)),
        incomplete=_text(execution, INCOMPLETE),
    )


def _name(execution: Execution) -> str:
    names = ("run_name",) if execution.type == PIPELINE_RUN else _STEP_NAMES
    texts = (_text(execution, name) for name in names)
    return next(filter(None, texts), None) or execution.name or execution.type or ""


def _begin(execution: Execution) -> tuple[int, int]:
    """Return when an execution began, in ms, and its id: what it can be ordered by."""
    started = _number(execution, "started_at")
    return (started if started is not None else execution.create_time or 0), execution.id or 0


def _events(store: ClientStore, ids: Sequence[int]) -> list[Event]:
    found: list[Event] = []
    for at in range(0, len(ids), _EVENTS_OF):
        found += store.list_events(execution=ids[at : at + _EVENTS_OF])
    return found


def _producers(steps: Sequence[Execution], events: Sequence[Event]) -> Mapping[int, set[int]]:
    """Return for each step those that wrote what it reads, and began before it."""
    begun = {step.id or 0: _begin(step) for step in steps}
    wrote: dict[int, set[int]] = {}
    for event in events:
        if event.type.is_output:
            wrote.setdefault(event.artifact_id or 0, set()).add(event.execution_id or 0)
    found: dict[int, set[int]] = {}
    for event in events:
        reader = event.execution_id or 0
        if not event.type.is_output:
            writers = wrote.get(event.artifact_id or 0, ())
            earlier = {writer for writer in writers if begun[writer] < begun[reader]}
            found.setdefault(reader, set()).update(earlier)
    return found


def _text(execution: Execution, name: str) -> str | None:
    value = _value(execution, name)
    return value if isinstance(value, str) else None


def _number(execution: Execution, name: str) -> int | None:
    value = _value(execution, name)
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)  # as Kubeflow Pipelines writes ids
    return int(value) if isinstance(value, int | float) else None


def _value(execution: Execution, name: str) -> Any:
    return execution.custom_properties.get(name)


def _error(execution: Execution) -> str | None:
    parts = [_text(execution, name) for name in ("error_type", "error_message", "skip_reason")]
    return ": ".join(part for part in parts if part) or None
