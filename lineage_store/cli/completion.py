"""`lineage-store completion`: completion of commands and options on Tab."""

import os
from pathlib import Path
from typing import cast

import click
from click.shell_completion import BashComplete, ShellComplete, get_completion_class

from lineage_store.cli.main import COMPLETION_VARIABLE
from lineage_store.entities.plain import printable

SHELLS = ("bash", "zsh", "fish")

_ZSH_START = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }\n"
"""The command `compdef`, which the script calls, exists only after `compinit`."""

_shell = click.argument("shell", type=click.Choice(SHELLS), required=False)


@click.group()
def completion() -> None:
    """Install the completion of commands and options, or print its script."""


@completion.command()
@_shell
def show(shell: str | None) -> None:
    """Print the completion script for SHELL, which is by default the shell you use."""
    click.echo(_script(shell or _own_shell()), nl=False)


@completion.command()
@_shell
def install(shell: str | None) -> None:
    """Install completion for SHELL, which is by default the shell you use.

    Bash and zsh get a script in the data directory of the user, and one line in ~/.bashrc or
    ~/.zshrc that reads it. Fish reads the script from its own directory. To install it again
    replaces the script.
    """
    name = shell or _own_shell()
    script = _script_path(name)
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(_script(name), encoding="utf-8")
    startup = _startup_file(name)
    if startup is not None:
        _add_line(startup, f"[ -r '{script}' ] && . '{script}'")
    click.echo(printable(f"completion for {name}: {script}; open a new shell to use it"))


def _own_shell() -> str:
    """Return the shell of the user.

    Raises:
        UsageError: It is none that completion exists for.
    """
    name = Path(os.environ.get("SHELL", "")).name
    if name not in SHELLS:
        raise click.UsageError(f"name the shell: {', '.join(SHELLS)}")
    return name


def _script(shell: str) -> str:
    command = click.get_current_context().find_root().command
    complete = cast("type[ShellComplete]", get_completion_class(shell))
    script = complete(command, {}, "lineage-store", COMPLETION_VARIABLE)
    # BashComplete.source() also starts bash, to check that it is 4.4 or newer
    text = ShellComplete.source(script) if complete is BashComplete else script.source()
    return f"{_ZSH_START}{text}" if shell == "zsh" else text


def _script_path(shell: str) -> Path:
    if shell == "fish":
        return _directory("XDG_CONFIG_HOME", ".config") / "fish/completions/lineage-store.fish"
    return _directory("XDG_DATA_HOME", ".local/share") / f"lineage-store/completion.{shell}"


def _directory(variable: str, default: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / default)


def _startup_file(shell: str) -> Path | None:
    """Return the file in which a shell needs a line, or None for fish, which needs none."""
    if shell == "bash":
        return Path.home() / ".bashrc"
    if shell == "zsh":
        return Path(os.environ.get("ZDOTDIR") or Path.home()) / ".zshrc"
    return None


def _add_line(path: Path, line: str) -> None:
    """Append a line to a file, unless the file has it."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if line not in text.splitlines():
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{'' if not text or text.endswith(chr(10)) else chr(10)}{line}\n")
