"""Literals that are compared with numbers of another type: exactly, whatever their size.

A database would make both of them FLOAT64, where whole numbers above 2^53 lose digits, or round
the literal to a whole number. So a literal is replaced by the nearest number of the other type, on
the side that leaves the comparison as it is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lineage_store.filtering.vocabulary import Type

Number = int | float

TOP = {Type.INT64: 2**63 - 1, Type.FLOAT64: math.inf}
"""The largest number of each type."""


@dataclass(frozen=True, slots=True)
class Exact:
    """A comparison with a number of the wanted type.

    Attributes:
        operation: The operator.
        number: What stands behind it.
    """

    operation: str
    number: Number


def compared(operation: str, number: Number, of: Type) -> Exact:
    """Return the comparison of a number of a type with a literal, both as that type.

    Args:
        operation: The operator between them; the literal stands behind it.
        number: The literal.
        of: INT64 or FLOAT64.
    """
    below, above = neighbours(number, of)
    if below is not None and below == above:
        return Exact(operation, below)
    never, always = Exact(">", TOP[of]), Exact("<=", TOP[of])
    if operation in {"=", "!="}:
        return never if operation == "=" else always
    if operation in {"<", "<="}:
        return never if below is None else Exact("<=", below)
    return never if above is None else Exact(">=", above)


def between(low: Number | None, high: Number | None, of: Type) -> tuple[Number, Number] | None:
    """Return bounds of a type that hold what two literals hold between them, or None for nothing.

    A bound that is no literal is None, and comes back as one that holds all.
    """
    lowest = -TOP[of] - 1 if low is None else neighbours(low, of)[1]
    highest = TOP[of] if high is None else neighbours(high, of)[0]
    return None if lowest is None or highest is None else (lowest, highest)


def listed(numbers: Sequence[Number | None], of: Type) -> list[Number | None]:
    """Return the items of a list that a number of a type can be equal to; None for NULL."""
    items: list[Number | None] = []
    for number in numbers:
        below, above = (None, None) if number is None else neighbours(number, of)
        if number is None or (below is not None and below == above):
            items.append(below)
    return items


def neighbours(number: Number, of: Type) -> tuple[Number | None, Number | None]:
    """Return the number of a type that is nearest from below, and from above; None: there is none.

    A number of the type itself is its own neighbour on both sides.
    """
    return _whole(number) if of is Type.INT64 else _floats(number)


def _whole(number: Number) -> tuple[Number | None, Number | None]:
    top, bottom = TOP[Type.INT64], -TOP[Type.INT64] - 1
    if number > top:
        return (top, None)
    if number < bottom:
        return (None, bottom)
    return (math.floor(number), math.ceil(number))


def _floats(number: Number) -> tuple[Number, Number]:
    nearest = float(number)
    if nearest == number:
        return (nearest, nearest)
    if nearest > number:
        return (math.nextafter(nearest, -math.inf), nearest)
    return (nearest, math.nextafter(nearest, math.inf))
