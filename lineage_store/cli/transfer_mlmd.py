"""`lineage-store import mlmd` and `export mlmd`: from and to databases of ML Metadata."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from lineage_store import errors
from lineage_store.cli.options import json_option
from lineage_store.database.urls import without_password
from lineage_store.model.plain import plain, printable
from lineage_store.transfer.mlmd_import import Imported, import_mlmd
from lineage_store.transfer.mlmd_problems import Problem, Problems

Progress = Callable[[int, int], None]


@click.group("import")
def import_group() -> None:
    """Fill an empty store with what another one holds."""


@import_group.command("mlmd")
@click.argument("source")
@click.option("--into", "target", required=True, metavar="URL", help="Database URL of the store.")
@click.option("--verify", is_flag=True, help="Read both again afterwards and compare them.")
@json_option
def import_command(source: str, target: str, *, verify: bool, as_json: bool) -> None:
    """Fill the empty store at --into with the database of ML Metadata at SOURCE.

    SOURCE is sqlite:///PATH, mysql://… or postgresql://…, of schema version 8 to 10; it is only
    read. Ids stay what they are. An import that was cut off goes on when the same command runs
    again.
    """
    problems = Problems(_tell)
    with _progress(f"importing {without_password(source)}", hidden=as_json) as progress:
        done = import_mlmd(source, target, problems, progress)
    _echo(done, problems, as_json=as_json)


def _tell(problem: Problem) -> None:
    click.echo(printable(str(problem)), err=True)


@contextmanager
def _progress(label: str, *, hidden: bool) -> Iterator[Progress]:
    """Give what moves a bar on standard error, if that is a terminal."""
    if hidden or not sys.stderr.isatty():
        yield lambda *_: None
        return
    with click.progressbar(length=0, label=label, file=sys.stderr) as bar:

        def move(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield move


def _echo(done: Imported, problems: Problems, *, as_json: bool) -> None:
    if as_json:
        found = {**plain(done), "problems": {"count": problems.count, "shown": problems.shown}}
        click.echo(json.dumps(plain(found), indent=2, ensure_ascii=False))
        return
    for name, count in done.stored.items():
        click.echo(f"{count} {name.replace('_', ' ')}")


COMMANDS: list[click.Command] = [import_group]
