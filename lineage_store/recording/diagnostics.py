"""Warnings about recording, once per kind: they must never disturb the program."""

import functools
import logging
import os
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from lineage_store.recording.gaps import Gaps, gaps_among

P = ParamSpec("P")
T = TypeVar("T")
D = TypeVar("D")

logger = logging.getLogger("lineage_store.recording")

_lock = threading.Lock()
_logged_kinds: set[str] = set()


def warn_once(kind: str, message: str, *arguments: object) -> None:
    """Log a warning; of each kind only the first, the others as debugging."""
    with _lock:
        is_new = kind not in _logged_kinds
        _logged_kinds.add(kind)
    level = logging.WARNING if is_new else logging.DEBUG
    logger.log(level, message, *arguments)


def _after_fork() -> None:
    global _lock  # noqa: PLW0603 - another thread may have held it when the process was forked
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_after_fork)


def rearm(kind: str) -> None:
    """Log the next warning of a kind again: the trouble that it was about is over."""
    with _lock:
        _logged_kinds.discard(kind)


def reset() -> None:
    """Rearm all kinds of warnings, as in a new process; for tests."""
    with _lock:
        _logged_kinds.clear()


def never_raises(default: D) -> Callable[[Callable[P, T]], Callable[P, T | D]]:
    """Return a decorator that makes a function log its errors, and return `default` instead.

    An error is noted as a gap of the step or the run that is among the arguments, or else of the
    step that the code runs in: its record says that it is not complete.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T | D]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> T | D:
            try:
                return function(*args, **kwargs)
            except Exception as error:
                _note(function.__qualname__, error, gaps_among(args))
                return default

        return guarded

    return decorate


def _note(name: str, error: Exception, gaps: Gaps | None) -> None:
    """Log the failure of a function, and note it as a gap if the step or run is known."""
    function_name = name.rpartition(".")[2].strip("_")
    if gaps is not None:
        gaps.fail(function_name, error)
        return
    kind = type(error).__name__
    warn_once(
        f"{name} {kind}", "lineage of a step is incomplete: %s: %s: %s", function_name, kind, error
    )
