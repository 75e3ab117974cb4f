"""Changes that the project makes anywhere in installed modules, mentioned by a step or not.

A library may read whatever the project writes there: a method that is replaced, a constant of a
class, a mapping of settings. So every place that the loaded modules of the project write counts for
every step, with its value as it is now. A statement of a module that changes a setting by a call,
such as `np.seterr(all="raise")`, counts by the text.
"""

import sys
from collections.abc import Iterator, Mapping
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any, NamedTuple

from lineage_store.fingerprints.code import writes
from lineage_store.fingerprints.code.bytecode import facts_of
from lineage_store.fingerprints.code.classes import registered_classes
from lineage_store.fingerprints.code.graph import CodeGraph, NoFingerprint, is_project_module
from lineage_store.fingerprints.code.guards import MISSING
from lineage_store.fingerprints.code.names import installed_name, is_node
from lineage_store.fingerprints.code.patches import is_of_project
from lineage_store.fingerprints.code.writes import Effect, LocalImport, ModuleWrites, Write

_OF_THE_PROCESS = frozenset(
    {"sys", "os", "posix", "logging", "atexit", "signal", "threading"} | {"lineage_store"}
)
"""Modules whose state is that of the process, or can't change an outcome."""

_LIMITS = frozenset({"setrecursionlimit", "set_int_max_str_digits"})
"""Functions of `sys` that change outcomes."""


class Place(NamedTuple):
    """A place in an installed module that the project writes.

    Attributes:
        owner: The module, class, function or object.
        name: The attribute that is written; "": the content.
        kind: As that of the statement that writes it, or "effect" of a module.
        label: The name in errors.
        effect: The statement, if it is one with an effect.
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


def places() -> list[Place]:
    """Return the places in installed modules that the project writes, in a fixed order."""
    several: dict[tuple[int, str, str], Place] = {}
    effects: list[Place] = []
    for module in writes.of_loaded_modules():
        for write in module.writes:
            place = _place(module, write)
            if place is not None:
                several.setdefault((id(place.owner), place.name, place.kind), place)
        label = f"module {module.module.__name__}"
        effects += [
            Place(module.module, "", "effect", label, effect)
            for effect in module.effects
            if _calls_library(module, effect)
        ]
    return sorted([*several.values(), *effects], key=_order)


def _order(place: Place) -> tuple[str, str, bytes]:
    return place.label, place.kind, place.effect.digest if place.effect else b""


def _calls_library(module: ModuleWrites, effect: Effect) -> bool:
    values = [(name, _root(module, name)) for name in effect.callees]
    things = [value for name, value in values if _is_of_library(module, name, value)]
    is_exempt = any(map(_is_exempt, things)) and _LIMITS.isdisjoint(effect.attributes)
    return bool(things) and not is_exempt


def are_same(some: list[Place], others: list[Place]) -> bool:
    """Return whether two lists name the same places."""
    return len(some) == len(others) and all(
        one.owner is other.owner and one[1:] == other[1:]
        for one, other in zip(some, others, strict=True)
    )


def _place(module: ModuleWrites, write: Write) -> Place | None:
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
    place = Place(owner, name, write.kind, label)
    return place if _is_counted(place) else None


def _is_counted(place: Place) -> bool:
    owner = place.owner
    if place.kind == "content":
        return not is_node(owner) and not callable(owner) and hasattr(type(owner), "__setitem__")
    if place.kind == "registry":
        return callable(getattr(owner, place.name, owner))
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


def describe(graph: CodeGraph, several: list[Place]) -> None:
    """Write places with their values."""
    for place in several:
        graph.write("place", place.kind, place.name)
        _DESCRIBERS[place.kind](graph, place)


def _describe_attribute(graph: CodeGraph, place: Place) -> None:
    owner, name = place.owner, place.name
    if isinstance(owner, FunctionType):
        _describe_function(graph, owner, place.label)
        graph.bound(vars(owner), name, place.label)
    elif isinstance(owner, type) or type(owner) is ModuleType:
        graph.bound(vars(owner), name, place.label)
    else:
        graph.bound(_Attributes(owner), name, place.label)


def _describe_function(graph: CodeGraph, function: FunctionType, label: str) -> None:
    code, defaults, keywords = function.__code__, function.__defaults__, function.__kwdefaults__
    graph.guards.functions.append((function, code, defaults, keywords))
    graph.write(facts_of(code).digest)
    graph.value(defaults, label)
    graph.value(keywords, label)


def _describe_content(graph: CodeGraph, place: Place) -> None:
    try:
        graph.value(place.owner, place.label)
    except NoFingerprint:  # a step that names it is not cached
        graph.write("opaque", type(place.owner).__qualname__)


def _describe_registry(graph: CodeGraph, place: Place) -> None:
    """Write the registered things, if they can be read."""
    registry = vars(place.owner).get("registry") if isinstance(place.owner, FunctionType) else None
    if isinstance(registry, MappingProxyType):
        graph.value(registry, place.label)
    elif isinstance(place.owner, type):
        for kind in registered_classes(place.owner):
            graph.value(kind, place.label)


def _describe_effect(graph: CodeGraph, place: Place) -> None:
    """Write a statement, and the functions and classes that it mentions.

    Other variables do not count, but for constants: they change while a script runs.
    """
    if place.effect is None:
        return
    graph.write(place.effect.digest)
    names = vars(place.owner)
    for name in place.effect.names:
        if isinstance(names.get(name), FunctionType | type):
            graph.bound(names, name, f"{name} of {place.label}")


def _describe_patches(graph: CodeGraph, place: Place) -> None:
    """Write all that the project put into an owner under names that are known only then."""
    names = vars(place.owner) if hasattr(place.owner, "__dict__") else {}
    graph.guards.sizes.append((names, len(names)))
    for name in sorted(names):
        if is_of_project(names[name]):
            graph.bound(names, name, place.label)


_DESCRIBERS = {
    "attribute": _describe_attribute,
    "content": _describe_content,
    "registry": _describe_registry,
    "setattr": _describe_patches,
    "effect": _describe_effect,
}
"""The describer of each kind of place."""
