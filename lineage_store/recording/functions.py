"""Ordinary functions as steps: the decorator `step`."""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar, overload

from lineage_store import errors
from lineage_store.fingerprints.code import code_digest
from lineage_store.model import Artifact
from lineage_store.recording.complaints import complain, harmless
from lineage_store.recording.options import Caching
from lineage_store.recording.return_values import NOTHING, ReturnValues
from lineage_store.recording.runs import Run, current_run
from lineage_store.recording.steps import Step

P = ParamSpec("P")
T = TypeVar("T")


class StepFunction(Generic[P, T]):
    """A function that is a step wherever it is called within a run; made by `step`.

    Args:
        function: What it does.
        name: Of the step.
        type_name: Of its execution; None: the name.
        version: Part of the cache key.
        cache: Whether, and how, it uses the cache.
        outputs: The parameters that name the files that it writes.
        save: The directory in which values are kept that have no other form; None: none are.
        retries: How often to try again after an exception.
    """

    def __init__(
        self,
        function: Callable[P, T],
        *,
        name: str | None,
        type_name: str | None,
        version: str | None,
        cache: bool | Caching,
        outputs: Sequence[str],
        save: Path | None,
        retries: int,
    ) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._signature = inspect.signature(function)
        self.name = name or str(getattr(function, "__name__", "step"))
        self._type = type_name
        self._version = version
        self._cache = cache
        self._outputs = tuple(outputs)
        owner = f"{function.__module__}.{self.name}"
        self._returned = ReturnValues(save, owner)
        self._retries = retries
        unknown = set(outputs) - set(self._signature.parameters)
        if unknown:
            raise errors.InvalidArgument(f"{self.name} has no parameter {', '.join(unknown)}")

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the step, or take its outcome from the cache; outside of a run, just run it."""
        run = current_run()
        if run is None:
            return self._function(*args, **kwargs)
        for attempt in range(1, self._retries + 1):
            try:
                return self._run_in(run, attempt, args, kwargs)
            except Exception:
                complain(f"retry {self.name}", "%s failed; it is tried again", self.name)
        return self._run_in(run, self._retries + 1, args, kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind to an object, as any function does."""
        return self if instance is None else functools.partial(self, instance)

    def _run_in(self, run: Run, attempt: int, args: Any, kwargs: Any) -> T:
        arguments = self._arguments(args, kwargs) or Arguments()
        step = run.step(
            self.name,
            inputs=arguments.inputs,
            params=arguments.parameters,
            cache=self._cache,
            type=self._type,
            version=self._version,
            code=self._code(),
            attempt=attempt,
        )
        with step:
            if step.hit is not None:
                value = self._take_over(step, arguments)
                if value is not NOTHING:
                    return value  # type: ignore[no-any-return]
                step.reject_hit("what it returned can't be restored")
            found = self._function(*args, **kwargs)
            self._record_outcome(step, found, arguments)
            return found

    @harmless(None)
    def _arguments(self, args: Any, kwargs: Any) -> "Arguments":
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return Arguments.of(bound.arguments, self._outputs)

    @harmless(None)
    def _code(self) -> str | None:
        return code_digest(self._function)

    @harmless(NOTHING)
    def _take_over(self, step: Step, arguments: "Arguments") -> Any:
        """Return what the function returned when it ran, with its files where they belong."""
        for name, path in arguments.outputs.items():
            if not self._returned.restore_file(step, name, path):
                return NOTHING
        return self._returned.restore(step)

    @harmless(None)
    def _record_outcome(self, step: Step, value: Any, arguments: "Arguments") -> None:
        for name, path in arguments.outputs.items():
            if step.output(name, path) is None:
                step.dont_publish(f"its output {name} can't be read")
        if not self._returned.record(step, value):
            step.dont_publish("what it returns has no form to be kept in; give `save`")


class Arguments:
    """The arguments of a call, told apart.

    Attributes:
        inputs: Artifacts, files and directories, in lists where lists were given.
        parameters: Everything else.
        outputs: The files that the function is told to write.
    """

    def __init__(self) -> None:
        self.inputs: dict[str, Any] = {}
        self.parameters: dict[str, Any] = {}
        self.outputs: dict[str, Path] = {}

    @classmethod
    def of(cls, arguments: Mapping[str, Any], outputs: Sequence[str]) -> "Arguments":
        """Return arguments by name, told apart."""
        found = cls()
        for name, value in arguments.items():
            if name in outputs:
                found.outputs[name] = Path(value)
            elif _is_input(value) or (_is_list(value) and all(map(_is_input, value))):
                found.inputs[name] = value
            elif name != "self":
                found.parameters[name] = value
        return found


def _is_input(value: Any) -> bool:
    return isinstance(value, Artifact | Path)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) > 0


@overload
def step(function: Callable[P, T], /) -> StepFunction[P, T]: ...


@overload
def step(
    *,
    name: str | None = None,
    type: str | None = None,
    version: str | None = None,
    cache: bool | Caching = False,
    outputs: Sequence[str] = (),
    save: Path | str | None = None,
    retries: int = 0,
) -> Callable[[Callable[P, T]], StepFunction[P, T]]: ...


def step(
    function: Callable[P, T] | None = None,
    /,
    *,
    name: str | None = None,
    type: str | None = None,  # noqa: A002 - the field of an execution has this name
    version: str | None = None,
    cache: bool | Caching = False,
    outputs: Sequence[str] = (),
    save: Path | str | None = None,
    retries: int = 0,
) -> StepFunction[P, T] | Callable[[Callable[P, T]], StepFunction[P, T]]:
    """Make a function a step of whatever run it is called in.

    Arguments that are artifacts or paths, or lists of them, are inputs, and files are hashed; all
    others are parameters. A path that is returned, or a mapping of names to paths, is an output;
    another value is kept with the execution if it is of JSON and not long. The cache key is made of
    the inputs, the parameters and the code; `fingerprints.code` says what code is.

    The run is that of the context (`contextvars`): a thread that was begun in it is in none, unless
    it runs in a copy of the context.

    Args:
        function: A function that is neither a generator nor a coroutine.
        name: Of the step; None: that of the function.
        type: The type of its execution; None: the name.
        version: Part of the cache key.
        cache: Skip the function where its outcome is known; how, if it is a `Caching`.
        outputs: The names of parameters that say where it writes: no inputs, but outputs. Where
            something was written is no part of the key; on a hit the file is copied to where it is
            wanted.
        save: A directory; what is returned and is no short value of JSON is kept there.
        retries: How often to try again after an exception; each attempt is recorded.

    Raises:
        InvalidArgument: The function is a generator or a coroutine, or has no such parameter.
    """

    def decorate(decorated: Callable[P, T]) -> StepFunction[P, T]:
        if inspect.iscoroutinefunction(decorated) or inspect.isgeneratorfunction(decorated):
            raise errors.InvalidArgument("a step is neither a generator nor a coroutine")
        return StepFunction(
            decorated,
            name=name,
            type_name=type,
            version=version,
            cache=cache,
            outputs=outputs,
            save=None if save is None else Path(save),
            retries=retries,
        )

    return decorate if function is None else decorate(function)
