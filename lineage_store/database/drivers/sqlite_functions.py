"""Functions that SQLite lacks, or has in other ways from one version to the next."""

import re
import sqlite3
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

MAX_DECIMALS = 30
"""Decimals to which a number can be rounded; MySQL has no more."""

_WITHOUT_FRACTION = 2.0**52
"""From here on a FLOAT64 is a whole number."""

_CONTEXT = Context(prec=80)
_DECIMAL = re.compile(r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)", re.ASCII)


def register(connection: sqlite3.Connection) -> None:
    """Give a connection the functions that filters call."""
    for function, arity in _ARITIES.items():
        connection.create_function(function.__name__, arity, function, deterministic=True)


def shortest_text(number: float | None) -> str | None:
    """Return the shortest text that reads back as a number, as Python writes it; 0 has no sign."""
    return None if number is None else repr(float(number) + 0.0)


def nearest_number(text: str | None) -> float | None:
    """Return the FLOAT64 that is nearest to the number that a text begins with; 0 if with none."""
    if text is None:
        return None
    match = _DECIMAL.match(text)
    return float(match[1]) if match else 0.0


def exact_rounded(number: float | None, decimals: float | None) -> float | None:
    """Return a number rounded as its shortest text is, halves away from zero."""
    if number is None or decimals is None:
        return None
    value = float(number)
    if not abs(value) < _WITHOUT_FRACTION:
        return value
    places = int(min(max(decimals, 0), MAX_DECIMALS))
    unit = Decimal(1).scaleb(-places)
    return float(Decimal(repr(value)).quantize(unit, ROUND_HALF_UP, _CONTEXT))


def exact_absolute(number: float | None) -> float | None:
    """Return a number without its sign; of the smallest whole number, a FLOAT64."""
    if number is None:
        return None
    size = abs(number)
    return float(size) if isinstance(size, int) and size >= 2**63 else size


_ARITIES: dict[Any, int] = {
    shortest_text: 1,
    nearest_number: 1,
    exact_rounded: 2,
    exact_absolute: 1,
}
