"""`lineage-store hooks`: show and diagnose the hooks of orchestrators."""

import sys

import click

from lineage_store.cli import render
from lineage_store.cli.options import document_options
from lineage_store.entities.plain import printable
from lineage_store.integrations.diagnosis import Diagnosis, diagnose, hook_statuses

_COLUMNS = ("hook", "version", "state", "found_by", "why")


@click.group()
def hooks() -> None:
    """Show and diagnose the hooks that record the runs of orchestrators."""


@hooks.command("list")
@document_options
def list_(*, as_json: bool) -> None:
    """List all hooks, and which of them are active in this environment."""
    statuses = hook_statuses()
    if as_json:
        render.echo_json(statuses)
    else:
        render.echo_table(_COLUMNS, statuses)


@hooks.command()
@document_options
def doctor(*, as_json: bool) -> None:
    """Diagnose recording: where hooks write, whether the store answers, how many records wait.

    Exits with 1 if there is a problem.
    """
    diagnosis = diagnose()
    if as_json:
        render.echo_json(diagnosis)
    else:
        _echo(diagnosis)
    if diagnosis.problems:
        sys.exit(1)


def _echo(diagnosis: Diagnosis) -> None:
    render.echo_table(_COLUMNS, diagnosis.hooks)
    click.echo(f"store   {printable(diagnosis.url or '-')}")
    click.echo(f"answer  {_answer(diagnosis)}")
    click.echo(f"cache   {'on' if diagnosis.cache else 'off'}")
    click.echo(f"spool   {printable(diagnosis.spool or '-')}: {diagnosis.pending} wait")
    for problem in diagnosis.problems:
        click.echo(f"problem: {printable(problem)}")


def _answer(diagnosis: Diagnosis) -> str:
    if diagnosis.answer_ms is not None:
        return f"after {diagnosis.answer_ms} ms"
    return "none" if diagnosis.problems else "none yet: the first run makes it"
