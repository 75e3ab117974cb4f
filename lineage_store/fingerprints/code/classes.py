"""Descriptions of the project's classes: their bases, and everything that their bodies define."""

from _abc import _get_dump  # type: ignore[import-not-found]  # the only way to read it
from abc import ABCMeta
from collections.abc import Callable, Mapping
from enum import Enum, EnumType
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any

from lineage_store.fingerprints.code.graph import CodeGraph
from lineage_store.fingerprints.code.names import installed_name

_SKIPPED = frozenset(
    {
        *("__module__", "__qualname__", "__dict__", "__weakref__", "__abstractmethods__"),
        *("__firstlineno__", "__static_attributes__", "__annotations_cache__", "__signature__"),
        *("__slotnames__",),  # a cache of pickle
        *("_abc_impl", "_abc_cache", "_abc_registry", "__parameters__"),
    }
)
"""Attributes that Python derives from the others, and caches."""

_FIXED = frozenset(
    {"__annotations__", "__dataclass_fields__", "__pydantic_fields__", "__attrs_attrs__"}
)
"""Mappings that are not changed once a class is made: as long as they are bound, they are equal."""

_PYDANTIC = frozenset({"__pydantic_fields__", "__pydantic_decorators__"})

_MEMBERS_OF_ENUMS = frozenset(
    {
        *("_member_names_", "_member_map_", "_value2member_map_", "_hashable_values_"),
        *("_unhashable_values_", "_unhashable_values_map_", "_generate_next_value_"),
        *("_use_args_", "_value_repr_", "_member_type_", "__new_member__", "_new_member_"),
    }
)

_ATTRIBUTES_OF_MEMBERS = frozenset({"_name_", "__objclass__", "_sort_order_"})


_settings: dict[type, Callable[[type], Any]] = {}


def count_settings(base: type, settings: Callable[[type], Any]) -> None:
    """Include settings that are made elsewhere in the digest of a class of the project.

    Args:
        base: The base class of the classes that this concerns.
        settings: Returns a value that stands for the settings of a class; called again whenever a
            kept digest is checked.
    """
    _settings[base] = settings


def describe(graph: CodeGraph, kind: type, label: str) -> None:
    """Write the description of a class."""
    graph.write("class", kind.__name__, kind.__qualname__)
    graph.value(type(kind), f"the metaclass of {label}")
    for base in kind.__bases__:
        graph.value(base, f"the base {base.__name__} of {label}")
    _describe_registered(graph, kind, label)
    names = vars(kind)
    graph.guards.sizes.append((names, len(names)))
    for name in list(names):  # in their order, which `vars` shows
        if not _is_skipped(kind, name, names[name]):
            _describe_attribute(graph, names, name, f"{label}.{name}")
    if issubclass(kind, Enum):
        _describe_members(graph, kind, label)
    for base, settings in _settings.items():
        if issubclass(kind, base):
            graph.value(settings(kind), f"the settings of {label}")


def _describe_registered(graph: CodeGraph, kind: type, label: str) -> None:
    """Write the classes that an abstract class takes for its own, though they have other bases."""
    for each in registered_classes(kind):
        graph.value(each, f"the class {each.__qualname__} that is registered with {label}")


def registered_classes(kind: type) -> list[type]:
    """Return the classes of the project that are registered with an abstract class."""
    if not isinstance(kind, ABCMeta):
        return []
    registered = filter(None, (reference() for reference in _get_dump(kind)[0]))
    own = [each for each in registered if installed_name(each) is None]
    return sorted(own, key=lambda each: each.__qualname__)


def _is_skipped(kind: type, name: str, value: Any) -> bool:
    if name == "__subclasshook__":  # of a protocol, it is a function of `typing`
        return type(value) is not classmethod
    if name in _SKIPPED or type(value) is GetSetDescriptorType:
        return True
    if name == "__annotations__" and not value:  # Python makes them when they are asked for
        return True
    if name.startswith("__pydantic_"):  # made of the fields, and of decorators of methods
        return name not in _PYDANTIC
    return issubclass(kind, Enum) and (name in _MEMBERS_OF_ENUMS or _is_member(kind, name))


def _is_member(kind: type, name: str) -> bool:
    return isinstance(kind, EnumType) and name in kind.__members__


def _describe_attribute(graph: CodeGraph, names: Mapping[str, Any], name: str, label: str) -> None:
    value = names[name]
    if type(value) is MemberDescriptorType:
        graph.guards.names.append((names, name, value))
        graph.write("slot", name)
    elif name in _FIXED:
        graph.guards.names.append((names, name, value))
        graph.write("name", name)
        graph.fixed(value, label)
    else:
        graph.bound(names, name, label)


def _describe_members(graph: CodeGraph, kind: type[Enum], label: str) -> None:
    for name, member in kind.__members__.items():
        graph.write("member", name)
        attributes = vars(member)
        for attribute in sorted(attributes.keys() - _ATTRIBUTES_OF_MEMBERS):
            graph.bound(attributes, attribute, f"{label}.{name}.{attribute}")
