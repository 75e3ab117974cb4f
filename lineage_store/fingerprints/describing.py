"""The description of a value: a tag that names its type, and its parts.

The classes of its type are asked in their order: each may be of the standard library, or of a
library that is known here. Where the type is a subclass, the attributes of the instance count, too.
"""

import sys
from collections.abc import Iterator
from enum import Enum, EnumType
from typing import Any

from lineage_store import errors
from lineage_store.fingerprints.instances import is_record, state
from lineage_store.fingerprints.libraries import LIBRARIES, library_of
from lineage_store.fingerprints.names import is_code, library_name
from lineage_store.fingerprints.standard import READERS, attributes_only
from lineage_store.fingerprints.walk import Description, Part, Walk, tagged, type_name

_ENUM_ATTRIBUTES = frozenset({"_value_", "_name_", "__objclass__", "_sort_order_"})


def describe(value: Any, walk: Walk) -> Description:
    """Return tag and parts of a value.

    Raises:
        InvalidArgument: Its type is not known.
    """
    kind = type(value)
    if isinstance(kind, EnumType):
        return f"enum {type_name(kind)}", _enum(value, walk)
    if is_code(kind):
        return "name", [_name(value)]
    for base in kind.__mro__:
        parts = _parts(value, base, walk)
        if parts is not None:
            return _tag(kind, base), parts
    if is_record(kind):
        return f"record {type_name(kind)}", [state(value, walk)]
    raise errors.InvalidArgument(unknown(kind))


def unknown(kind: type) -> str:
    """Return why values of a type have no fingerprint."""
    return f"a value of type {type_name(kind)} has no fingerprint; {_how_to_register(kind)}"


def _how_to_register(kind: type) -> str:
    call = f"lineage_store.fingerprints.register({kind.__qualname__}, function)"
    return f"register a stand-in for it with {call}"


def _parts(value: object, base: type, walk: Walk) -> Iterator[Part] | None:
    """Return the parts of a value as an instance of a base; None: the base is unknown."""
    reader = READERS.get(base)
    if reader is not None:
        if type(value) is base and reader is not attributes_only:
            return iter(reader(value, walk))
        return iter([tagged(type_name(base), reader(value, walk)), state(value, walk, base=base)])
    root = library_of(base)
    library = sys.modules.get(root) if root in LIBRARIES else None
    return None if library is None else LIBRARIES[root](library, value, walk)


def _tag(kind: type, base: type) -> str:
    """Return the name of a type; one of a library's own is named without the module it lies in."""
    root = library_of(base)
    if root in LIBRARIES and library_of(kind) == root:
        return f"{root}.{kind.__qualname__}"
    return type_name(kind)


def _enum(value: Enum, walk: Walk) -> Iterator[Part]:
    """Yield a member, and all members of its type, which a step can reach from it."""
    yield walk.token((value._name_, value._value_))
    members = type(value).__members__.items()
    yield from walk.pairs((name, member._value_) for name, member in members)
    yield state(value, walk, without=_ENUM_ATTRIBUTES)


def _name(value: object) -> bytes:
    name = library_name(value, frozenset(LIBRARIES))
    if name is None:
        called = getattr(value, "__qualname__", type(value).__qualname__)
        raise errors.InvalidArgument(
            f"{called} has no fingerprint: its name does not identify its code; "
            f"{_how_to_register(type(value))}"
        )
    return name.encode("utf-8", "surrogatepass")
