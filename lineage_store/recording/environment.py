"""The environment of a run: the commit, the versions, the machine and the user.

Each part is looked up on its own, and left out if it can't be found: there is no git, the user has
no name, a package has no metadata. Nothing here raises, and nothing takes longer than its time.
"""

import contextlib
import copy
import functools
import getpass
import importlib.metadata
import os
import platform
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from lineage_store.masking import bare_url

MAX_PACKAGES = 1000
"""Packages that are listed; those that come first on `sys.path`."""

PACKAGES_SECONDS = 2.0
"""Time after which the list of packages ends where it is."""

GIT_SECONDS = 2.0
"""Time that git may take, all its commands together."""

VARIABLE = "LINEAGE_STORE_CAPTURE"
"""The environment variable that names the captured parts: "all", "none", or names with commas."""


def capture(parts: Collection[str] | None = None) -> dict[str, object]:
    """Return the environment of this process; looked up once per process.

    The keys are git_commit, git_dirty (whether a tracked file differs from the commit), git_remote
    (without credentials), python_version, python_implementation, platform, packages (versions by
    name), host and user. A part that can't be found is left out.

    Args:
        parts: Some of PARTS; None: those that the variable LINEAGE_STORE_CAPTURE names, all if it
            is not set.
    """
    part_names = _named_by_variable() if parts is None else parts
    details: dict[str, object] = {}
    for part in PARTS:
        if part in part_names:
            details |= _captured(part)
    return copy.deepcopy(details)


def _named_by_variable() -> Collection[str]:
    named = os.environ.get(VARIABLE, "all").lower()
    return PARTS if named.strip() == "all" else [word.strip() for word in named.split(",")]


@functools.cache
def _captured(part: str) -> dict[str, object]:
    with contextlib.suppress(Exception):
        return _CAPTURES[part]()
    return {}


def _git() -> dict[str, object]:
    """Return the commit that the program is of: that of its script, else of the directory."""
    directories = [Path(script).resolve().parent] if (script := _main_script()) else []
    deadline = time.monotonic() + GIT_SECONDS
    for directory in [*directories, Path.cwd()]:
        commit = _ask_git(directory, deadline, "rev-parse", "--verify", "HEAD")
        if commit:
            return {"git_commit": commit, **_details_of_git(directory, deadline)}
    return {}


def _main_script() -> str | None:
    return getattr(sys.modules.get("__main__"), "__file__", None)


def _details_of_git(directory: Path, deadline: float) -> dict[str, object]:
    details: dict[str, object] = {}
    remote = _ask_git(directory, deadline, "config", "--get", "remote.origin.url")
    if remote:
        details["git_remote"] = bare_url(remote)
    changes = _ask_git(directory, deadline, "status", "--porcelain", "--untracked-files=no")
    if changes is not None:
        details["git_dirty"] = bool(changes)
    return details


def _ask_git(directory: Path, deadline: float, *command: str) -> str | None:
    """Return the output of git, or None if it fails, is missing or takes too long."""
    try:
        process = subprocess.run(  # noqa: S603 - no part of the command comes from outside
            ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", *command],  # noqa: S607
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"GIT_TERMINAL_PROMPT": "0"},
            timeout=max(0.01, deadline - time.monotonic()),
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return process.stdout.decode(errors="replace").strip()


def _python() -> dict[str, object]:
    return {
        "python_version": platform.python_version(),
        "python_implementation": platform.python_implementation(),
    }


def _platform() -> dict[str, object]:
    return {"platform": platform.platform()}


def _packages() -> dict[str, object]:
    versions: dict[str, str] = {}
    deadline = time.monotonic() + PACKAGES_SECONDS
    for name, version in _installed():
        versions.setdefault(name, version)
        if len(versions) == MAX_PACKAGES or time.monotonic() > deadline:
            break
    return {"packages": dict(sorted(versions.items()))}


def _installed() -> Iterator[tuple[str, str]]:
    """Yield name and version of each package, names in the normal form of PyPI."""
    for distribution in importlib.metadata.distributions():
        with contextlib.suppress(Exception):  # one that is damaged must not hide the others
            metadata = distribution.metadata
            yield re.sub(r"[-_.]+", "-", metadata["Name"]).lower(), metadata["Version"]


def _host() -> dict[str, object]:
    return {"host": socket.gethostname()}


def _user() -> dict[str, object]:
    return {"user": getpass.getuser()}


_CAPTURES: dict[str, Callable[[], dict[str, object]]] = {
    "git": _git,
    "python": _python,
    "platform": _platform,
    "packages": _packages,
    "host": _host,
    "user": _user,
}

PARTS = tuple(_CAPTURES)
"""The parts that can be captured."""
