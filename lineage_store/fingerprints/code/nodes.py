"""Descriptions of functions, classes and modules of the project."""

import builtins
import sys
from collections.abc import Mapping
from types import FunctionType, ModuleType
from typing import Any

from lineage_store.fingerprints.code import classes, lazy_imports, patches, reaching
from lineage_store.fingerprints.code.bytecode import Mention, facts_of
from lineage_store.fingerprints.code.graph import CodeGraph, NoFingerprint, is_project_module
from lineage_store.fingerprints.code.guards import MISSING
from lineage_store.fingerprints.code.origins import origin_of_file, origin_of_loaded

_MODULE_NAMES = frozenset(
    {
        *("__name__", "__doc__", "__package__", "__loader__", "__spec__", "__file__", "__path__"),
        *("__cached__", "__builtins__", "__annotations__", "__module__", "__qualname__"),
        *("__class__", "__warningregistry__", "__conditional_annotations__", "__debug__"),
    }
)
"""Names that Python binds: the location and the name of a module are no part of its code."""

_BUILTINS = vars(builtins)

_CACHES = frozenset({"dispatch_cache", "cache_token", "_clear_cache"})
"""Caches that `functools.singledispatch` keeps in closures and attributes beside the functions."""


def describe(graph: CodeGraph, node: Any, label: str) -> None:
    """Write the description of a node."""
    if type(node) is FunctionType:
        _describe_function(graph, node, label)
    elif isinstance(node, type):
        classes.describe(graph, node, label)
    else:
        _describe_module(graph, node, label)


def _describe_function(graph: CodeGraph, function: FunctionType, label: str) -> None:
    code = function.__code__
    origin, facts = origin_of_file(code.co_filename), facts_of(code)
    keywords = function.__kwdefaults__
    graph.guards.functions.append((function, code, function.__defaults__, keywords))
    graph.write("function", function.__name__, function.__qualname__, origin.label, facts.digest)
    for at, value in enumerate(function.__defaults__ or ()):
        graph.value(value, f"default {at} of {label}")
    graph.value(keywords, f"a keyword default of {label}")
    _describe_closure(graph, function, label, is_project=origin.is_project)
    _describe_attributes(graph, function, label, is_project=origin.is_project)
    if origin.is_project:
        reaching.refuse_attributes(graph, facts.attributes & reaching.ATTRIBUTES, label)
        reaching.refuse_imports(graph, facts, label)
        for mention in facts.mentions:
            _describe_mention(graph, function, mention, label)
        lazy_imports.describe(graph, facts.imports, function.__globals__, label)


def _describe_closure(
    graph: CodeGraph, function: FunctionType, label: str, *, is_project: bool
) -> None:
    names = function.__code__.co_freevars
    for name, cell in zip(names, function.__closure__ or (), strict=True):
        if name not in _CACHES or is_project:
            graph.write("closure", name)
            graph.cell(cell, f"{name} in the closure of {label}")


def _describe_attributes(
    graph: CodeGraph, function: FunctionType, label: str, *, is_project: bool
) -> None:
    """Write the attributes of a function, with the function that it wraps, and its annotations."""
    attributes = vars(function)
    graph.guards.sizes.append((attributes, len(attributes)))
    for name in list(attributes):
        if name not in _CACHES or is_project:
            graph.bound(attributes, name, f"{label}.{name}")
    annotate = getattr(function, "__annotate__", None)
    annotations = function.__annotations__ if annotate is None else annotate
    if annotations:
        graph.write("annotations")
        graph.value(annotations, f"an annotation of {label}")


def _describe_mention(
    graph: CodeGraph, function: FunctionType, mention: Mention, label: str
) -> None:
    name = mention.name
    if name in _MODULE_NAMES:
        return
    names: Mapping[str, Any] = function.__globals__
    if name not in names and name in _BUILTINS:
        graph.guards.names.append((names, name, MISSING))
        names = _BUILTINS
    value = names.get(name, MISSING)
    if reaching.is_globals(value):
        graph.guards.names.append((names, name, value))
        _use_whole_module(graph, function, label)
        return
    reaching.refuse(graph, value, label)
    if isinstance(value, ModuleType) and not mention.is_value:
        graph.guards.names.append((names, name, value))
        for chain in mention.chains:
            _describe_chain(graph, value, chain, label)
    else:
        reaching.refuse_module(graph, value, label)
        graph.bound(names, name, f"global {name}")


def _use_whole_module(graph: CodeGraph, function: FunctionType, label: str) -> None:
    module = sys.modules.get(function.__module__)
    if module is None or vars(module) is not function.__globals__:
        raise NoFingerprint(f"{label} calls globals(), and its module is not known")
    graph.value(module, f"module {module.__name__}")


def _describe_chain(
    graph: CodeGraph, module: ModuleType, chain: tuple[str, ...], label: str
) -> None:
    """Follow a chain of attributes from a module on, and write its values; compute none."""
    current: Any = module
    for at, name in enumerate(chain):
        reaching.refuse(graph, vars(current).get(name, MISSING), label)
        if not is_project_module(current):
            graph.write("module", current.__name__, origin_of_loaded(current).label)
            patches.describe_chain(graph, current, chain[at:], f"global {'.'.join(chain)}")
            return
        _describe_own_class(graph, current)
        named = f"global {'.'.join((module.__name__, *chain[: at + 1]))}"
        value = vars(current).get(name, MISSING)
        if not isinstance(value, ModuleType) or at == len(chain) - 1:
            graph.bound(vars(current), name, named)
            if value is MISSING:
                graph.bound(vars(current), "__getattr__", f"{module.__name__}.__getattr__")
            return
        graph.guards.names.append((vars(current), name, value))
        current = value


def _describe_own_class(graph: CodeGraph, module: Any) -> None:
    """Write the class of a module that has one of its own, with the values that it computes."""
    if type(module) is not ModuleType:
        graph.value(type(module), f"the class of module {module.__name__}")


def _describe_module(graph: CodeGraph, module: Any, label: str) -> None:
    """Write all that a module of the project holds."""
    names = vars(module)
    graph.write("module")
    _describe_own_class(graph, module)
    graph.guards.sizes.append((names, len(names)))
    for name in sorted(names):
        if name not in _MODULE_NAMES:
            graph.bound(names, name, f"{name} of {label}")
