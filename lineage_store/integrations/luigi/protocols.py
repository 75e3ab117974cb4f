"""The parts of Luigi that its hook relies on; all of them are public."""

from collections.abc import Iterable, Mapping
from typing import Protocol


class _Parameter(Protocol):
    significant: bool

    def serialize(self, value: object) -> str: ...


class Task(Protocol):
    """`luigi.Task`."""

    task_id: str
    task_family: str
    task_module: str
    param_kwargs: Mapping[str, object]
    run: object

    def requires(self) -> object:
        """Return the tasks that it requires, in a list or mapping or alone."""

    def output(self) -> object:
        """Return its targets, in a list or mapping or alone."""

    def to_str_params(
        self, *, only_significant: bool = False, only_public: bool = False
    ) -> Mapping[str, str]:
        """Return its parameters as texts."""

    def get_params(self) -> Iterable[tuple[str, _Parameter]]:
        """Return the parameters of its class."""
