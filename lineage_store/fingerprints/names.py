"""Classes and functions that a name stands for: those of the standard library and of libraries.

Their code changes with the version of Python or of the library alone. A class or function of
anyone else has no fingerprint: its name does not tell what it does.
"""

import sys
from types import BuiltinFunctionType, FunctionType
from typing import Any


def library_name(thing: Any, libraries: frozenset[str]) -> str | None:
    """Return MODULE.NAME of what can be imported by that name; None: it can't, or is of no library.

    Args:
        thing: A class or a function.
        libraries: The top-level packages that count as libraries.
    """
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if type(module) is not str or type(name) is not str:
        return None
    if module.partition(".")[0] not in libraries | sys.stdlib_module_names:
        return None
    imported: Any = sys.modules.get(module)
    for part in name.split("."):
        imported = getattr(imported, part, None)
    return f"{module}.{name}" if imported is thing else None


def is_code(kind: type) -> bool:
    """Return whether values of a type are classes or functions."""
    return issubclass(kind, type | FunctionType | BuiltinFunctionType)
