"""Modules that code imports when it runs.

They are not imported to look at them: that would run their code too early. A module of the project
counts by its compiled text and, in turn, by those of the project's modules that it imports; the
others count by name and version.
"""

import ast
import os
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.machinery import PathFinder
from importlib.util import resolve_name
from typing import Any

from lineage_store.fingerprints.code import reaching
from lineage_store.fingerprints.code.bytecode import CodeFacts, Import, facts_of
from lineage_store.fingerprints.code.graph import CodeGraph, NoFingerprint
from lineage_store.fingerprints.code.guards import MISSING, FileState, WatchedFile, file_state
from lineage_store.fingerprints.code.origins import origin_of_module

_BEGAN_NS = time.time_ns()
"""About when this process began: a file that changed later may not be the one that was imported."""

_unloaded: set[tuple[str, FileState]] = set()
"""Files that were seen before their modules were imported."""


@dataclass(frozen=True, slots=True)
class ModuleText:
    """The text of a module.

    Attributes:
        path: Its file.
        state: The state of the file when it was read.
        digest: Of its compiled code.
        package: The starting point of relative imports in it.
        facts: Of its code; None: it is none that Python can read.
        literals: Names that it binds to literals, and those.
    """

    path: str
    state: FileState
    digest: bytes
    package: str
    facts: CodeFacts | None
    literals: Mapping[str, Any]


def describe(
    graph: CodeGraph, imports: Iterable[Import], names: Mapping[str, Any], label: str
) -> None:
    """Write the modules that a function imports when it runs."""
    package = names.get("__package__") or str(names.get("__name__", "")).rpartition(".")[0]
    pending = [name for each in imports for name in _module_names(each, str(package), label)]
    described_names: set[str] = set()
    while pending:
        name = pending.pop()
        if name in described_names:
            continue
        described_names.add(name)
        pending += _describe_module(graph, name, label)


def _describe_module(graph: CodeGraph, name: str, label: str) -> list[str]:
    """Write one module, and return the names of those that it imports."""
    origin = origin_of_module(name)
    if not origin.is_project:
        graph.write("imports", name.partition(".")[0], origin.label)
        return []
    path = _file_of(name)
    if path is None:
        graph.write("imports", name, "no such module")
        _describe_made(graph, name)
        return []
    text = _text(name, path)
    graph.guards.files.append(WatchedFile(path, text.state))
    graph.write("imports", name, text.digest)
    _describe_loaded(graph, name, text, label)
    if text.facts is None:
        return []
    reaching.refuse_text(graph, text.facts, f"module {name}")
    return [each for i in text.facts.imports for each in _module_names(i, text.package, label)]


def _describe_made(graph: CodeGraph, name: str) -> None:
    """Write a module that has no file: the program made it, or it is a package without code."""
    module = sys.modules.get(name)
    graph.guards.names.append((sys.modules, name, MISSING if module is None else module))
    if module is not None and not getattr(module, "__path__", None):
        graph.value(module, f"module {name}")


def _describe_loaded(graph: CodeGraph, name: str, text: ModuleText, label: str) -> None:
    """Write the values that an imported module holds in place of its literals."""
    module = sys.modules.get(name)
    graph.guards.names.append((sys.modules, name, MISSING if module is None else module))
    if module is None:
        _unloaded.add((text.path, text.state))
        return
    changed_at = max(text.state[1], text.state[2])
    if changed_at > _BEGAN_NS and (text.path, text.state) not in _unloaded:
        raise NoFingerprint(
            f"module {name}, which {label} imports, may have changed since it was imported; "
            "import it outside of functions, or pass version="
        )
    names = vars(module)
    for key, literal in text.literals.items():
        value = names.get(key)
        graph.guards.names.append((names, key, value))
        if type(value) is not type(literal) or value != literal:
            graph.write("rebound", key)
            graph.value(value, f"{key} of module {name}")


def _module_names(statement: Import, package: str, label: str) -> list[str]:
    """Return the modules that a statement may import, the packages that they lie in first."""
    relative = "." * statement.level + statement.module
    try:
        base = resolve_name(relative, package) if statement.level else statement.module
    except ImportError:
        raise NoFingerprint(f"{label} imports {relative}, and its package is not known") from None
    parts = base.split(".")
    packages = [".".join(parts[: at + 1]) for at in range(len(parts))]
    inner = [f"{base}.{name}" for name in statement.names if name != "*"]
    return packages + [name for name in inner if _is_module(name)]


def _is_module(name: str) -> bool:
    if name in sys.modules:
        return True
    return origin_of_module(name).is_project and _file_of(name) is not None


def _file_of(name: str) -> str | None:
    """Return the file of a module of the project, without importing the packages it lies in."""
    module = sys.modules.get(name)
    if module is not None:
        path = vars(module).get("__file__")
        return path if isinstance(path, str) else None
    places: Any = None
    path = None
    parts = name.split(".")
    for at in range(len(parts)):
        try:
            spec = PathFinder.find_spec(".".join(parts[: at + 1]), places)
        except (ImportError, OSError, ValueError):
            return None
        if spec is None:
            return None
        places, path = spec.submodule_search_locations, spec.origin
        if places is None and at < len(parts) - 1:
            return None
    return path


def _text(name: str, path: str) -> ModuleText:
    state = file_state(path)
    if state is None:
        raise NoFingerprint(f"module {name} can't be read: {path}")
    return _read_module(name, path, state)


@lru_cache(maxsize=10_000)
def _read_module(name: str, path: str, state: FileState) -> ModuleText:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            source = file.read()
    except OSError as error:
        raise NoFingerprint(f"module {name} can't be read: {error}") from None
    is_package = os.path.basename(path).startswith("__init__.")  # noqa: PTH119
    package = name if is_package else name.rpartition(".")[0]
    try:
        tree = ast.parse(source)
        facts = facts_of(compile(tree, path, "exec", dont_inherit=True))
    except (SyntaxError, ValueError):  # an extension module, or text that Python can't read
        return ModuleText(path, state, sha256(source).digest(), package, None, {})
    return ModuleText(path, state, facts.digest, package, facts, _literals(tree))


def _literals(tree: ast.Module) -> dict[str, Any]:
    """Return the names that a module binds once, to a literal."""
    literals: dict[str, Any] = {}
    often: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    often |= {target.id} & literals.keys()
                    _add_literal(literals, target.id, statement.value)
    return {name: value for name, value in literals.items() if name not in often}


def _add_literal(literals: dict[str, Any], name: str, node: ast.expr) -> None:
    try:
        literals[name] = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return
