"""The state of an object: attributes, slots, items, and its pickled form."""

import copyreg
import warnings
from collections.abc import Iterator
from types import MemberDescriptorType
from typing import Any

_CONTENT: dict[type, Any] = {
    list: lambda value: [list(list.__iter__(value))],
    tuple: lambda value: [tuple(tuple.__iter__(value))],
    dict: lambda value: [dict(dict.items(value))],
    set: lambda _: [],
    frozenset: lambda _: [],
    int: lambda value: [int.__int__(value)],
    float: lambda value: [float.__float__(value)],
    complex: lambda value: [complex.__complex__(value)],
    str: lambda value: [str.__str__(value)],
    bytes: lambda value: [bytes.__bytes__(value)],
    bytearray: lambda value: [bytes(bytearray.__iter__(value))],
}
"""The content of an object as one of these types; a set has no order and is read apart."""

_OF_THE_PROCESS = {"pydantic._internal._decorators.Decorator": ("cls_ref",)}
"""Attributes that hold an address of memory."""

_POINTER = 8


def contents(value: Any) -> list[Any]:
    """Return the content of an object as a list, a dict, a number or a text that it extends."""
    base = _content_base(type(value))
    return [] if base is object else _CONTENT[base](value)


def _content_base(kind: type) -> type:
    return next((base for base in kind.__mro__ if base in _CONTENT), object)


def attributes(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of an object in their order, which `vars` shows; none is computed."""
    names: dict[str, Any] = {}
    for kind in type(value).__mro__:
        for name, descriptor in _slots(kind):
            try:
                names.setdefault(name, descriptor.__get__(value))
            except AttributeError:  # not set
                continue
    try:
        own = object.__getattribute__(value, "__dict__")
    except AttributeError:
        own = {}
    hidden = _OF_THE_PROCESS.get(f"{type(value).__module__}.{type(value).__qualname__}", ())
    yield from ((name, each) for name, each in {**names, **own}.items() if name not in hidden)


def _slots(kind: type) -> Iterator[tuple[str, Any]]:
    if "__slots__" in vars(kind):
        for name, descriptor in vars(kind).items():
            if type(descriptor) is MemberDescriptorType:
                yield name, descriptor


def hidden_bytes(kind: type) -> int:
    """Return how many bytes of an object its attributes, slots and items don't tell of."""
    base = _content_base(kind)
    size = kind.__basicsize__ - base.__basicsize__
    size -= _POINTER * sum(1 for each in kind.__mro__ for _ in _slots(each))
    for offset, inherited in (
        (kind.__weakrefoffset__, base.__weakrefoffset__),
        (kind.__dictoffset__, base.__dictoffset__),
    ):
        size -= _POINTER if offset > 0 >= inherited else 0
    return size


def reduced(value: Any) -> Any:
    """Return the pickled form of an object: a name, or a tuple of parts.

    Raises:
        Exception: It can't be pickled, or its own code raises.
    """
    kind = type(value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reduce = copyreg.dispatch_table.get(kind)
        parts: Any = value.__reduce_ex__(4) if reduce is None else reduce(value)
    if isinstance(parts, str):
        return parts
    function, arguments, state, items, pairs = (tuple(parts) + (None,) * 3)[:5]
    return function, arguments, state, list(items or ()), list(pairs or ())
