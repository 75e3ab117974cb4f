"""Classes and functions that a name stands for: those of the standard library and of libraries.

Their code changes with the version of Python or of the library alone. A class or function of
anyone else has no fingerprint: its name does not identify its code.
"""

import sys
import sysconfig
from pathlib import Path
from types import BuiltinFunctionType, FunctionType

_STANDARD = Path(sysconfig.get_path("stdlib"))


def library_name(thing: object, libraries: frozenset[str]) -> str | None:
    """Return MODULE.NAME of an importable class or function; None: it has none in a library.

    Args:
        thing: A class or a function.
        libraries: The top-level packages that count as libraries.
    """
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if type(module) is not str or type(name) is not str:
        return None
    root, imported = module.partition(".")[0], sys.modules.get(module)
    if not (root in libraries or (root in sys.stdlib_module_names and _is_standard(imported))):
        return None
    for part in name.split("."):
        imported = getattr(imported, part, None)
    return f"{module}.{name}" if imported is thing else None


def _is_standard(module: object) -> bool:
    """Return whether a module lies where Python does: a script may have a `queue.py` beside it."""
    file = getattr(module, "__file__", None)
    if file is None:
        return getattr(module, "__spec__", None) is not None  # built in
    path = Path(file)
    return path.is_relative_to(_STANDARD) and "site-packages" not in path.parts


def is_code(kind: type) -> bool:
    """Return whether values of a type are classes or functions."""
    return issubclass(kind, type | FunctionType | BuiltinFunctionType)
