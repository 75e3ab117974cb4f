"""The entry point of the command line.

The help text and the version are answered here; all else is left to `lineage_store.cli.group`,
which imports click and the module of the command.
"""

import importlib
import os
import sys

from lineage_store.cli import overview

COMPLETION_VARIABLE = "_LINEAGE_STORE_COMPLETE"
"""Set by the completion script of a shell when it asks for completions."""


def main() -> None:
    """Run the command line; an error of the store is one line on standard error."""
    text = None if COMPLETION_VARIABLE in os.environ else _overview(sys.argv[1:])
    if text is None:
        importlib.import_module("lineage_store.cli.group").run()
    else:
        sys.stdout.write(f"{text}\n")


def _overview(arguments: list[str]) -> str | None:
    """Return the answer to `--help` or `--version`, or None for all other arguments."""
    if len(arguments) != 1:
        return None
    if arguments[0] in overview.HELP_OPTIONS:
        return overview.help_text()
    version = overview.version() if arguments[0] == "--version" else None
    return version and f"lineage-store, version {version}"
