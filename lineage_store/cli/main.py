"""The group of all commands, and how they end.

Exit codes: 0 done; 1 the store answered an error, or a check found something; 2 wrong usage;
3 the store can't be reached or opened; 4 the answer is not complete (the verdict says why).
"""

import sys
from importlib.metadata import entry_points
from typing import Any

import click

from lineage_store import errors
from lineage_store.cli import cache, hooks, lineage, nodes, runs, spool, transfer, transfer_mlmd
from lineage_store.cli.db import db

EXIT_ERROR = 1
EXIT_UNREACHABLE = 3

_UNREACHABLE = (errors.Unavailable, errors.SchemaMismatch, errors.DataLoss)


class _Commands(click.Group):
    """Our commands, and those that an installed package offers as `lineage_store.commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_offered().names})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _offered().names:
            loaded: click.Command = _offered()[cmd_name].load()
            return loaded
        return super().get_command(ctx, cmd_name)


def _offered() -> Any:
    return entry_points(group="lineage_store.commands")


@click.group(cls=_Commands)
@click.version_option(package_name="lineage-store", prog_name="lineage-store")
def cli() -> None:
    """Record, read and serve the lineage of machine-learning pipelines."""


cli.add_command(db)
for _command in (
    *nodes.COMMANDS,
    *lineage.COMMANDS,
    *cache.COMMANDS,
    *runs.COMMANDS,
    *spool.COMMANDS,
    *transfer.COMMANDS,
    *hooks.COMMANDS,
    *transfer_mlmd.COMMANDS,
):
    cli.add_command(_command)


def main() -> None:
    """Run the command line; an error of the store is one line on standard error."""
    try:
        cli(prog_name="lineage-store")
    except errors.LineageError as error:
        click.echo(f"error: {error.message} [{error.reason}]", err=True)
        sys.exit(EXIT_UNREACHABLE if isinstance(error, _UNREACHABLE) else EXIT_ERROR)
