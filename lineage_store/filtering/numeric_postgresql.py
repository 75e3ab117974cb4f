"""Numbers in filters on PostgreSQL, whose own arithmetic fails where a result is out of range.

The database may compute any row, also those that the rest of a filter leaves out, so no expression
may fail whatever its operands are. Each is guarded by a look at its operands, scaled by powers of
two so that the look is exact and can't be out of range.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import BigInteger, Double, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from lineage_store.filtering.numeric import (
    Absolute,
    Arithmetic,
    Converted,
    MixedComparison,
    Rounded,
    Wide,
    are_short,
    parts_of,
)
from lineage_store.filtering.sql import Element

_INFINITY = "CAST('Infinity' AS float8)"
_TOP, _BOTTOM = 2**63 - 1, -(2**63)
_LARGEST = 1.7976931348623157e308

_WHOLE = r"'^\s*([+-]?0*[0-9]{1,30})'"
"""More digits than 64 bits have, so that longer numbers are too large as well."""

_DECIMAL = r"'^\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)'"
_MODEST = r"'^[+-]?0*[0-9]{0,255}(\.[0-9]*)?([eE][+-]?0*[0-9]{1,4})?$'"
"""A decimal number that fits into `numeric` with its exponent."""


def _power(exponent: int) -> str:
    return f"CAST('{2.0**exponent!r}' AS float8)"


_SMALL, _GREAT = _power(-512), _power(512)


def bound(
    element: Element, compiler: SQLCompiler, options: dict[str, object], body: Callable[..., str]
) -> str:
    """Return SQL that uses each operand of an element more than once, but holds it once.

    Args:
        element: The element.
        compiler: Compiles its operands.
        options: Those of the compiler.
        body: Returns the SQL, given that of each operand.
    """
    texts = parts_of(element, compiler, options)
    if all(are_short(element)):
        return f"({body(*texts)})"
    names = [f"x{number}" for number in range(len(texts))]
    columns = ", ".join(f"{text} AS {name}" for text, name in zip(texts, names, strict=True))
    # LIMIT keeps the planner from writing the operands in place of their names.
    row = f"(SELECT {columns} LIMIT 1) AS x"
    return f"(SELECT {body(*(f'x.{name}' for name in names))} FROM {row})"  # noqa: S608 - compiled


def _sum(left: str, right: str) -> str:
    half = f"CAST('{_LARGEST / 2!r}' AS float8)"
    return (
        f"CASE WHEN {left} > 1 AND {right} > 1 AND {left} / 2 + {right} / 2 > {half} "
        f"THEN {_INFINITY} WHEN {left} < -1 AND {right} < -1 AND "
        f"{left} / 2 + {right} / 2 < -{half} THEN -{_INFINITY} "
        f"ELSE nullif({left} + {right}, 'NaN') END"
    )


def _difference(left: str, right: str) -> str:
    return _sum(left, f"(-({right}))")


def _signed(left: str, right: str) -> str:
    return f"CASE WHEN ({left} < 0) = ({right} < 0) THEN {_INFINITY} ELSE -{_INFINITY} END"


def _product(left: str, right: str) -> str:
    scaled_down = f"abs(({left} * {_SMALL}) * ({right} * {_SMALL}))"
    scaled_up = f"abs(({left} * {_GREAT}) * ({right} * {_GREAT}))"
    tiny = _power(-538)
    return (
        f"CASE WHEN abs({left}) > 1 AND abs({right}) > 1 AND {scaled_down} >= 1 "
        f"THEN {_signed(left, right)} "
        f"WHEN abs({left}) < {tiny} AND abs({right}) < {tiny} THEN 0 "
        f"WHEN abs({left}) < 1 AND abs({right}) < 1 AND {left} <> 0 AND {right} <> 0 "
        f"AND {scaled_up} <= {_power(-51)} THEN 0 ELSE nullif({left} * {right}, 'NaN') END"
    )


def _quotient(left: str, right: str) -> str:
    return (
        f"CASE WHEN {right} = 0 THEN NULL "
        f"WHEN abs({right}) < 1 AND abs({left}) > {_power(-60)} "
        f"AND abs({left}) * {_SMALL} >= abs({right}) * {_GREAT} THEN {_signed(left, right)} "
        f"WHEN abs({right}) > 1 AND abs({left}) < 1 "
        f"AND abs({left}) * {_GREAT} <= abs({right}) * {_power(-563)} THEN 0 "
        f"ELSE nullif({left} / {right}, 'NaN') END"
    )


_ARITHMETIC = {"+": _sum, "-": _difference, "*": _product, "/": _quotient}


@compiles(Arithmetic, "postgresql")
def _arithmetic(element: Arithmetic, compiler: SQLCompiler, **options: Any) -> str:
    return bound(element, compiler, options, _ARITHMETIC[element.sign])


@compiles(MixedComparison, "postgresql")
def _mixed_comparison(element: MixedComparison, compiler: SQLCompiler, **options: Any) -> str:
    sign = element.sign

    def body(whole: str, real: str) -> str:
        nearest = f"CAST({whole} AS float8)"
        exact = f"CAST({whole} AS numeric) {sign} CAST(CAST({real} AS bigint) AS numeric)"
        return (
            f"CASE WHEN {whole} IS NULL OR {real} IS NULL THEN NULL "
            f"WHEN {nearest} <> {real} THEN {nearest} {sign} {real} "
            f"WHEN {real} >= {_BOTTOM} AND {real} < {_power(63)} THEN {exact} "
            f"WHEN {whole} BETWEEN {_BOTTOM} AND {_TOP} THEN -1 {sign} 0 ELSE 0 {sign} 0 END"
        )

    return bound(element, compiler, options, body)


@compiles(Wide, "postgresql")
def _wide(element: Wide, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST({parts_of(element, compiler, options)[0]} AS numeric)"


@compiles(Absolute, "postgresql")
def _absolute(element: Absolute, compiler: SQLCompiler, **options: Any) -> str:
    return f"abs({parts_of(element, compiler, options)[0]})"


@compiles(Rounded, "postgresql")
def _rounded(element: Rounded, compiler: SQLCompiler, **options: Any) -> str:
    def body(number: str, decimals: str = "0") -> str:
        places = f"CAST(least(greatest({decimals}, 0), 30) AS integer)"
        # Not cast at once, which would keep 15 digits.
        exact = f"round(CAST(CAST({number} AS text) AS numeric), {places})"
        return (
            f"CASE WHEN {decimals} IS NULL THEN NULL WHEN abs({number}) >= {_power(52)} "
            f"THEN {number} ELSE CAST({exact} AS float8) END"
        )

    return bound(element, compiler, options, body)


def _text_of_float(number: str) -> str:
    """Return SQL of the text that Python writes for a number."""
    text = f"CAST({number} AS text)"
    return (
        f"CASE WHEN {number} = {_INFINITY} THEN 'inf' WHEN {number} = -{_INFINITY} THEN '-inf' "
        f"WHEN {number} = 0 THEN '0.0' WHEN {text} ~ '[.][0-9]{{15,16}}e[+](1[6-9]|2[0-3])$' "
        f"THEN {_without_last_digit(number, text)} "
        f"WHEN {text} ~ 'e[+]15$' THEN regexp_replace(CAST(CAST({text} AS numeric) AS text), "
        f"'^(-?[0-9]+)$', '\\1.0') ELSE regexp_replace({text}, '^(-?[0-9]+)$', '\\1.0') END"
    )


def _without_last_digit(number: str, text: str) -> str:
    """Return SQL of a text with one digit less, if that reads back as the number, too.

    PostgreSQL leaves such a text out where it is as near to the number as to the next one.
    """
    last = (
        f"char_length(substring({text} from '[.][0-9]+')) - 2 - CAST(right({text}, 2) AS integer)"
    )
    shorter = f"round(CAST({text} AS numeric), {last})"
    digits = f"regexp_replace(CAST({shorter} AS text), '^(-?[0-9])([0-9]*?)0+$', '\\1.\\2')"
    exponent = f"char_length(ltrim(CAST({shorter} AS text), '-')) - 1"
    shortened = f"concat(regexp_replace({digits}, '[.]$', ''), 'e+', {exponent})"
    return f"CASE WHEN CAST({shorter} AS float8) = {number} THEN {shortened} ELSE {text} END"


def _whole_of_float(number: str) -> str:
    return (
        f"CASE WHEN {number} >= {_TOP} THEN {_TOP} WHEN {number} <= {_BOTTOM} THEN {_BOTTOM} "
        f"ELSE CAST(trunc({number}) AS bigint) END"
    )


def _whole_of_text(text: str) -> str:
    number = f"CAST(coalesce(substring({text} from {_WHOLE}), '0') AS numeric)"
    clamped = f"CAST(least(greatest({number}, {_BOTTOM}), {_TOP}) AS bigint)"
    return f"CASE WHEN {text} IS NOT NULL THEN {clamped} END"


def _float_of_text(text: str) -> str:
    number = f"coalesce(substring({text} from {_DECIMAL}), '0')"
    short = f"regexp_replace({number}, '(\\.[0-9]{{250}})[0-9]+', '\\1')"
    exact = f"CAST({short} AS numeric)"
    signed = f"CASE WHEN left({number}, 1) = '-' THEN -{_INFINITY} ELSE {_INFINITY} END"
    return (
        f"CASE WHEN {text} IS NULL THEN NULL "
        f"WHEN {number} ~ {_MODEST} THEN CASE WHEN abs({exact}) >= {2**1024 - 2**970} "
        f"THEN {signed} WHEN abs({exact}) < 2.4703282292062328e-324 THEN 0 "
        f"ELSE CAST({exact} AS float8) END "
        f"WHEN {number} ~ '[eE]-' OR {number} ~ '^[+-]?[0.]*([eE]|$)' THEN 0 ELSE {signed} END"
    )


@compiles(Converted, "postgresql")
def _converted(element: Converted, compiler: SQLCompiler, **options: Any) -> str:
    of, to = element.of, element.type
    body: Callable[[str], str] | None = None
    if isinstance(of, String) and isinstance(to, BigInteger | Double):
        body = _whole_of_text if isinstance(to, BigInteger) else _float_of_text
    elif isinstance(of, Double) and isinstance(to, BigInteger | String):
        body = _whole_of_float if isinstance(to, BigInteger) else _text_of_float
    if body is not None:
        return bound(element, compiler, options, body)
    (operand,) = parts_of(element, compiler, options)
    return f"CAST({operand} AS {compiler.dialect.type_compiler_instance.process(to)})"
