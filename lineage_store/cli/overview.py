"""The help text of the whole command line and the version, without importing click.

`lineage-store --help` and `--version` are answered from the table of commands and from the
directories of installed distributions; importing click alone takes longer than both together.
"""

import os
import sys

from lineage_store.cli.commands import COMMANDS, EXTENSION_GROUP, EXTENSION_HELP, SUMMARY

HELP_OPTIONS = ("-h", "--help")

_OTHER_PACKAGE = "A command of another installed package."
_DISTRIBUTION = "lineage_store-"
_METADATA = ".dist-info"


def help_text() -> str:
    """Return the help text of `lineage-store`."""
    helps = short_helps()
    width = max(map(len, helps))
    return "\n".join(
        [
            "Usage: lineage-store [OPTIONS] COMMAND [ARGS]...",
            "",
            f"  {SUMMARY}",
            "",
            "Options:",
            "  --version   Show the version and exit.",
            "  -h, --help  Show this message and exit.",
            "",
            "Commands:",
            *(f"  {name:<{width}}  {helps[name]}" for name in sorted(helps)),
        ]
    )


def short_helps() -> dict[str, str]:
    """Return the short help of each command, also of those that other packages offer."""
    extensions = {name: EXTENSION_HELP.get(name, _OTHER_PACKAGE) for name in extension_names()}
    return extensions | {name: short_help for name, (_, _, short_help) in COMMANDS.items()}


def extension_names() -> list[str]:
    """Return the names of the commands that installed packages offer."""
    names: list[str] = []
    for directory, _ in _distributions():
        try:
            with open(os.path.join(directory, "entry_points.txt"), encoding="utf-8") as file:  # noqa: PTH118, PTH123 - pathlib takes longer to import
                text = file.read()
        except OSError:
            continue
        _, header, section = text.partition(f"[{EXTENSION_GROUP}]")
        lines = section.partition("\n[")[0].splitlines() if header else []
        names += [line.partition("=")[0].strip() for line in lines if "=" in line]
    return names


def version() -> str | None:
    """Return the installed version of lineage-store, or None if no directory names it."""
    for _, name in _distributions():
        if name.startswith(_DISTRIBUTION):
            return name.removeprefix(_DISTRIBUTION).removesuffix(_METADATA)
    return None


def _distributions() -> list[tuple[str, str]]:
    """Return the metadata directories of installed distributions: path and name of each."""
    directories: list[tuple[str, str]] = []
    for parent in sys.path:
        try:
            names = os.listdir(parent)  # noqa: PTH208 - pathlib takes longer to import
        except OSError:
            continue
        directories += [
            (f"{parent}{os.sep}{name}", name) for name in names if name.endswith(_METADATA)
        ]
    return directories
