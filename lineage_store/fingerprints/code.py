"""What a function does, as one digest: its source, and what of its module goes into it.

The digest is over: the source of the function, without its decorators; its defaults; the values
that its closure holds; and, for each global name that it mentions, the source of a function or
class of the same module, with what that mentions in turn, or the value of a constant. What it
imports from other modules is not followed: that is the environment.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import PurePath
from types import CodeType, FunctionType
from typing import Any

from lineage_store import errors
from lineage_store.cache.keys import canonical
from lineage_store.fingerprints.values import fingerprint


def code_digest(function: Callable[..., Any]) -> str:
    """Return "sha256:…" over what a function is made of; see this module."""
    parts: dict[str, Any] = {}
    _collect(inspect.unwrap(function), parts)
    return f"sha256:{sha256(canonical(parts)).hexdigest()}"


def _collect(function: Any, parts: dict[str, Any]) -> None:
    """Add a function, and what it mentions of its module, to `parts`."""
    if not isinstance(function, FunctionType):
        parts[_name(function)] = _value(function)
        return
    name = _name(function)
    if name in parts:
        return
    parts[name] = {
        "source": source_of(function),
        "defaults": _values(function.__defaults__ or ()),
        "keyword_defaults": {k: _value(v) for k, v in (function.__kwdefaults__ or {}).items()},
    }
    for mentioned, value in sorted((_globals(function) | _closure(function)).items()):
        _add(f"{name} {mentioned}", value, function.__module__, parts)


def _add(name: str, value: Any, module: str, parts: dict[str, Any]) -> None:
    value = inspect.unwrap(value) if callable(value) else value
    if isinstance(value, FunctionType):
        if value.__module__ == module:
            _collect(value, parts)
            parts[name] = _name(value)
    elif isinstance(value, type):
        if value.__module__ == module:
            parts[name] = source_of(value)
    elif not inspect.ismodule(value) and not callable(value):
        parts[name] = _value(value)


def _closure(function: FunctionType) -> dict[str, Any]:
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # not assigned yet
            found[name] = cell.cell_contents
    return found


def _globals(function: FunctionType) -> dict[str, Any]:
    known = function.__globals__
    return {name: known[name] for name in _names(function.__code__) if name in known}


def _names(code: CodeType) -> Iterator[str]:
    """Yield the global names and attributes of code, and of the functions within it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def source_of(thing: Any) -> str:
    """Return the source of a function or class without its decorators; else its bytecode."""
    try:
        lines = textwrap.dedent(inspect.getsource(thing))
        [definition] = ast.parse(lines).body
    except (OSError, TypeError, SyntaxError, ValueError):
        code = getattr(thing, "__code__", None)
        return repr(thing) if code is None else f"{code.co_code.hex()} {code.co_consts!r}"
    return "".join(lines.splitlines(keepends=True)[definition.lineno - 1 :])


def _values(values: tuple[Any, ...]) -> list[str]:
    return [_value(value) for value in values]


def _value(value: Any) -> str:
    """Return what stands for a value; one without a fingerprint counts by its type alone."""
    try:
        return fingerprint(without_files(value))
    except (errors.InvalidArgument, OSError):
        return f"type {type(value).__module__}.{type(value).__qualname__}"


def without_files(value: Any) -> Any:
    """Return a value with paths as texts: where a file is, and not what is in it."""
    if isinstance(value, PurePath):
        return f"path {value}"
    if isinstance(value, dict):
        return {key: without_files(item) for key, item in value.items()}
    return list(map(without_files, value)) if isinstance(value, list | tuple) else value


def _name(thing: Any) -> str:
    """Return what a thing is called in its module, which may be run or imported."""
    return str(getattr(thing, "__qualname__", repr(thing)))
