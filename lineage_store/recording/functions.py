"""Ordinary functions as steps: the decorator `step`."""

import functools
import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar, overload

from lineage_store import errors
from lineage_store.fingerprints.code import Code, code_of, see_through
from lineage_store.recording.arguments import Arguments
from lineage_store.recording.artifacts import DEFAULT_TYPE
from lineage_store.recording.diagnostics import never_raises, warn_once
from lineage_store.recording.options import CacheMode, Caching
from lineage_store.recording.return_values import NOTHING, RETURN, ReturnValues
from lineage_store.recording.runs import Run, current_run, open_run
from lineage_store.recording.steps import Step
from lineage_store.recording.values import numbers_in

P = ParamSpec("P")
T = TypeVar("T")

Outputs = Sequence[str] | Mapping[str, str]
"""The names of outputs, or their types by name."""


class StepFunction(Generic[P, T]):
    """A function that is a step wherever it is called within a run; made by `step`.

    Args:
        function: The function that it runs.
        name: Of the step.
        type_name: Of its execution; None: the name.
        version: Part of the cache key.
        cache: Its use of the cache, if any.
        outputs: The parameters that name the files that it writes, or types of outputs by name.
        save: The directory in which values are kept that have no other form; None: none are.
        retries: How often to try again after an exception.
        ignore: Parameters that are no part of the key.
        secret: Parameters of which nobody may read the value in the store.
    """

    def __init__(
        self,
        function: Callable[P, T],
        *,
        name: str | None,
        type_name: str | None,
        version: str | None,
        cache: CacheMode | Caching,
        outputs: Outputs,
        save: Path | None,
        retries: int,
        ignore: Collection[str],
        secret: Collection[str],
    ) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._signature = inspect.signature(function)
        self.name = name or str(getattr(function, "__name__", "step"))
        self._type = type_name
        self._version = version
        self._cache = Caching.of(cache) or False
        self._types = dict(outputs) if isinstance(outputs, Mapping) else {}
        self._outputs = frozenset(outputs) & set(self._signature.parameters)
        owner = f"{function.__module__}.{self.name}"
        self._return_values = ReturnValues(save, owner, self._types)
        self._retries = retries
        self._ignore, self._secret = frozenset(ignore), frozenset(secret)
        self._check_names(() if self._types else outputs, ignore, secret)

    def _check_names(self, *several: Collection[str]) -> None:
        for names in several:
            if isinstance(names, str):
                raise errors.InvalidArgument(f"give a list of names, not the text {names!r}")
            unknown = sorted(set(names) - set(self._signature.parameters))
            if unknown:
                raise errors.InvalidArgument(f"{self.name} has no parameter {', '.join(unknown)}")

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the step, or take its outcome from the cache; outside of a run, just run it."""
        run = current_run()
        if run is None:
            self._warn_of_open_run()
            return self._function(*args, **kwargs)
        for attempt in range(1, self._retries + 1):
            try:
                return self._run_in(run, attempt, args, kwargs)
            except Exception:
                warn_once(f"retry {self.name}", "%s failed; it is tried again", self.name)
        return self._run_in(run, self._retries + 1, args, kwargs)

    def _warn_of_open_run(self) -> None:
        run = open_run()
        if run is not None:
            warn_once(
                f"outside {self.name}",
                "the step %s is not recorded: it is called outside of the run %s, as in a thread "
                "that does not have its context; begin the thread's work with "
                "contextvars.copy_context().run(%s, …)",
                *(self.name, run.id, self.name),
            )

    def __get__(self, instance: Any, owner: type | None = None) -> Any:  # noqa: ANN401 - of any class
        """Bind to an object, as any function does."""
        if instance is None or isinstance(self._function, staticmethod):
            return self
        return functools.partial(self, instance)

    def __reduce__(self) -> str:
        """Pickle by name, as any function is."""
        return str(getattr(self, "__qualname__", self.name))

    def _run_in(self, run: Run, attempt: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
        arguments, code = self._arguments(args, kwargs), self._code()
        call_arguments = arguments or Arguments()
        step = run.step(
            self.name,
            inputs=call_arguments.inputs,
            params=call_arguments.parameters,
            cache=self._cache,
            type=self._type,
            version=self._version,
            code=code.digest,
            attempt=attempt,
            ignore=self._ignore,
            secret=self._secret,
            outputs=call_arguments.suffixes,
            files=code.files,
            uncached="its arguments can't be read" if arguments is None else code.why,
        )
        with step:
            if step.hit is not None:
                value = self._take_over(step, call_arguments)
                if value is not NOTHING:
                    return value  # type: ignore[no-any-return]
                step.reject_hit("its return value can't be restored")
            value = self._function(*args, **kwargs)
            if step.cache_key is not None and self._code().digest != code.digest:
                step.dont_publish("it changed code or globals that it uses")
            self._record_outcome(step, value, call_arguments)
            return value

    @never_raises(None)
    def _arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments | None:
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        arguments = Arguments.of(bound.arguments, self._outputs)
        if self._cache:
            for name in arguments.texts_of_files():
                warn_once(
                    f"text {self.name} {name}",
                    "%s of the step %s is text that names a file: its content does not count; "
                    "give a pathlib.Path",
                    *(name, self.name),
                )
        return arguments

    def _code(self) -> Code:
        return code_of(self._function, is_vouched=self._version is not None)

    @never_raises(NOTHING)
    def _take_over(self, step: Step, arguments: Arguments) -> Any:  # noqa: ANN401 - what the function returned
        """Return the value that the function returned when it ran, and restore its files."""
        for name, paths in arguments.outputs.items():
            for at, path in enumerate(paths):
                if not self._return_values.restore_file(step, name, path, at):
                    return NOTHING
        return self._return_values.restore(step)

    def _record_outcome(self, step: Step, value: object, arguments: Arguments) -> None:
        is_kept = self._recorded(step, value, arguments)
        if is_kept is None:
            step.dont_publish("its outcome can't be recorded")
        elif not is_kept:
            step.dont_publish("its return value has no form to be kept in; give `save`")

    @never_raises(None)
    def _recorded(self, step: Step, value: object, arguments: Arguments) -> bool:
        """Record files and return value; return whether a hit could restore the value."""
        for name, paths in arguments.outputs.items():
            kind = self._types.get(name) or self._types.get(name.partition(".")[0])
            for path in paths:
                step.output(name, path, type=kind or DEFAULT_TYPE)
        for key, number in numbers_in(value).items():
            if key:
                step.metric(f"{RETURN}.{key}", number)
        is_kept = self._return_values.record(step, value)
        for name in sorted(self._types.keys() - {each.partition(".")[0] for each in step.outputs}):
            warn_once(f"type {self.name} {name}", "%s wrote no output %s", self.name, name)
        return is_kept


see_through(StepFunction, lambda step: (step._function, step._version, step._types))  # noqa: SLF001


@overload
def step(function: Callable[P, T], /) -> StepFunction[P, T]: ...


@overload
def step(
    *,
    name: str | None = None,
    type: str | None = None,
    version: str | None = None,
    cache: CacheMode | Caching = False,
    outputs: Outputs = (),
    save: Path | str | None = None,
    retries: int = 0,
    ignore: Collection[str] = (),
    secret: Collection[str] = (),
) -> Callable[[Callable[P, T]], StepFunction[P, T]]: ...


def step(
    function: Callable[P, T] | None = None,
    /,
    *,
    name: str | None = None,
    type: str | None = None,  # noqa: A002 - the field of an execution has this name
    version: str | None = None,
    cache: CacheMode | Caching = False,
    outputs: Outputs = (),
    save: Path | str | None = None,
    retries: int = 0,
    ignore: Collection[str] = (),
    secret: Collection[str] = (),
) -> StepFunction[P, T] | Callable[[Callable[P, T]], StepFunction[P, T]]:
    """Make a function a step of whatever run it is called in.

    Arguments that are artifacts or paths, or lists of them, are inputs, and files are hashed; all
    others are parameters. A path that is returned, or a mapping of names to paths, is an output;
    another value is kept with the execution if it is of JSON and not long. The cache key is made of
    the inputs, the parameters and the code, see `fingerprints.code`. Anything without a fingerprint
    makes the step NOT_CACHED, and the reason names it.

    The run is that of the context (`contextvars`): a thread that was begun in it is in none, unless
    it runs in a copy of the context.

    Args:
        function: A function that is neither a generator nor a coroutine.
        name: Of the step; None: that of the function.
        type: The type of its execution; None: the name.
        version: Part of the cache key. It vouches for the parts of the code without a fingerprint.
        cache: True or a `Caching` skips the function if its outcome is known; "refresh" runs it
            anyway, and publishes the outcome anew.
        outputs: The names of parameters that say where it writes: no inputs, but outputs. Where
            something was written is no part of the key, but for the suffix; on a hit the file is
            copied to where it is wanted. A mapping gives the types of outputs by their names, also
            of those that are returned: {"model": "Model"}.
        save: A directory for return values that are no short values of JSON.
        retries: The number of further attempts after an exception; each attempt is recorded.
        ignore: The names of parameters that are recorded, but no part of the key.
        secret: The names of parameters of which nobody may read the value in the store.

    Raises:
        InvalidArgument: The function is a generator or a coroutine, or has no such parameter, or
            `cache` is not True, False, "refresh" or a `Caching`.
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
            ignore=ignore,
            secret=secret,
        )

    return decorate if function is None else decorate(function)
