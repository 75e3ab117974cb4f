"""The threads that answer calls.

Those of `concurrent.futures` are joined when the interpreter ends, so one call that does not end
would keep the process from ending. These are not, and take less time for each call.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_Work = tuple["Future[Any]", Callable[..., Any], tuple[Any, ...], dict[str, Any]]

logger = logging.getLogger("lineage_server")


class Threads:
    """Runs functions, each in an idle thread or in a new one.

    Args:
        most: The most threads; further functions wait for one.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._work: SimpleQueue[_Work | None] = SimpleQueue()
        self._mutex = threading.Lock()
        self._count = 0
        self._busy = 0

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Return the future result of a function that a thread will run."""
        future: Future[T] = Future()
        with self._mutex:
            self._busy += 1
            is_new = self._count < min(self._busy, self._most)
            self._count += is_new
            number = self._count
        self._work.put((future, fn, args, kwargs))
        if is_new:
            threading.Thread(target=self._run, name=f"grpc-{number}", daemon=True).start()
        return future

    def _run(self) -> None:
        while True:
            work = self._work.get()
            if work is None:
                return
            future, function, arguments, named = work
            try:
                result = function(*arguments, **named)
            except BaseException as error:
                logger.exception("a thread met a defect")
                future.set_exception(error)
            else:
                future.set_result(result)
                result = None
            work = future = function = arguments = named = None  # type: ignore[assignment]
            with self._mutex:
                self._busy -= 1

    def end(self) -> None:
        """Let the threads end as soon as nothing is left to run."""
        for _ in range(self._count):
            self._work.put(None)
