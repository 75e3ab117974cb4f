"""A diagnosis of the hooks: their states, their store, and the records that wait."""

import os
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from lineage_store import errors
from lineage_store.client.addresses import check_url, located
from lineage_store.integrations.hook import wants_cache
from lineage_store.integrations.switch import URL
from lineage_store.integrations.tools import STARTUP_FILE, TOOLS, Tool
from lineage_store.masking import masked_url
from lineage_store.recording.delivery.replay import (
    SpoolDamaged,
    SpoolStatus,
    spool_path,
    spool_status,
)
from lineage_store.store import connect

CONNECT_SECONDS = 3.0
"""Seconds to wait for a store: a user who asks can see whether it is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookStatus:
    """The state of the hook of one tool, in this environment.

    Attributes:
        hook: The name of the tool.
        version: Of the installed tool; None: it is not installed.
        state: "active", "off", "not installed" or "broken".
        why: Why it is not active.
        found_by: The way by which the tool loads the hook.
    """

    hook: str
    version: str | None
    state: str
    why: str | None
    found_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The way of records from the hooks to the store, checked.

    Attributes:
        hooks: The states of the hooks.
        url: The store that they write to, without password; None: they are off.
        cache: True if they skip unchanged steps.
        answer_ms: The time in which the store was opened and answered; None: it did not.
        spool: The file in which records wait.
        pending: The number of records that wait.
        refused: The number of records that the store refused.
        problems: Problems, each with its remedy.
    """

    hooks: list[HookStatus]
    url: str | None
    cache: bool
    answer_ms: int | None
    spool: str | None
    pending: int
    refused: int
    problems: list[str]


def hook_statuses() -> list[HookStatus]:
    """Return the state of each hook."""
    return [_status(tool) for tool in TOOLS.values()]


def _status(tool: Tool) -> HookStatus:
    version = tool.installed()
    unsupported = None if version is None else tool.unsupported_version(version)
    state, why = "active", None
    if version is None:
        state, why = "not installed", f'pip install "lineage-store[{tool.name}]"'
    elif unsupported is not None:
        state, why = "broken", unsupported
    elif not _is_findable(tool):
        state, why = "broken", f"{_found_by(tool)} is missing: install lineage-store again"
    elif not os.environ.get(URL, "").strip():
        state, why = "off", f"{URL} is not set"
    elif tool.note:
        why = tool.note
    return HookStatus(
        hook=tool.name, version=version, state=state, why=why, found_by=_found_by(tool)
    )


def _found_by(tool: Tool) -> str:
    if tool.group is not None:
        return f"entry point {tool.group}"
    return STARTUP_FILE if tool.after is not None else tool.note


def _is_findable(tool: Tool) -> bool:
    """Return whether a tool can find its hook in this environment."""
    if tool.group is not None:
        ours = "lineage_store.integrations."
        return any(
            entry_point.value.startswith(ours) for entry_point in entry_points(group=tool.group)
        )
    return tool.after is None or (Path(sysconfig.get_path("purelib")) / STARTUP_FILE).exists()


def diagnose() -> Diagnosis:
    """Check that the records of hooks arrive; open the store if there is one."""
    url = os.environ.get(URL, "").strip() or None
    hooks = hook_statuses()
    problems = [f"{hook.hook}: {hook.why}" for hook in hooks if hook.state == "broken"]
    answer_ms, problem = (
        (None, f"{URL} is not set: nothing is recorded") if url is None else _time_answer(url)
    )
    if problem is not None:
        problems.append(problem)
    status, damage = (None, None) if url is None else _spool_state(url)
    problems += list(_spool_problems(status, damage))
    return Diagnosis(
        hooks=hooks,
        url=None if url is None else masked_url(url),
        cache=wants_cache(),
        answer_ms=answer_ms,
        spool=None if url is None else str(spool_path(url)),
        pending=0 if status is None else status.pending,
        refused=0 if status is None else status.refused,
        problems=problems,
    )


def _time_answer(url: str) -> tuple[int | None, str | None]:
    """Return the time in ms in which a store answered, or the problem."""
    start = time.monotonic()
    try:
        check_url(url)
        if located(url) == "sqlite://":
            return None, f"{URL} names a store in memory: nothing is kept"
        if not _exists(url):
            return None, None
        with connect(url, connect_timeout=CONNECT_SECONDS) as store:
            store.list_executions(limit=1)
    except errors.LineageError as error:
        return None, f"the store does not answer: {error.message}"
    return round((time.monotonic() - start) * 1000), None


def _exists(url: str) -> bool:
    """Return whether a store is there to be asked; a file is made by the first run."""
    scheme, _, path = located(url).partition(":///")
    return scheme != "sqlite" or Path(path.partition("?")[0]).exists()


def _spool_state(url: str) -> tuple[SpoolStatus | None, str | None]:
    try:
        return spool_status(spool_path(url)), None
    except SpoolDamaged as error:
        return None, error.message


def _spool_problems(status: SpoolStatus | None, damage: str | None) -> Iterator[str]:
    if damage is not None:
        yield f"{damage}; lineage-store spool replay --recover"
    if status is not None and status.pending:
        yield f"{status.pending} records wait: lineage-store spool replay"
    if status is not None and status.refused:
        yield f"{status.refused} records were refused: lineage-store spool status says why"
