"""Functions and attributes that lead to code which no name in a function mentions."""

import builtins
import sys
from collections.abc import Iterator
from typing import Any

from lineage_store.fingerprints.code.bytecode import CodeFacts, Import
from lineage_store.fingerprints.code.graph import CodeGraph, NoFingerprint

_THINGS = {
    "builtins": ("eval", "exec", "__import__", "globals"),
    "importlib": ("import_module", "reload"),
    "runpy": ("run_path", "run_module"),
    "sys": ("modules", "_getframe"),
    "inspect": ("currentframe", "stack"),
    "pydoc": ("locate",),
    "pkgutil": ("resolve_name",),
}
"""Names, by module, that find or run code known only at run time."""

ATTRIBUTES = frozenset({"__globals__", "__subclasses__", "f_globals"})
"""Attributes that lead to names or classes, whatever they are read from."""


def refuse(graph: CodeGraph, value: Any, label: str) -> None:
    """Refuse a value that runs or finds code by other ways than a name.

    Raises:
        NoFingerprint: It does, and nobody vouches for the code.
    """
    if graph.is_lenient:
        return
    for module, names in _THINGS.items():
        for name in names:
            if value is _thing(module, name):
                raise _no_fingerprint(name, label)


def refuse_module(graph: CodeGraph, value: Any, label: str) -> None:
    """Refuse a module as a value, if it has functions that find or run code.

    Raises:
        NoFingerprint: It has, and nobody vouches for the code.
    """
    for module, names in _THINGS.items():
        if value is sys.modules.get(module) and not graph.is_lenient:
            raise _no_fingerprint(f"{module} as a value, and with it perhaps {names[0]}", label)


def refuse_imports(graph: CodeGraph, facts: CodeFacts, label: str) -> None:
    """Refuse code whose own import statements bring in functions that find or run code.

    Raises:
        NoFingerprint: One does, and nobody vouches for the code.
    """
    for name in () if graph.is_lenient else _imported_finders(facts):
        raise _no_fingerprint(name, label)


def refuse_text(graph: CodeGraph, facts: CodeFacts, label: str) -> None:
    """Refuse the text of a module that runs or finds code by other ways than a name.

    Raises:
        NoFingerprint: It does, and nobody vouches for the code.
    """
    refuse_imports(graph, facts, label)
    refuse_attributes(graph, facts.attributes & ATTRIBUTES, label)
    names = {mention.name for mention in facts.mentions}.intersection(_THINGS["builtins"])
    if names and not graph.is_lenient:
        raise _no_fingerprint(min(names), label)


def _imported_finders(facts: CodeFacts) -> Iterator[str]:
    for statement in facts.imports:
        for name in _THINGS.get(_bound_module(statement), ()):
            if _brings(statement, name, facts):
                yield name


def _brings(statement: Import, name: str, facts: CodeFacts) -> bool:
    """Return whether code uses something of a module that a statement imports."""
    if statement.names:
        return name in statement.names or ("*" in statement.names and name in facts.attributes)
    # A module that is passed on may be read by any name, as by `getattr`.
    return (statement.bound, name) in facts.members or statement.bound in facts.passed


def _bound_module(statement: Import) -> str:
    """Return the module whose attributes a statement makes reachable."""
    return statement.module if statement.names else statement.module.partition(".")[0]


def _no_fingerprint(name: str, label: str) -> NoFingerprint:
    return NoFingerprint(
        f"{label} uses {name}, which leads to code that is known only then; pass version="
    )


def refuse_attributes(graph: CodeGraph, attributes: frozenset[str], label: str) -> None:
    """Refuse code that reads attributes which lead to other code.

    Raises:
        NoFingerprint: It reads one, and nobody vouches for the code.
    """
    if attributes and not graph.is_lenient:
        raise NoFingerprint(
            f"{label} reads {min(attributes)}, which leads to code that it does not name; "
            "pass version="
        )


def is_globals(value: Any) -> bool:
    """Return whether a value is the function `globals`, under whatever name."""
    return value is builtins.globals


def _thing(module: str, name: str) -> Any:
    """Return one of the things; a new object, which no value is, if its module is not loaded."""
    return vars(sys.modules.get(module, sys)).get(name, _THINGS)
