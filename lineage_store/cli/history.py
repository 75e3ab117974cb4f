"""Commands on the past of a store: versions of nodes, revisions, changes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

import click

from lineage_store.cli import render
from lineage_store.cli.addresses import Moment
from lineage_store.cli.options import document_options, open_store, store_option
from lineage_store.entities.versions import Commit, Version
from lineage_store.kinds import NodeKind

_REVISION_COLUMNS = ("number", "recorded_at", "token")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a history: one change of one version."""

    version: int
    recorded_at: Any
    commit: int | None
    writer: str | None
    change: str


def history_command(kind: NodeKind) -> click.Command:
    """Return the command that shows the versions of a node of a kind."""

    def history(node: str, url: str, *, as_json: bool) -> None:
        with open_store(url) as store:
            versions = getattr(store, kind.plural).history(node)
        if as_json:
            render.echo_json(versions)
            return
        lines = chain.from_iterable(map(_lines, versions))
        render.echo_table(("version", "recorded_at", "commit", "writer", "change"), list(lines))

    text = f"Show all versions of one {kind.name}: times, writers and changes."
    options = (click.argument("node"), store_option, document_options)
    for option in reversed(options):
        history = option(history)
    return click.command("history", help=text)(history)


def _lines(version: Version) -> Iterable[_Line]:
    commit = version.commit
    number = None if commit is None else commit.revision.number
    writer = None if commit is None else commit.writer
    changes = [str(change) for change in version.changes]
    if version.number == 1:
        changes.append("created")
    if not changes:  # an update that changed nothing
        changes.append("")
    for change in changes:
        yield _Line(version.number, version.recorded_at, number, writer, change)


@click.command()
@click.option(
    "--by",
    type=Moment(),
    metavar="DATE",
    help="The last one by then: 2026-11-23 (its end) or 2026-11-23T17:30:00, UTC.",
)
@store_option
@document_options
def revision(url: str, by: datetime | None, *, as_json: bool) -> None:
    """Show the last revision of a store, or the last by some time.

    Other commands take its token with --at, and read the store as it was.
    """
    with open_store(url) as store:
        last = store.history.revision(by)
    if as_json:
        render.echo_json(last)
    else:
        render.echo_table(_REVISION_COLUMNS, [last])


@click.command()
@click.option("--after", metavar="TOKEN", default="", help="Only after this revision.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only facts of this kind.")
@click.option("--follow", is_flag=True, help="Wait for more commits, until you stop it.")
@store_option
@document_options
def changes(url: str, after: str, kinds: tuple[str, ...], *, follow: bool, as_json: bool) -> None:
    """List commits in their order, one a line.

    Keep the token of the last commit that you have dealt with, and go on from it with --after.
    """
    with open_store(url) as store:
        listing = store.history.watch if follow else store.history.changes
        for commit in listing(after, kinds):
            if as_json:
                render.echo_json(commit, on_one_line=True)
            else:
                click.echo(_line_of(commit))


def _line_of(commit: Commit) -> str:
    counts: dict[str, int] = {}
    for kind, _ in commit.facts:
        counts[kind] = counts.get(kind, 0) + 1
    facts = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    moment = commit.revision.recorded_at.isoformat(timespec="milliseconds")
    return f"{commit.revision.token}  {moment}  {commit.writer}  {facts}"
