"""The parts of Prefect that its hook relies on."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol


class _StateType(Protocol):
    value: str


class State(Protocol):
    """`prefect.states.State`."""

    type: _StateType
    name: str | None
    message: str | None
    timestamp: datetime
    data: object

    def is_running(self) -> bool:
        """Return whether it is the state of a run that has begun."""


class Flow(Protocol):
    """`prefect.Flow`."""

    name: str


class _FlowRun(Protocol):
    id: object
    name: str


class FlowEngine(Protocol):
    """`FlowRunEngine`, or `AsyncFlowRunEngine`."""

    flow: Flow
    flow_run: _FlowRun
    parameters: Mapping[str, object]


class Task(Protocol):
    """`prefect.Task`."""

    name: str
    fn: Callable[..., object]
    isgenerator: bool
    cache_policy: object
    refresh_cache: bool | None


class _TaskInput(Protocol):
    input_type: str


class TaskRun(Protocol):
    """`TaskRun`: all attempts at a task."""

    id: object
    name: str
    flow_run_id: object
    dynamic_key: str | int
    run_count: int
    task_inputs: Mapping[str, Sequence[_TaskInput]]


class TaskEngine(Protocol):
    """`SyncTaskRunEngine`, or `AsyncTaskRunEngine`."""

    task: Task
    task_run: TaskRun
    parameters: Mapping[str, object] | None


class EngineType(Protocol):
    """The class of an engine."""

    set_state: Callable[..., object]


class AsyncEngineType(Protocol):
    """The class of an asynchronous engine."""

    set_state: Callable[..., Awaitable[State]]


class TaskEngineType(Protocol):
    """The class of an engine of tasks."""

    handle_retry: Callable[..., object]


class BaseTaskEngineType(Protocol):
    """The class that the engines of tasks have in common."""

    compute_transaction_key: Callable[..., object]
