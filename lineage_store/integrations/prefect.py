"""The hook of Prefect, which is loaded after the module that runs flows: see `startup`.

Prefect tells of the states of a task run only where the code of the task asks for it, and its
plugins are off unless they are switched on; all states go through `set_state` of the engines.
"""

import functools
from typing import Any

from prefect.flow_engine import AsyncFlowRunEngine, FlowRunEngine
from prefect.task_engine import AsyncTaskRunEngine, SyncTaskRunEngine

from lineage_store.integrations.switch import Switch

_record = Switch("prefect")


def _tell_states(engine: Any, event: str) -> None:
    """Have each state that an engine comes to told as an event."""
    original = engine.set_state

    @functools.wraps(original)
    def set_state(self: Any, *args: Any, **kwargs: Any) -> Any:
        state = original(self, *args, **kwargs)
        _record(event, self, state)
        return state

    engine.set_state = set_state


def _tell_states_later(engine: Any, event: str) -> None:
    """Have each state that an asynchronous engine comes to told as an event."""
    original = engine.set_state

    @functools.wraps(original)
    async def set_state(self: Any, *args: Any, **kwargs: Any) -> Any:
        state = await original(self, *args, **kwargs)
        _record(event, self, state)
        return state

    engine.set_state = set_state


def _tell_errors(engine: Any) -> None:
    """Have each error of a task told before the engine decides whether it tries again."""
    original = engine.handle_retry

    @functools.wraps(original)
    def handle_retry(self: Any, exc_or_state: Any) -> Any:
        _record("task_erred", self, exc_or_state)
        return original(self, exc_or_state)  # for an asynchronous engine, what it awaits

    engine.handle_retry = handle_retry


if _record.fits():
    _tell_states(FlowRunEngine, "flow_state")
    _tell_states_later(AsyncFlowRunEngine, "flow_state")
    _tell_states(SyncTaskRunEngine, "task_state")
    _tell_states_later(AsyncTaskRunEngine, "task_state")
    _tell_errors(SyncTaskRunEngine)
    _tell_errors(AsyncTaskRunEngine)
