"""Values of user code as properties of nodes."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from numbers import Integral, Real
from typing import Any, TypeGuard

from lineage_store import errors
from lineage_store.cache.canonical import encode
from lineage_store.entities.values import PropertyValue, to_value
from lineage_store.masking import masked_text
from lineage_store.recording.naming import bounded
from lineage_store.recording.secrets import masked

MAX_TEXT = 64 * 1024
"""Characters of a value that is kept as text; a longer one is cut off."""

_INT64 = range(-(2**63), 2**63)
_KEPT = frozenset({bool, float})
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")

Lack = Callable[[str, str], None]
"""Called with a name and the reason why its value is not recorded as it is."""


def as_property(value: Any, lack: Callable[[str], None] | None = None) -> PropertyValue:  # noqa: ANN401 - looked at by its type first
    """Return a value as a property can hold it; any other as text.

    Args:
        value: The value.
        lack: Called with the reason if no text tells the value: the result names its type then.
    """
    # Plain values come first: to ask an abstract class takes several times as long.
    if type(value) in _KEPT or (type(value) is int and value in _INT64):
        return value  # type: ignore[no-any-return]
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Integral):
        return int(value) if int(value) in _INT64 else _digits(int(value))
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, Mapping) and _fits(value):
        return masked(value)  # type: ignore[no-any-return]
    return clean(_text(value, lack))


def as_number(value: Any, lack: Callable[[str], None] | None = None) -> float | None:  # noqa: ANN401 - looked at by its type first
    """Return a number as a property holds it; None: it is none, and `lack` is called.

    NaN and the infinities are numbers: that a loss is NaN is worth knowing. A truth value is none.
    A value that holds a single number, such as an array without dimensions, counts as that number.
    """
    is_scalar = getattr(value, "shape", None) == () and hasattr(value, "item")
    number = _number(value.item() if is_scalar else value)
    if number is None and lack is not None:
        lack(f"{value!r:.100} is no number")
    return number


def _number(value: object) -> float | None:
    if isinstance(value, bool | str):
        return None
    if isinstance(value, Integral) and int(value) in _INT64:
        return int(value)
    return float(value) if isinstance(value, Real | Decimal) else None


def _digits(number: int) -> str:
    try:
        return str(number)
    except ValueError:  # more digits than Python converts
        return hex(number)


def _text(value: object, lack: Callable[[str], None] | None) -> str:
    try:
        return encode(value, max_characters=None)
    except (errors.InvalidArgument, RecursionError):
        pass
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    try:
        text = repr(value)
    except Exception:
        text, stable = f"<{kind}>", ""
    else:
        stable = _ADDRESS.sub("", text)  # an address is another one in each process
    if lack is not None and stable != text:
        lack(f"only its type is, for no text tells the value of {with_article(kind)}")
    return stable or text


def with_article(noun: str) -> str:
    """Return a noun behind "a" or "an"."""
    return f"{'an' if noun[:1].lower() in set('aeio') else 'a'} {noun}"


def _fits(value: Mapping[object, object]) -> bool:
    """Return whether a mapping can be kept as a Struct."""
    try:
        to_value(value, "value")
    except (errors.InvalidArgument, RecursionError):
        return False
    return True


def clean(text: object) -> str:
    """Return a text as the store takes it, with the credentials of URLs in it masked."""
    cut = masked_text(str(text)[:MAX_TEXT])
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode()


def numbers_in(value: object) -> dict[str, float]:
    """Return the numbers that a value is or, if it is a mapping of names to numbers, holds.

    The key of a number alone is "".
    """
    if _is_number(value):
        return {"": value}
    if isinstance(value, Mapping) and value and all(map(_is_number, value.values())):
        return {str(name): number for name, number in value.items()}
    return {}


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def named(
    prefix: str, values: Mapping[str, object], lack: Lack | None = None
) -> dict[str, PropertyValue]:
    """Return values as properties named `PREFIX.NAME`.

    Args:
        prefix: The prefix.
        values: Values by name.
        lack: Called for each value that no text tells.
    """
    return {
        bounded(clean(f"{prefix}.{name}")): as_property(value, lack and partial(lack, clean(name)))
        for name, value in values.items()
    }
