"""`lineage-store hooks`: whether orchestrators record what they run, and where to."""

import sys

import click

from lineage_store.cli import render
from lineage_store.cli.options import document_options
from lineage_store.entities.plain import printable
from lineage_store.integrations.diagnosis import Diagnosis, diagnose, hook_statuses

_COLUMNS = ("hook", "version", "state", "found_by", "why")


@click.group()
def hooks() -> None:
    """Look at the hooks by which orchestrators record what they run."""


@hooks.command("list")
@document_options
def list_(*, as_json: bool) -> None:
    """List the hooks there are, and which of them are active in this environment."""
    found = hook_statuses()
    if as_json:
        render.echo_json(found)
    else:
        render.echo_table(_COLUMNS, found)


@hooks.command()
@document_options
def doctor(*, as_json: bool) -> None:
    """Say whether what hooks record arrives: where they write, if the store answers, what waits.

    Exits with 1 if something is wrong.
    """
    found = diagnose()
    if as_json:
        render.echo_json(found)
    else:
        _echo(found)
    if found.problems:
        sys.exit(1)


def _echo(found: Diagnosis) -> None:
    render.echo_table(_COLUMNS, found.hooks)
    click.echo(f"store   {printable(found.url or '-')}")
    click.echo(f"answer  {_answer(found)}")
    click.echo(f"cache   {'on' if found.cache else 'off'}")
    click.echo(f"spool   {printable(found.spool or '-')}: {found.pending} wait")
    for problem in found.problems:
        click.echo(f"problem: {printable(problem)}")


def _answer(found: Diagnosis) -> str:
    if found.answer_ms is not None:
        return f"after {found.answer_ms} ms"
    return "none" if found.problems else "none yet: the first run makes it"
