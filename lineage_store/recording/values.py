"""Values of user code as properties of nodes."""

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from lineage_store import errors
from lineage_store.cache.canonical import encode
from lineage_store.model.values import PropertyValue, to_value

MAX_TEXT = 64 * 1024
"""Characters of a value that is kept as text; a longer one is cut off."""

_INT64 = range(-(2**63), 2**63)
_KEPT = frozenset({bool, float})


def as_property(value: Any) -> PropertyValue:
    """Return a value as a property can hold it; what none can hold, as text."""
    # Plain values come first: to ask an abstract class takes several times as long.
    if type(value) in _KEPT or (type(value) is int and value in _INT64):
        return value  # type: ignore[no-any-return]
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, Integral):
        return int(value) if int(value) in _INT64 else str(int(value))
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, Mapping) and _fits(value):
        return value
    return _clean(_text(value))


def _text(value: Any) -> str:
    try:
        return encode(value, max_characters=None)
    except errors.InvalidArgument:
        return repr(value)


def _fits(value: Mapping[Any, Any]) -> bool:
    """Return whether a mapping can be kept as a Struct."""
    try:
        to_value(value, "value")
    except (errors.InvalidArgument, RecursionError):
        return False
    return True


def _clean(text: str) -> str:
    """Return a text as the store takes it."""
    cut = str(text)[:MAX_TEXT]
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode()


def named(prefix: str, values: Mapping[str, Any]) -> dict[str, PropertyValue]:
    """Return values as properties named `PREFIX.NAME`."""
    return {f"{prefix}.{name}": as_property(value) for name, value in values.items()}


def numbers_in(value: Any) -> dict[str, float]:
    """Return the numbers that a value is or, if it is a mapping of names to numbers, holds.

    The key of a number alone is "".
    """
    if _is_number(value):
        return {"": value}
    if isinstance(value, Mapping) and value and all(map(_is_number, value.values())):
        return {str(name): number for name, number in value.items()}
    return {}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
