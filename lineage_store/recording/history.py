"""Recorded runs, read back from a store."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lineage_store import errors
from lineage_store.client.calls import Page
from lineage_store.client.store import ClientStore
from lineage_store.entities import Context, Event, Execution, ExecutionState
from lineage_store.entities.tables import html_item, html_table
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
"""The context types of runs: ours, that of Kubeflow Pipelines, that of TFX."""

_STEP_NAMES = ("step", "display_name", "task_name", "component_id")
"""The custom properties that name a step: ours, those of Kubeflow Pipelines, that of TFX."""

_EVENTS_OF = 500
"""Executions whose events are asked for in one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A run as a whole.

    Attributes:
        run: Its id, which is the name of its context.
        name: Its name.
        pipeline: Its pipeline.
        state: Its last state; None: that is not recorded.
        started_at: In ms since the epoch.
        duration_ms: None: it has not ended.
        heard_of_at: The time of its last sign of life, in ms since the epoch.
        error: Type and text of the error that ended it.
        execution_id: The execution that stands for it.
        incomplete: The gaps in its own record, with reasons; None: there is no known gap.
        incomplete_steps: The number of its steps whose records have gaps.
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

    def _repr_html_(self) -> str:
        return html_item(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStep:
    """One attempt at a step of a run.

    Attributes:
        execution_id: Its execution.
        name: Of the step; of a run within the run, the name of that.
        type: Of the execution.
        index: The number of steps of this name that the run had before.
        attempt: From 1.
        state: Its last state.
        is_cached: True if it was served from the cache.
        original_execution_id: The execution that really ran; None: this one.
        decision: The decision of the cache; None: it was not asked.
        started_at: In ms since the epoch.
        duration_ms: None: it has not ended.
        heard_of_at: The time of its last sign of life, in ms since the epoch.
        error: Type and text of the error that ended it, or why there was nothing to do.
        run: The id of the run within the run that this stands for; None: it is a step.
        after: The executions of the run that wrote its inputs.
        incomplete: The gaps in its record, with reasons; None: there is no known gap.
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

    def _repr_html_(self) -> str:
        return f"{html_item(self.summary)}{html_table(self.steps)}"


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
        store: The store.
        pipeline: Only its runs.
        name: Only runs of this name.
        limit: Runs on the page, at most 100.
        page_token: `next_page_token` of the page before.
    """
    criteria = {"pipeline": pipeline, "run_name": name}
    conditions = [
        f"custom_properties.{key}.string_value = {_quoted(value)}"
        for key, value in criteria.items()
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
    runs = [replace(summary, incomplete_steps=counts[summary.run]) for summary in summaries]
    return Page(runs, page.next_page_token)


def _incomplete_steps(store: ClientStore, run_ids: Sequence[str]) -> Counter[str]:
    """Return the number of steps of each run whose records have gaps."""
    if not run_ids:
        return Counter()
    quoted_ids = ", ".join(map(_quoted, run_ids))
    executions = store.iter_executions(
        where=f"custom_properties.`{INCOMPLETE}`.string_value > '' AND "
        f"custom_properties.run_id.string_value IN ({quoted_ids})"
    )
    steps = (execution for execution in executions if execution.type != PIPELINE_RUN)
    return Counter(_text(execution, "run_id") or "" for execution in steps)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def read_run(store: ClientStore, run: str | None = None) -> RunHistory:
    """Return a run with its steps.

    Args:
        store: The store.
        run: The id of the run, also of one that Kubeflow Pipelines or TFX recorded; or a name:
            then the newest run of that name; None: the newest of all.

    Raises:
        NotFound: There is none.
    """
    context = _context(store, run)
    executions = list(store.iter_executions(context=context))
    run_id = str(context.name)
    run_executions = [execution for execution in executions if _is_run(execution, run_id)]
    steps = [execution for execution in executions if not _is_run(execution, run_id)]
    events = _events(store, [execution.id for execution in steps if execution.id is not None])
    producers = _producers(steps, events)
    summary = _summary(run_executions[0]) if run_executions else _unrecorded_run(run_id)
    incomplete = sum(_text(execution, INCOMPLETE) is not None for execution in steps)
    return RunHistory(
        summary=replace(summary, incomplete_steps=incomplete),
        steps=[
            _step(execution, producers.get(execution.id or 0, ()))
            for execution in sorted(steps, key=_start_order)
        ],
    )


def _context(store: ClientStore, run: str | None) -> Context:
    for type_name in _RUN_TYPES if run is not None else ():
        context = store.find_context(type=type_name, name=run)
        if context is not None:
            return context
    page = list_runs(store, name=run, limit=1)
    if not page.items:
        raise errors.NotFound("no run is recorded" if run is None else f"no run is called {run!r}")
    return store.get_context(type=RUN, name=page.items[0].run)


def _is_run(execution: Execution, run_id: str) -> bool:
    return execution.type == PIPELINE_RUN and _text(execution, "run_id") == run_id


def _unrecorded_run(run_id: str) -> RunSummary:
    return RunSummary(
        run=run_id, name=None, pipeline=None, state=None, started_at=None, duration_ms=None
    )


def _summary(execution: Execution) -> RunSummary:
    return RunSummary(
        run=_text(execution, "run_id") or "",
        name=_text(execution, "run_name"),
        pipeline=_text(execution, "pipeline"),
        state=execution.state,
        started_at=_start_order(execution)[0],
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
        started_at=_start_order(execution)[0],
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


def _start_order(execution: Execution) -> tuple[int, int]:
    """Return the sort key of an execution: the time it began, in ms, and its id."""
    started_at = _number(execution, "started_at")
    return (started_at if started_at is not None else execution.create_time or 0), execution.id or 0


def _events(store: ClientStore, ids: Sequence[int]) -> list[Event]:
    events: list[Event] = []
    for at in range(0, len(ids), _EVENTS_OF):
        events += store.list_events(execution=ids[at : at + _EVENTS_OF])
    return events


def _producers(steps: Sequence[Execution], events: Sequence[Event]) -> Mapping[int, set[int]]:
    """Return for each step those that wrote its inputs and began before it."""
    start_orders = {step.id or 0: _start_order(step) for step in steps}
    wrote: dict[int, set[int]] = {}
    for event in events:
        if event.type.is_output:
            wrote.setdefault(event.artifact_id or 0, set()).add(event.execution_id or 0)
    producers: dict[int, set[int]] = {}
    for event in events:
        reader = event.execution_id or 0
        if not event.type.is_output:
            writers = wrote.get(event.artifact_id or 0, ())
            earlier = {writer for writer in writers if start_orders[writer] < start_orders[reader]}
            producers.setdefault(reader, set()).update(earlier)
    return producers


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
