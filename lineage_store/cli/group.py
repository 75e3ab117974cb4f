"""The group of all commands, and how they end.

Exit codes: 0 done; 1 the store answered an error, or a check found something; 2 wrong usage;
3 the store can't be reached or opened; 4 the answer is not complete (the verdict says why).
"""

import importlib
import sys
from importlib.metadata import entry_points

import click
from click.shell_completion import CompletionItem

from lineage_store import errors
from lineage_store.cli import overview
from lineage_store.cli.commands import COMMANDS, EXTENSION_GROUP, SUMMARY

EXIT_ERROR = 1
EXIT_UNREACHABLE = 3

_UNREACHABLE = (errors.Unavailable, errors.SchemaMismatch, errors.DataLoss)


class LazyGroup(click.Group):
    """A group that imports the module of a command when the command is called.

    Commands are those of the table, and those that an installed package offers as an entry point
    in the group `lineage_store.commands`.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands."""
        return sorted(overview.short_helps())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return a command, imported now, or None if there is none of this name."""
        if cmd_name in COMMANDS:
            module, attribute, _ = COMMANDS[cmd_name]
            command = getattr(importlib.import_module(f"lineage_store.cli.{module}"), attribute)
            assert isinstance(command, click.Command)  # noqa: S101 - for the type checker
            return command
        for extension in entry_points(group=EXTENSION_GROUP, name=cmd_name):
            offered: click.Command = extension.load()
            return offered
        return None

    def get_help(self, ctx: click.Context) -> str:  # noqa: ARG002 - click's signature
        """Return the help text, which `--help` as the only argument prints without click."""
        return overview.help_text()

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return completions for the name of a command, or for an option of the group."""
        return [
            *(
                CompletionItem(name, help=short_help)
                for name, short_help in sorted(overview.short_helps().items())
                if name.startswith(incomplete)
            ),
            *click.Command.shell_complete(self, ctx, incomplete),
        ]


@click.group(
    cls=LazyGroup,
    help=SUMMARY,
    context_settings={"help_option_names": list(overview.HELP_OPTIONS)},
)
@click.version_option(package_name="lineage-store", prog_name="lineage-store")
def cli() -> None:
    """Record, read and serve the lineage of machine-learning pipelines."""


def run() -> None:
    """Run the command that the arguments of this process name."""
    try:
        cli(prog_name="lineage-store")
    except errors.LineageError as error:
        click.echo(f"error: {error.message} [{error.reason}]", err=True)
        sys.exit(EXIT_UNREACHABLE if isinstance(error, _UNREACHABLE) else EXIT_ERROR)
