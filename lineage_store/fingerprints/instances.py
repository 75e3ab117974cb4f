"""The state of an instance beside its content: the attributes in its `__dict__` and slots."""

from collections.abc import Container, Iterator
from dataclasses import is_dataclass
from functools import cached_property
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any

from lineage_store import errors
from lineage_store.fingerprints.walk import Walk, tagged, type_name

_CACHES = frozenset({"_attrs_cached_hash"})
"""Attributes that are there or not, whatever the instance is."""


def state(value: object, walk: Walk, *, without: Container[str] = (), base: type = object) -> bytes:
    """Return the digest of the attributes of an instance, whatever their order.

    Args:
        value: The instance.
        walk: Reads the attributes.
        without: The names of those that do not count.
        base: A base class whose slots do not count, because they are read otherwise.
    """
    attributes = attributes_of(value, base)
    counted = [(name, attributes[name]) for name in sorted(attributes) if name not in without]
    return tagged("state", walk.pairs(counted))


def attributes_of(value: object, base: type = object) -> dict[str, object]:
    """Return the attributes of an instance, and the fields of a dataclass, by name.

    The value of a `cached_property` is left out: it is there or not, and adds nothing.
    """
    attributes = dict(_slots(value, base))
    attributes |= _own_dict(value)
    kind = type(value)
    if is_dataclass(kind):  # one with a default may be an attribute of the class alone
        fields = kind.__dataclass_fields__
        attributes |= {name: getattr(value, name) for name in fields if _is_field(fields[name])}
    return {name: attributes[name] for name in attributes if not _is_cache(kind, name)}


def _own_dict(value: object) -> dict[str, object]:
    """Return the attributes that are in no slot.

    Raises:
        InvalidArgument: A class has something else under the name of `__dict__`.
    """
    for base in type(value).__mro__:
        member = vars(base).get("__dict__")
        if not isinstance(member, GetSetDescriptorType | MemberDescriptorType | None):
            raise errors.InvalidArgument(f"{type_name(base)} hides the attributes of its instances")
    return dict(getattr(value, "__dict__", {}))


def _slots(value: object, without: type) -> Iterator[tuple[str, object]]:
    for base in reversed(type(value).__mro__):
        has_slots = "__slots__" in vars(base) and base not in without.__mro__
        members = vars(base).items() if has_slots else ()
        for name, member in members:
            if isinstance(member, MemberDescriptorType):
                try:
                    yield name, member.__get__(value)
                except AttributeError:  # not assigned
                    continue


def _is_field(field: Any) -> bool:
    """Return whether a member of `__dataclass_fields__` is a field, and no ClassVar or InitVar."""
    return getattr(field._field_type, "name", "") == "_FIELD"  # noqa: SLF001 - as `fields` tells it


def _is_cache(kind: type, name: str) -> bool:
    owner = next((base for base in kind.__mro__ if name in vars(base)), None)
    is_cached = owner is not None and isinstance(vars(owner)[name], cached_property)
    return is_cached or name in _CACHES


def is_record(kind: type) -> bool:
    """Return whether a class declares the fields of its instances: a dataclass, or one of attrs."""
    return is_dataclass(kind) or any("__attrs_attrs__" in vars(base) for base in kind.__mro__)
