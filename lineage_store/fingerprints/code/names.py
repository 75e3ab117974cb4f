"""Things of Python and of installed distributions, which count by their names."""

import sys
import weakref
from types import FunctionType, ModuleType
from typing import Any

from lineage_store.fingerprints.code.origins import Origin, origin_of_loaded

_DATA = frozenset(
    {
        *("numpy", "pandas", "pyarrow", "polars", "scipy", "torch"),
        *("datetime", "decimal", "_decimal", "fractions", "uuid", "zoneinfo", "re", "_zoneinfo"),
    }
)
"""Libraries whose values are data; `fingerprint` knows how to read them."""

_HEAP_TYPE = 1 << 9
"""Py_TPFLAGS_HEAPTYPE."""


def installed_name(thing: Any) -> str | None:
    """Return name and version of an installed function, class or other object.

    None: it belongs to the project, or its name leads to something else.
    """
    try:
        return _installed_name(thing)
    except Exception:  # attributes of the thing's own making
        return None


def _installed_name(thing: Any) -> str | None:
    if isinstance(thing, ModuleType):
        origin = origin_of_loaded(thing)
        return None if origin.is_project else f"{thing.__name__} {origin.label}"
    owner = getattr(thing, "__self__", None)
    if owner is not None and not isinstance(owner, ModuleType | type):
        return _named_in(type(owner).__module__, str(thing.__name__), thing)
    module = getattr(thing, "__module__", None) or getattr(owner, "__name__", None)
    name = getattr(thing, "__qualname__", None) or getattr(thing, "__name__", None)
    if not isinstance(module, str) or not isinstance(name, str):
        return None
    return _named_in(module, name, thing)


def _named_in(module_name: str, name: str, thing: Any) -> str | None:
    module = sys.modules.get(module_name)
    if module is None:
        return None
    origin = origin_of_loaded(module)
    if origin.is_project or not (_is_static(thing) or _resolved(module, name) is thing):
        return None
    return _label(module_name, name, origin)


def _is_static(thing: Any) -> bool:
    """Return whether a thing is a class that was not made at run time; some have no name."""
    return isinstance(thing, type) and not thing.__flags__ & _HEAP_TYPE


def _resolved(module: ModuleType, qualified_name: str) -> Any:
    current: Any = module
    for name in qualified_name.split("."):
        current = vars(current).get(name)
        if isinstance(current, staticmethod | classmethod):
            current = current.__func__
        if current is None:
            return None
    return current


def _label(module: str, name: str, origin: Origin) -> str:
    return f"{module}.{name} {origin.label}"


def is_named(thing: Any, name: str) -> bool:
    """Return whether a name leads to a thing in the module that it, or its type, says."""
    module = sys.modules.get(getattr(thing, "__module__", None) or type(thing).__module__)
    return module is not None and _resolved(module, name) is thing


def is_node(thing: Any) -> bool:
    """Return whether a thing is described as a node, if it is of the project."""
    kind = type(thing)
    return kind is FunctionType or issubclass(kind, type | ModuleType)


def is_data(kind: type) -> bool:
    """Return whether the values of a type are data of a library that is known."""
    is_data = _data_kinds.get(kind)
    if is_data is None:
        is_data = _data_kinds[kind] = _is_of_data_library(kind)
    return is_data


_data_kinds: "weakref.WeakKeyDictionary[type, bool]" = weakref.WeakKeyDictionary()


def _is_of_data_library(kind: type) -> bool:
    root = kind.__module__.partition(".")[0] if isinstance(kind.__module__, str) else ""
    return root in _DATA and installed_name(kind) is not None
