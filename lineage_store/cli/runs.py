"""`lineage-store runs`: runs of pipelines and their steps."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import click

from lineage_store import errors
from lineage_store.cli import dag, render
from lineage_store.cli.nearest import check_pipeline, unknown_run
from lineage_store.cli.options import document_options, open_store, store_option
from lineage_store.entities import ExecutionState
from lineage_store.entities.plain import printable
from lineage_store.entities.tables import cell
from lineage_store.lineage.verdict import counted
from lineage_store.recording.history import RunHistory, RunStep, RunSummary, list_runs, read_run

_COLUMNS = ("run", "pipeline", "state", "started_at", "duration_ms")


@click.group()
def runs() -> None:
    """Look at runs of pipelines."""


@runs.command("list")
@click.option("--pipeline", metavar="NAME", help="Only its runs.")
@click.option("--name", metavar="NAME", help="Only runs of this name.")
@click.option(
    "--limit", type=click.IntRange(min=1, max=100), default=20, show_default=True,
    help="List at most this many.",
)  # fmt: skip
@click.option("--page-token", metavar="TOKEN", help="Continue where a listing stopped.")
@store_option
@document_options
def list_(url: str, *, as_json: bool, **options: Any) -> None:
    """List runs, the newest first."""
    with open_store(url) as store:
        page = list_runs(store, **options)
        if not page.items and options["pipeline"] is not None:
            check_pipeline(store, options["pipeline"])
    if as_json:
        render.echo_json(page.items)
    else:
        is_incomplete = any(run.incomplete_steps for run in page.items)
        columns = (*_COLUMNS, "incomplete_steps") if is_incomplete else _COLUMNS
        render.echo_table(columns, page.items)
    if page.next_page_token:
        click.echo(f"more: --page-token {page.next_page_token}", err=True)


@runs.command()
@click.argument("run", required=False)
@store_option
@document_options
def show(url: str, run: str | None, *, as_json: bool) -> None:
    """Draw the steps of RUN: the steps each waited for, its state and its duration.

    RUN is the id of a run, or the name of runs: then the newest of them. Without RUN it is the
    newest of all. A step that is not recorded completely names the missing parts, and why.
    """
    with open_store(url) as store:
        try:
            history = read_run(store, run)
        except errors.NotFound:
            if run is None:
                raise
            raise unknown_run(store, run) from None
    if as_json:
        render.echo_json(history)
        return
    for line in _drawing(history):
        click.echo(line)


def _drawing(history: RunHistory) -> Iterator[str]:
    yield _heading(history.summary)
    if history.summary.error:
        yield printable(history.summary.error)
    counts = Counter(str(step.state) for step in history.steps)
    states = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    incomplete_count = history.summary.incomplete_steps
    states += f"; {incomplete_count:,} recorded incompletely" if incomplete_count else ""
    yield f"{counted(len(history.steps), 'step')}{': ' if states else ''}{states}"
    if history.summary.incomplete:
        yield printable(f"incomplete: {history.summary.incomplete}")
    yield ""
    steps = {step.execution_id: step for step in history.steps}
    lines = list(dag.draw({step.execution_id: step.after for step in history.steps}))
    widths = [max((len(text) for text in column), default=0) for column in _columns(history)]
    for lanes, node in lines:
        yield (lanes if node is None else f"{lanes}  {_line(steps[node], widths)}").rstrip()


def _heading(summary: RunSummary) -> str:
    of = f" of {summary.pipeline}" if summary.pipeline else ""
    parts = [
        f"{summary.run}{of}",
        str(summary.state or "?"),
        cell("duration_ms", summary.duration_ms),
    ]
    return printable("  ".join([*parts, cell("started_at", summary.started_at)]))


def _columns(history: RunHistory) -> list[list[str]]:
    cells = [_cells(step) for step in history.steps]
    return [list(column) for column in zip(*cells, strict=True)] or [[], [], [], []]


def _line(step: RunStep, widths: list[int]) -> str:
    name, state, duration, remark = _cells(step)
    return f"{name:<{widths[0]}}  {state:<{widths[1]}}  {duration:>{widths[2]}}  {remark}"


def _cells(step: RunStep) -> tuple[str, str, str, str]:
    """Return name, state, duration and remark of a step."""
    name = step.name if step.run is None else f"run {step.run}"
    name += f"[{step.index}]" if step.index else ""
    name += f" attempt {step.attempt}" if step.attempt > 1 else ""
    remark = f"(execution:{step.execution_id})"
    if step.is_cached and step.original_execution_id is not None:
        remark += f" from execution {step.original_execution_id}"
    elif step.state is ExecutionState.RUNNING:
        remark += f" last heard of {cell('heard_of_at', step.heard_of_at)}"
    elif step.error:
        remark += f" {step.error}"
    elif step.decision:
        remark += f" {step.decision}"
    remark += f" incomplete: {step.incomplete}" if step.incomplete else ""
    return (
        printable(name),
        str(step.state or "-"),
        cell("duration_ms", step.duration_ms),
        printable(remark),
    )
