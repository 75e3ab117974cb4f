"""Changes that the project makes anywhere in installed modules, mentioned by a step or not.

A library may read whatever the project writes there: a method that is replaced, a constant of a
class, a mapping of settings. So every place that the loaded modules of the project write counts for
every step, with its value as it is now. A statement of a module that changes a setting by a call,
such as `np.seterr(all="raise")`, counts by the text.
"""

import sys
from collections.abc import Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any, NamedTuple

from lineage_store.fingerprints.code import writes
from lineage_store.fingerprints.code.bytecode import facts_of
from lineage_store.fingerprints.code.classes import registered_classes
from lineage_store.fingerprints.code.effects import Callee, Effect, is_setting
from lineage_store.fingerprints.code.graph import CodeGraph, NoFingerprint, is_project_module
from lineage_store.fingerprints.code.guards import MISSING
from lineage_store.fingerprints.code.names import installed_name, is_node
from lineage_store.fingerprints.code.patches import is_of_project
from lineage_store.fingerprints.code.writes import LocalImport, ModuleWrites, Write

_OF_THE_PROCESS = frozenset(
    {"sys", "os", "posix", "logging", "atexit", "signal", "threading"} | {"lineage_store"}
)
"""Modules whose state is that of the process, or can't change an outcome."""

_LIMITS = frozenset({"setrecursionlimit", "set_int_max_str_digits"})
"""Functions of `sys` that change outcomes."""


class Change(NamedTuple):
    """A change of an installed module by the project.

    Attributes:
        owner: The module, class, function or object that is changed; for "effect" and "unreadable"
            the module of the project.
        name: The attribute that is written; "": the content.
        kind: The kind of the `Write`, "effect", or "unreadable" for a module without known code.
        label: The name in errors.
        effect: The statement, for "effect".
    """

    owner: Any
    name: str
    kind: str
    label: str
    effect: Effect | None = None


class _Attributes(Mapping[str, Any]):
    """The attributes of an object as a mapping."""

    def __init__(self, owner: Any) -> None:
        self._owner = owner

    def __getitem__(self, name: str) -> Any:
        try:
            return getattr(self._owner, name)
        except AttributeError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def changes_of_project() -> list[Change]:
    """Return the changes that the loaded modules of the project make, in a fixed order."""
    written: dict[tuple[int, str, str], Change] = {}
    effects: list[Change] = []
    for module in writes.of_loaded_modules():
        for write in module.writes:
            change = _change(module, write)
            if change is not None:
                written.setdefault((id(change.owner), change.name, change.kind), change)
        label = f"module {module.module.__name__}"
        effects += [
            Change(module.module, "", "effect", label, effect)
            for effect in module.effects
            if _sets_up_library(module, effect)
        ]
        if not module.is_readable:
            effects.append(Change(module.module, "", "unreadable", label))
    # Sorted by module, and not as they were imported; those of one module stay in their order.
    return sorted([*written.values(), *effects], key=lambda change: (change.label, change.kind))


def _sets_up_library(module: ModuleWrites, effect: Effect) -> bool:
    return any(_is_setting_of_library(module, callee) for callee in effect.callees)


def _is_setting_of_library(module: ModuleWrites, callee: Callee) -> bool:
    value = _root(module, callee.root)
    called = {callee.root, str(getattr(value, "__name__", ""))}
    names = {callee.chain[-1]} if callee.chain else called
    if not callee.is_written and not any(map(is_setting, names)):
        return False
    is_exempt = _is_exempt(value) and _LIMITS.isdisjoint(names)
    return not is_exempt and (
        _is_of_library(module, callee.root, value) or _is_function_of_library(value)
    )


def _is_function_of_library(value: Any) -> bool:
    if isinstance(value, MethodType):
        return installed_name(value.__func__) is not None
    if isinstance(value, BuiltinFunctionType):
        owner = value.__self__
        kind = owner if isinstance(owner, ModuleType | type) else type(owner)
        return installed_name(kind) is not None and kind.__name__ != "builtins"
    return False


def are_same(some: list[Change], others: list[Change]) -> bool:
    """Return whether two lists name the same changes."""
    return len(some) == len(others) and all(
        one.owner is other.owner and one[1:] == other[1:]
        for one, other in zip(some, others, strict=True)
    )


def _change(module: ModuleWrites, write: Write) -> Change | None:
    owner = _root(module, write.root)
    is_of_library = _is_of_library(module, write.root, owner)
    names = write.chain[:-1] if write.kind in {"attribute", "registry"} else write.chain
    top = owner
    for name in names:
        owner = _attribute(owner, name)
    if owner is MISSING or not is_of_library or _is_exempt(top) or _is_exempt(owner):
        return None
    name = write.chain[-1] if len(names) < len(write.chain) else ""
    label = f"{'.'.join((write.root, *write.chain))}, which module {module.module.__name__} writes,"
    change = Change(owner, name, write.kind, label)
    return change if _is_counted(change) else None


def _is_counted(change: Change) -> bool:
    owner = change.owner
    if change.kind == "content":
        return not is_node(owner) and not callable(owner) and hasattr(type(owner), "__setitem__")
    if change.kind == "registry":
        return callable(getattr(owner, change.name, owner))
    return True


def _root(module: ModuleWrites, name: str) -> Any:
    value = vars(module.module).get(name, MISSING)
    bound = module.imports.get(name)
    return _imported(bound) if value is MISSING and bound is not None else value


def _imported(bound: LocalImport) -> Any:
    if not bound.attribute:
        return sys.modules.get(bound.module.partition(".")[0], MISSING)
    module = sys.modules.get(bound.module)
    return MISSING if module is None else _attribute(module, bound.attribute)


def _is_of_library(module: ModuleWrites, name: str, value: Any) -> bool:
    """Return whether a variable holds a thing of a library, and not one that the project made."""
    if isinstance(value, ModuleType):
        return not is_project_module(value)
    if is_node(value):
        return installed_name(value) is not None
    bound = module.imports.get(name)
    if bound is None or _imported(bound) is not value:
        return False
    source = sys.modules.get(bound.module)
    return source is not None and not is_project_module(source)


def _attribute(owner: Any, name: str) -> Any:
    """Return an attribute without loading any module; MISSING: it has none."""
    if type(owner) is ModuleType:
        inner = sys.modules.get(f"{owner.__name__}.{name}", MISSING)
        return vars(owner).get(name, inner)
    try:
        return MISSING if owner is MISSING else getattr(owner, name, MISSING)
    except Exception:  # whatever the object's own code raises
        return MISSING


def _is_exempt(owner: Any) -> bool:
    name = owner.__name__ if isinstance(owner, ModuleType) else getattr(owner, "__module__", "")
    return str(name).partition(".")[0] in _OF_THE_PROCESS or (
        isinstance(owner, ModuleType) and is_project_module(owner)
    )


def describe(graph: CodeGraph, project_changes: list[Change]) -> None:
    """Write changes with their present values."""
    for change in project_changes:
        graph.write("change", change.kind, change.name)
        _DESCRIBERS[change.kind](graph, change)


def _describe_attribute(graph: CodeGraph, change: Change) -> None:
    owner, name = change.owner, change.name
    if isinstance(owner, FunctionType):
        _describe_function(graph, owner, change.label)
        graph.bound(vars(owner), name, change.label)
    elif isinstance(owner, type) or type(owner) is ModuleType:
        graph.bound(vars(owner), name, change.label)
    else:
        graph.bound(_Attributes(owner), name, change.label)


def _describe_function(graph: CodeGraph, function: FunctionType, label: str) -> None:
    code, defaults, keywords = function.__code__, function.__defaults__, function.__kwdefaults__
    graph.guards.functions.append((function, code, defaults, keywords))
    graph.write(facts_of(code).digest)
    graph.value(defaults, label)
    graph.value(keywords, label)


def _describe_content(graph: CodeGraph, change: Change) -> None:
    try:
        graph.value(change.owner, change.label)
    except NoFingerprint:  # a step that names it is not cached
        graph.write("opaque", type(change.owner).__qualname__)


def _describe_registry(graph: CodeGraph, change: Change) -> None:
    """Write the registered things, if they can be read."""
    registry = (
        vars(change.owner).get("registry") if isinstance(change.owner, FunctionType) else None
    )
    if isinstance(registry, MappingProxyType):
        graph.value(registry, change.label)
    elif isinstance(change.owner, type):
        for kind in registered_classes(change.owner):
            graph.value(kind, change.label)


def _describe_effect(graph: CodeGraph, change: Change) -> None:
    """Write a statement, and the functions and classes that it mentions.

    Other variables do not count, but for constants: they change while a script runs.
    """
    if change.effect is None:
        return
    graph.write(change.effect.digest)
    names = vars(change.owner)
    for name in change.effect.names:
        if isinstance(names.get(name), FunctionType | type):
            graph.bound(names, name, f"{name} of {change.label}")


def _describe_patches(graph: CodeGraph, change: Change) -> None:
    """Write all that the project put into an owner under names that are known only then."""
    names = vars(change.owner) if hasattr(change.owner, "__dict__") else {}
    graph.guards.sizes.append((names, len(names)))
    for name in sorted(names):
        if is_of_project(names[name]):
            graph.bound(names, name, change.label)


def _refuse(graph: CodeGraph, change: Change) -> None:
    if not graph.is_lenient:
        raise NoFingerprint(
            f"the code of {change.label} can't be read, and may change libraries; pass version="
        )
    graph.write("unreadable")


_DESCRIBERS = {
    "attribute": _describe_attribute,
    "content": _describe_content,
    "registry": _describe_registry,
    "setattr": _describe_patches,
    "effect": _describe_effect,
    "unreadable": _refuse,
}
"""The describer of each kind of change."""
