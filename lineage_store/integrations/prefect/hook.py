"""The hook of Prefect, which is loaded after the module that runs flows: see `startup`.

Prefect tells of the states of a task run only where the code of the task asks for it, and its
plugins are off unless they are switched on; all states go through `set_state` of the engines.
"""

import asyncio
import contextvars
import functools
from concurrent.futures import ThreadPoolExecutor

from prefect.flow_engine import AsyncFlowRunEngine, FlowRunEngine
from prefect.task_engine import AsyncTaskRunEngine, BaseTaskRunEngine, SyncTaskRunEngine

from lineage_store.integrations.prefect.protocols import (
    AsyncEngineType,
    BaseTaskEngineType,
    EngineType,
    State,
    TaskEngineType,
)
from lineage_store.integrations.switch import Switch

_record = Switch("prefect")

_threads = ThreadPoolExecutor(4, thread_name_prefix="lineage-store-prefect")
"""Not those of the event loop: these may all wait for the very task that begins."""


def _tell_states(engine: EngineType, event: str) -> None:
    """Hand on each state of an engine as an event."""
    original = engine.set_state

    @functools.wraps(original)
    def set_state(self: object, *args: object, **kwargs: object) -> object:
        state = original(self, *args, **kwargs)
        _record(event, self, state)
        return state

    engine.set_state = set_state


def _tell_states_later(engine: AsyncEngineType, event: str) -> None:
    """Hand on each state of an asynchronous engine as an event.

    Beginning a run reads its inputs and may ask the store: meanwhile the event loop goes on.
    """
    original = engine.set_state

    @functools.wraps(original)
    async def set_state(self: object, *args: object, **kwargs: object) -> State:
        state = await original(self, *args, **kwargs)
        if state.is_running() and _record.is_on:
            tell = functools.partial(contextvars.copy_context().run, _record, event, self, state)
            await asyncio.get_running_loop().run_in_executor(_threads, tell)
        else:
            _record(event, self, state)
        return state

    engine.set_state = set_state


def _tell_errors(engine: TaskEngineType) -> None:
    """Hand on each error of a task before the engine decides whether it tries again."""
    original = engine.handle_retry

    @functools.wraps(original)
    def handle_retry(self: object, exc_or_state: object) -> object:
        _record("task_erred", self, exc_or_state)
        return original(self, exc_or_state)  # for an asynchronous engine, what it awaits

    engine.handle_retry = handle_retry


def _tell_keys(engine: BaseTaskEngineType) -> None:
    """Have the results of tasks kept by the keys that Prefect makes, and hits found by theirs."""
    original = engine.compute_transaction_key

    @functools.wraps(original)
    def compute_transaction_key(self: object) -> object:
        stored_key = _record("result_key", self)
        if stored_key is not None:
            return stored_key
        key = original(self)
        _record("result_keyed", self, key)
        return key

    engine.compute_transaction_key = compute_transaction_key


if _record.fits():
    _tell_states(FlowRunEngine, "flow_state")
    _tell_states_later(AsyncFlowRunEngine, "flow_state")
    _tell_states(SyncTaskRunEngine, "task_state")
    _tell_states_later(AsyncTaskRunEngine, "task_state")
    _tell_errors(SyncTaskRunEngine)
    _tell_errors(AsyncTaskRunEngine)
    _tell_keys(BaseTaskRunEngine)
