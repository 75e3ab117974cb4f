"""The parts of Metaflow that its hook relies on; most of them are internal to it."""

from collections.abc import Iterable, Mapping
from typing import Protocol


class Datastore(Protocol):
    """`TaskDataStore`: the artifacts of a task; `_objects` has their SHA-1 by their names."""

    _objects: Mapping[str, str]

    def __getitem__(self, name: str) -> object: ...


class Parameter(Protocol):
    """`metaflow.Parameter`."""

    name: str
    IS_CONFIG_PARAMETER: bool

    def load_parameter(self, value: object) -> object:
        """Return the value that the code of steps sees."""


class Flow(Protocol):
    """`metaflow.FlowSpec`."""

    name: str
    _datastore: Datastore | None
    _task_ok: bool

    def _get_parameters(self) -> Iterable[tuple[str, Parameter]]: ...


class Frame(Protocol):
    """The place of a task in a foreach."""

    index: int
    var: str | None
    value: str | None


class Runtime(Protocol):
    """`NativeRuntime`: it runs a flow."""

    run_id: object
    _flow: Flow


class _RuntimeTask(Protocol):
    step: str
    task_id: str
    retries: int


class Worker(Protocol):
    """`Worker`: it runs a task in a process of its own."""

    task: _RuntimeTask
    cleaned: bool


class Task(Protocol):
    """`MetaflowTask`: a task in its own process."""

    flow: Flow
