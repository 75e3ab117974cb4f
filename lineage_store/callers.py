"""The callers of this process, and whether anybody still waits for the answer of a thread.

A server says so for each call; where nothing was said, as in an embedded store, the caller is the
thread itself and waits for as long as it takes.
"""

from collections.abc import Callable
from contextvars import ContextVar

from lineage_store import errors

_is_waiting: ContextVar[Callable[[], bool] | None] = ContextVar("is_waiting", default=None)


def set_caller(is_waiting: Callable[[], bool]) -> None:
    """Say for the rest of this context how to ask whether its caller still waits."""
    _is_waiting.set(is_waiting)


def current_caller() -> Callable[[], bool] | None:
    """Return how to ask whether the caller still waits; None: it does as long as it takes."""
    return _is_waiting.get()


def check_caller() -> None:
    """Return if the caller still waits.

    Raises:
        Cancelled: It has gone, or its deadline has passed.
    """
    is_waiting = _is_waiting.get()
    if is_waiting is not None and not is_waiting():
        raise cancelled()


def cancelled() -> errors.Cancelled:
    """Return the error of a call whose caller has gone: only the log will have it."""
    return errors.Cancelled("the caller no longer waits for the answer")
