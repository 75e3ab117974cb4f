"""Filters on special numbers, each with its matches: worked out here, by no database.

NULL is None, and so is a value that is no number. A filter finds the nodes for which it is True.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import product
from typing import Any

LARGEST = 1.7976931348623157e308
TOP, BOTTOM = 2**63 - 1, -(2**63)

FLOATS = [
    *(math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, -5e-324, 2.2e-308, LARGEST, -LARGEST),
    *(1e308, 0.1 + 0.2, 1 / 3, 1.0, 2.5, -2.5, 2.0**53 - 1, 2.0**53, 2.0**63, -(2.0**63), 1e16),
]
WHOLES = [0, 1, -1, 3, 2**53 - 1, 2**53, 2**53 + 1, TOP, BOTTOM]
PAIRS = list(product([math.nan, math.inf, 0.5, 1.0, 2.0**53, 2.0**63, -(2.0**63)], WHOLES[1:]))

Model = Callable[..., Any]
"""Return whether a filter holds, or what an expression is; None is NULL."""

FLOAT = "custom_properties.d.double_value"
WHOLE = "custom_properties.i.int_value"
FLOAT_OF_PAIR = "custom_properties.x.double_value"
WHOLE_OF_PAIR = "custom_properties.n.int_value"


@dataclass(frozen=True)
class NumberFilter:
    """A filter, and which nodes it finds.

    Attributes:
        topic: The subject of the filter.
        text: The filter.
        of: "d", "i" or "x": whether it speaks of the FLOAT64 column, the INT64 one, or of pairs.
        holds: Whether it finds a node, given its number, or both of its pair.
    """

    topic: str
    text: str
    of: str
    holds: Model

    def names(
        self, floats: Sequence[float] = FLOATS, pairs: Sequence[tuple[float, int]] = PAIRS
    ) -> tuple[str, ...]:
        """Return the names of the matches among some nodes, in order."""
        if self.of == "x":
            names = [f"{x!r} and {n!r}" for x, n in pairs if self.holds(x, n) is True]
        else:
            numbers = floats if self.of == "d" else WHOLES
            names = [f"{self.of} {v!r}" for v in numbers if self.holds(null(v)) is True]
        return tuple(sorted(names))


def nodes(
    floats: Sequence[float] = FLOATS, pairs: Sequence[tuple[float, int]] = PAIRS
) -> dict[str, Any]:
    """Return the properties of each node, by its name."""
    named: dict[str, Any] = {f"d {number!r}": {"d": number} for number in floats}
    named |= {f"i {number!r}": {"i": number} for number in WHOLES}
    return named | {f"{x!r} and {n!r}": {"x": x, "n": n} for x, n in pairs}


def literal(number: float) -> str:
    """Return a number as a literal."""
    return repr(number).replace("inf", "1e999")


def null(number: Any) -> Any:
    """Return NULL for a value that is no number."""
    return None if isinstance(number, float) and math.isnan(number) else number


def strict(function: Model) -> Model:
    """Return a function that is NULL if an operand or its result is."""
    return lambda *operands: (
        None if any(null(operand) is None for operand in operands) else null(function(*operands))
    )


COMPARISONS: dict[str, Model] = {
    "=": strict(lambda a, b: a == b),
    "!=": strict(lambda a, b: a != b),
    "<": strict(lambda a, b: a < b),
    "<=": strict(lambda a, b: a <= b),
    ">": strict(lambda a, b: a > b),
    ">=": strict(lambda a, b: a >= b),
}
ARITHMETIC: dict[str, Model] = {
    "+": strict(lambda a, b: float(a) + float(b)),
    "-": strict(lambda a, b: float(a) - float(b)),
    "*": strict(lambda a, b: float(a) * float(b)),
    "/": strict(lambda a, b: None if b == 0 else float(a) / float(b)),
}


@strict
def rounded(number: float, decimals: int) -> float:
    if abs(number) >= 2.0**52:
        return number
    unit = Decimal(1).scaleb(-min(max(decimals, 0), 30))
    return float(Decimal(repr(number)).quantize(unit, ROUND_HALF_UP, Context(prec=80)))


@strict
def whole(number: float) -> int:
    return min(max(int(min(max(number, -1e30), 1e30)), BOTTOM), TOP)


@strict
def text(number: float) -> str:
    return repr(number + 0.0)


def of_floats(topic: str, template: str, holds: Model) -> NumberFilter:
    """Return a filter on the FLOAT64 column, which stands for `?`."""
    return NumberFilter(topic, template.replace("?", FLOAT), "d", holds)


def of_wholes(topic: str, template: str, holds: Model) -> NumberFilter:
    """Return a filter on the INT64 column, which stands for `?`."""
    return NumberFilter(topic, template.replace("?", WHOLE), "i", holds)


_BOUNDS = [0.0, 5e-324, 0.9, 1.5, LARGEST, -LARGEST, math.inf, 2.0**53, 2.0**63, -(2.0**63)]
_BOUNDS += [1, 2**53 + 1, TOP, BOTTOM]
_OPERANDS = [2, 0.5, 10.0, 1e308, -LARGEST, 5e-324, math.inf, 0, -1]


def _comparisons() -> Iterator[NumberFilter]:
    for sign, bound in product(COMPARISONS, _BOUNDS):
        holds = COMPARISONS[sign]
        for build in (of_floats, of_wholes):
            condition = f"? {sign} {literal(bound)}"
            yield build("compared with a literal", condition, lambda v, b=bound, h=holds: h(v, b))
    for sign, bound in product(("=", "<", ">="), _BOUNDS[::2]):
        holds = COMPARISONS[sign]
        for build in (of_floats, of_wholes):
            condition = f"{literal(bound)} {sign} ?"
            yield build("literal first", condition, lambda v, b=bound, h=holds: h(b, v))
            condition = f"NOT ? {sign} {literal(bound)}"
            negated = strict(lambda v, b=bound, h=holds: not h(v, b))
            yield build("negated", condition, negated)


def _null_tests() -> Iterator[NumberFilter]:
    yield of_floats("no number", "? IS NULL", lambda v: v is None)
    yield of_floats("no number", "? IS NOT NULL", lambda v: v is not None)
    yield of_floats("no number", "? = ?", lambda v: v is not None)
    yield of_floats("no number", "? != ?", lambda v: False)
    yield of_floats("no number", "COALESCE(?, 7.0) = 7", lambda v: v is None)
    yield of_floats("no number", "IFNULL(?, 7) = 7", lambda v: v is None)
    yield of_floats("no number", "NULLIF(?, 1e999) IS NULL", lambda v: v in {None, math.inf})
    yield of_floats(
        "no number", "CASE WHEN ? > 0.9 THEN 1 ELSE 0 END = 0", lambda v: (v or 0) <= 0.9
    )
    yield of_floats("no number", "CASE ? WHEN 1e999 THEN TRUE END", lambda v: v == math.inf)


def _lists() -> Iterator[NumberFilter]:
    for between, items in (
        ("1, 2.5", [1, 2.5]),
        ("9007199254740993", [2**53 + 1]),
        ("1.5, 9007199254740993", [1.5, 2**53 + 1]),
        ("1.5", [1.5]),
        (f"{LARGEST!r}, 1e308", [LARGEST, 1e308]),
        (f"{TOP}, 9223372036854775808", [TOP, 2.0**63]),
    ):
        for build in (of_floats, of_wholes):
            among = strict(lambda v, items=items: v in items)
            yield build("lists", f"? IN ({between})", among)
            yield build("lists", f"? NOT IN ({between})", strict(lambda v, a=among: not a(v)))
    for low, high in ((0.5, 1.5), (0, 1), (-LARGEST, LARGEST), (2.0**53, math.inf), (1e19, 2e19)):
        for build in (of_floats, of_wholes):
            within = strict(lambda v, low=low, high=high: low <= v <= high)
            between = f"BETWEEN {literal(low)} AND {literal(high)}"
            yield build("ranges", f"? {between}", within)
            yield build("ranges", f"? NOT {between}", strict(lambda v, w=within: not w(v)))


def _arithmetic() -> Iterator[NumberFilter]:
    for sign, operand in product(ARITHMETIC, _OPERANDS):
        operation = f"? {sign} {literal(operand)}"
        result = ARITHMETIC[sign]
        topic = f"arithmetic {sign}"
        for build in (of_floats, of_wholes):
            if build is of_wholes and isinstance(operand, int) and sign != "/":
                continue  # whole numbers, which stay whole
            yield build(
                topic, f"{operation} IS NULL", lambda v, o=operand, r=result: r(v, o) is None
            )
            above = COMPARISONS[">"]
            yield build(
                topic,
                f"{operation} > 1e308",
                lambda v, o=operand, r=result, a=above: a(r(v, o), 1e308),
            )
            below = COMPARISONS["<="]
            yield build(
                topic, f"{operation} <= ?", lambda v, o=operand, r=result, b=below: b(r(v, o), v)
            )
        yield of_floats(
            topic,
            f"({operation}) {sign} ? = ?",
            lambda v, o=operand, r=result: COMPARISONS["="](r(r(v, o), v), v),
        )
    times = ARITHMETIC["*"]
    yield of_floats("chains", "? * ? * ? = 0", lambda v: COMPARISONS["="](times(times(v, v), v), 0))
    yield of_floats("chains", "? - ? = 0", strict(lambda v: v - v == 0))
    yield of_floats("chains", "1 / (1 / ?) = 1", lambda v: v == 1)
    yield of_floats("chains", "-? > 1e308", strict(lambda v: -v > 1e308))
    yield of_floats("chains", "ABS(?) > 1e308", strict(lambda v: abs(v) > 1e308))
    yield of_floats("chains", "ABS(? * 2) = 1e999", strict(lambda v: abs(v * 2) == math.inf))


def _whole_arithmetic() -> Iterator[NumberFilter]:
    yield of_wholes("whole numbers", "? + 1 > 0", strict(lambda v: v + 1 > 0))
    yield of_wholes("whole numbers", "? + 1 = 9007199254740993", strict(lambda v: v == 2**53))
    yield of_wholes("whole numbers", "-? > 9e18", strict(lambda v: -v > 9e18))
    yield of_wholes("whole numbers", "ABS(?) > 9e18", strict(lambda v: abs(v) > 9e18))
    yield of_wholes("whole numbers", "ABS(?) = 1", strict(lambda v: abs(v) == 1))
    yield of_wholes("whole numbers", "? * ? > 1e37", strict(lambda v: v * v > 1e37))
    yield of_wholes("whole numbers", "? * ? * ? < -1e56", strict(lambda v: v**3 < -1e56))
    yield of_wholes("whole numbers", "? * ? * ? * ? * ? > 1e90", strict(lambda v: v**5 > 1e90))
    yield of_wholes("whole numbers", "? - 9223372036854775807 < -1e19", strict(lambda v: v < -1e18))
    yield of_wholes("whole numbers", "? / 0 IS NULL", lambda v: True)
    yield of_wholes("whole numbers", "SUBSTR('abc', ?) = 'abc'", lambda v: v in {0, 1, BOTTOM})
    yield of_wholes("whole numbers", "SUBSTR('abc', 2, ?) = 'bc'", lambda v: v >= 3)


def _functions() -> Iterator[NumberFilter]:
    for decimals in (0, 1, 16, 30, 400, -5):
        call = f"ROUND(?, {decimals})"
        yield of_floats(
            "rounding", f"{call} = ?", lambda v, d=decimals: COMPARISONS["="](rounded(v, d), v)
        )
        yield of_floats(
            "rounding", f"{call} > 0.3", lambda v, d=decimals: COMPARISONS[">"](rounded(v, d), 0.3)
        )
    yield of_floats("rounding", "ROUND(? * 3) = 1", strict(lambda v: rounded(v * 3, 0) == 1))
    for number in (0, 2, -2, 2**53, TOP, BOTTOM):
        call = f"CAST(? AS INT64) = {number}"
        yield of_floats("casts", call, lambda v, n=number: whole(v) == n)
    for number in FLOATS[1:]:
        shown = text(number)
        yield of_floats("texts", f"CAST(? AS STRING) = '{shown}'", lambda v, s=shown: text(v) == s)
    yield of_floats(
        "texts", "CAST(? * 1 AS STRING) = '0.30000000000000004'", lambda v: v == 0.1 + 0.2
    )
    yield of_floats("texts", "CAST(CAST(? AS STRING) AS FLOAT64) = ?", strict(math.isfinite))
    yield of_floats("texts", "LENGTH(CAST(? AS STRING)) = 3", strict(lambda v: len(text(v)) == 3))
    for call, number in (
        ("1e999", math.inf),
        ("-1e999", -math.inf),
        ("1e-999", 0),
        ("5e-324", 5e-324),
    ):
        yield of_floats("casts", f"? = CAST('{call}' AS FLOAT64)", lambda v, n=number: v == n)


def _pairs() -> Iterator[NumberFilter]:
    topic = "whole and FLOAT64"
    for sign, holds in COMPARISONS.items():
        for left_operand in (FLOAT_OF_PAIR, f"{FLOAT_OF_PAIR} * 1"):
            yield NumberFilter(topic, f"{left_operand} {sign} {WHOLE_OF_PAIR}", "x", holds)
        text = f"{WHOLE_OF_PAIR} {sign} {FLOAT_OF_PAIR}"
        yield NumberFilter(topic, text, "x", lambda x, n, h=holds: h(n, x))


FILTERS = (
    *_comparisons(),
    *_null_tests(),
    *_lists(),
    *_arithmetic(),
    *_whole_arithmetic(),
    *_functions(),
    *_pairs(),
)
