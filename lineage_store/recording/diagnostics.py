"""What went wrong in recording, told once per kind: it must never disturb what is recorded."""

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
_told: set[str] = set()


def complain(kind: str, message: str, *arguments: object) -> None:
    """Log a warning; of each kind only the first, the others as debugging."""
    with _lock:
        is_new = kind not in _told
        _told.add(kind)
    level = logging.WARNING if is_new else logging.DEBUG
    logger.log(level, message, *arguments)


def _after_fork() -> None:
    global _lock  # noqa: PLW0603 - another thread may have held it when the process was forked
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_after_fork)


def forget(kind: str) -> None:
    """Tell the next complaint of a kind again: what it was about is over."""
    with _lock:
        _told.discard(kind)


def harmless(default: D) -> Callable[[Callable[P, T]], Callable[P, T | D]]:
    """Return a decorator after which a function logs its errors and returns `default` instead.

    An error is noted as a gap of the step or the run that is among the arguments, or else of the
    step that the code runs in: what is recorded of it says that it is not complete.
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
    """Log the failure of a function, and note it as a gap if it is known whose."""
    what = name.rpartition(".")[2].strip("_")
    if gaps is not None:
        gaps.fail(what, error)
        return
    kind = type(error).__name__
    complain(f"{name} {kind}", "lineage of a step is incomplete: %s: %s: %s", what, kind, error)
