"""Changes that the project makes to installed modules and classes.

Those count by name and version. A function that is replaced in them, or an attribute that is added,
is code of the project nevertheless, and so is a constant with another value.
"""

import sys
from collections.abc import Iterator, Mapping
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

from lineage_store.fingerprints.code.graph import CodeGraph, NoFingerprint, is_project_module
from lineage_store.fingerprints.code.guards import MISSING
from lineage_store.fingerprints.code.names import installed_name
from lineage_store.fingerprints.code.origins import origin_of_file

_CONSTANTS = frozenset({bool, int, float, complex, str, bytes})

_OF_THE_PROCESS = frozenset({"sys", "os", "builtins"})
"""Modules whose constants tell of the machine and of the process."""


def describe_chain(
    graph: CodeGraph, module: ModuleType, chain: tuple[str, ...], label: str
) -> None:
    """Follow a chain of attributes from an installed module on, and write replaced values."""
    current: Any = module
    for name in chain:
        names: Mapping[str, Any] = vars(current)
        value = names.get(name, MISSING)
        if value is MISSING and isinstance(current, ModuleType):
            _describe_lazy_access(graph, names, label)
            value = _lazy_attribute(current, name)
        graph.guards.names.append((names, name, names.get(name, MISSING)))
        package_name = installed_name(value)
        if is_of_project(value) or isinstance(value, type):
            graph.value(value, label)
        elif package_name is not None:
            graph.write("installed", package_name)
        elif value is MISSING or module.__name__ in _OF_THE_PROCESS:
            graph.write("unread")
        elif type(value) in _CONSTANTS:
            graph.fixed(value, label)
        else:
            _describe_object(graph, value, label)
        if package_name is None or not isinstance(value, ModuleType | type):
            return
        current = value


def _describe_lazy_access(graph: CodeGraph, names: Mapping[str, Any], label: str) -> None:
    """Write the `__getattr__` of an installed module if the project replaced it."""
    access = names.get("__getattr__", MISSING)
    graph.guards.names.append((names, "__getattr__", access))
    if is_of_project(access):
        graph.value(access, f"{label}: __getattr__")


def _lazy_attribute(module: ModuleType, name: str) -> Any:
    """Return an attribute that an installed module loads at its first use; MISSING: it has none.

    The code that mentions the attribute loads it as well, and then it stands in the module: the
    digest must be the same before and after (`numpy.random` is such an attribute).
    """
    try:
        return getattr(module, name, MISSING)
    except Exception:  # the code meets the same error when it runs
        return MISSING


def is_of_project(value: Any) -> bool:
    """Return whether a thing is code of the project, or an object that is made of such code."""
    if isinstance(value, FunctionType):
        return _is_function_of_project(value)
    if isinstance(value, ModuleType):
        return is_project_module(value)
    if isinstance(value, type):
        return installed_name(value) is None
    if isinstance(value, partial):
        return is_of_project(value.func)
    if isinstance(value, MethodType | staticmethod | classmethod):
        return is_of_project(value.__func__)
    return value is not MISSING and installed_name(type(value)) is None


def _is_function_of_project(function: FunctionType) -> bool:
    """Return whether a function is of the project; libraries make some that have no file, too."""
    path = function.__code__.co_filename
    if not path.startswith("<"):
        return origin_of_file(path).is_project
    module = sys.modules.get(function.__module__)
    return module is not None and is_project_module(module)


def patched(kind: type) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of an installed class, and of its bases, that the project put there."""
    for base in kind.__mro__:
        for name, value in tuple(vars(base).items()):
            if _is_patch(value):
                yield f"{base.__qualname__}.{name}", value


def _is_patch(value: Any) -> bool:
    kind = type(value)
    if kind is FunctionType:
        return _is_function_of_project(value)
    if kind in {staticmethod, classmethod}:
        return _is_patch(value.__func__)
    if kind is property:
        return any(map(_is_patch, (value.fget, value.fset, value.fdel)))
    return kind.__name__ in _ACCESSORS and any(map(_is_class_of_project, vars(value).values()))


_ACCESSORS = frozenset({"CachedAccessor", "Accessor"})
"""The descriptors with which pandas and its like take up accessors."""


def _is_class_of_project(value: Any) -> bool:
    return isinstance(value, type) and installed_name(value) is None


def _describe_object(graph: CodeGraph, value: Any, label: str) -> None:
    """Write an object of an installed module; one that can't be read is the library's own affair.

    So the thread-local variables that attrs mentions in methods of the project's classes do not
    keep a step from being cached.
    """
    try:
        graph.value(value, label)
    except NoFingerprint:
        if is_of_project(type(value)):
            raise
        graph.write("opaque", f"{type(value).__module__}.{type(value).__qualname__}")
