"""Runs command lines of `lineage-store`, each in a process that is forked from this one.

A line of JSON on standard input has the arguments, the directory, the environment and the files of
both outputs; a line on standard output has the exit code. A command sees what it would see if
`python -m lineage_store.cli` had been started for it, without the 0.7 seconds of its imports.
"""

import importlib
import json
import os
import pkgutil
import runpy
import sys
import traceback
from typing import Any

PACKAGES = ("lineage_store.cli", "lineage_store.transfer", "lineage_store.database.checks")
"""Packages whose modules are all imported, with what these import."""

MODULES = (
    *("lineage_store.client.embedded", "lineage_store.database.drivers.sqlite"),
    *("lineage_store.database.schema.migrations", "lineage_store.client.connecting"),
)


def main() -> None:
    """Run commands until there are no more."""
    for name in (*MODULES, *PACKAGES):
        importlib.import_module(name)
    for name in PACKAGES:
        for module in pkgutil.walk_packages(sys.modules[name].__path__, f"{name}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _run(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(json.dumps(os.waitstatus_to_exitcode(status)), flush=True)


def _run(job: dict[str, Any]) -> None:
    code = 1
    try:
        _redirect(job["outputs"])
        os.chdir(job["directory"])
        os.environ.clear()
        os.environ.update(job["environment"])
        sys.argv = ["lineage-store", *job["arguments"]]
        runpy.run_module("lineage_store.cli", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _redirect(outputs: list[str]) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, path in enumerate(outputs, start=1):
        os.dup2(os.open(path, os.O_WRONLY), number)


if __name__ == "__main__":
    main()
