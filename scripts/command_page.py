"""Print docs/reference/commands.md: every command of the command line with its options.

python scripts/command_page.py > docs/reference/commands.md
"""

import inspect
from collections.abc import Iterator

import click

from lineage_store.cli.group import cli

HEADER = """\
# Commands

Every command with its options, from `--help`. For example, `lineage-store runs show nightly` draws
the newest run with the name "nightly". `make commands` writes this page.
"""


def commands(command: click.Command, context: click.Context) -> Iterator[click.Context]:
    """Yield the context of each command that is no group, in alphabetical order."""
    if not isinstance(command, click.Group):
        yield context
        return
    for name in command.list_commands(context):
        subcommand = command.get_command(context, name)
        if subcommand is not None and not subcommand.hidden:
            child = click.Context(subcommand, parent=context, info_name=name)
            yield from commands(subcommand, child)


def all_commands() -> list[click.Context]:
    """Return the context of each command; its `command_path` is "lineage-store runs show"."""
    return list(commands(cli, click.Context(cli, info_name="lineage-store")))


def section(context: click.Context) -> str:
    """Return the heading, the usage, the description and the options of a command."""
    command = context.command
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    description = inspect.cleandoc(command.help or "").replace("\b\n", "")
    options = [option_line(option) for option in command.params if isinstance(option, click.Option)]
    parts = [f"## {context.command_path}", f"```text\n{usage}\n```", description]
    return "\n\n".join([*parts, "\n".join(options)]).rstrip() + "\n"


def option_line(option: click.Option) -> str:
    """Return the item of an option: its names, its help, its choices, default and variable."""
    sentences = [" ".join((option.help or "").split())]
    if isinstance(option.type, click.Choice):
        choices = ", ".join(f"`{choice}`" for choice in option.type.choices)
        sentences.append(f"One of {choices}.")
    if option.show_default and not option.is_flag:
        sentences.append(f"Default: `{option.default}`.")
    if option.envvar:
        sentences.append(f"Environment variable: `{option.envvar}`.")
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    return f"- {names}: {' '.join(filter(None, sentences))}".removesuffix(": ")


def page() -> str:
    """Return the text of the page."""
    return "\n".join([HEADER, *(section(context) for context in all_commands())])


if __name__ == "__main__":
    print(page(), end="")
