"""Parts of a value whose change would change its digest."""

from collections.abc import Iterable
from operator import is_
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

_SCALARS = frozenset({type(None), bool, int, float, complex, str, bytes, type(...)})

Container = tuple[Any, list[Any]]
"""A list, dict or set, and its items; of a dict first all keys, then all values."""


def is_stable(value: Any) -> bool:
    """Return whether nothing can change in a value unless a node is changed or a name is bound."""
    kind = type(value)
    if kind in _SCALARS or kind is FunctionType or issubclass(kind, type):
        return True
    if kind is ModuleType:
        return True
    if kind is BuiltinFunctionType:
        return value.__self__ is None or type(value.__self__) is ModuleType
    return kind in _FIXED and all(map(is_stable, _FIXED[kind](value)))


_FIXED: dict[type, Any] = {
    tuple: iter,
    frozenset: iter,
    property: lambda value: (value.fget, value.fset, value.fdel),
    staticmethod: lambda value: (value.__func__,),
    classmethod: lambda value: (value.__func__,),
}
"""Types whose contents never change, each with a function that returns the contents."""


def containers_in(value: Any) -> list[Container] | None:
    """Return the lists, dicts and sets in a value, and their items.

    None: something else in it can change.
    """
    containers: dict[int, Container] = {}
    pending = [value]
    while pending:
        each = pending.pop()
        if id(each) in containers or is_stable(each):
            continue
        items = _items(each)
        if items is None:
            return None
        containers[id(each)] = each, items
        pending += items
    return [each for each in containers.values() if type(each[0]) not in _FIXED]


def _items(value: Any) -> list[Any] | None:
    kind = type(value)
    if kind is dict:
        return [*value, *value.values()]
    if kind in {list, set}:
        return list(value)
    return list(_FIXED[kind](value)) if kind in _FIXED else None


def are_unchanged(containers: Iterable[Container]) -> bool:
    """Return whether each container holds the very objects that it held, in their order."""
    return all(_is_unchanged(container, items) for container, items in containers)


def _is_unchanged(container: Any, items: list[Any]) -> bool:
    size = len(container)
    if type(container) is not dict:
        return size == len(items) and all(map(is_, container, items))
    return (
        2 * size == len(items)
        and all(map(is_, container, items))
        and all(map(is_, container.values(), items[size:]))
    )
