"""Numbers in filters on MySQL and MariaDB, which hold no infinity and fail where one would result.

The largest number stands for infinity here, and the one below it for the largest, see
`database/mysql_numbers.py`. As the database may compute any row, no expression may fail whatever
its operands are: each is guarded by a look at them, scaled by powers of two so that the look is
exact and can't be out of range.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import BigInteger, Double, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from lineage_store.database.drivers.mysql_numbers import INFINITY, LARGEST
from lineage_store.database.tables import COLLATIONS
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

_I, _L = repr(INFINITY), repr(LARGEST)
_TOP, _BOTTOM = 2**63 - 1, -(2**63)
_SMALL, _GREAT = repr(2.0**-512), repr(2.0**512)
_B = "\\\\"
"""A backslash in a literal of MySQL."""

Compile = Callable[..., str]


def on_both(element: type[Element]) -> Callable[[Compile], Compile]:
    """Return a decorator that registers how MySQL and MariaDB write an element."""

    def register(function: Compile) -> Compile:
        for dialect in ("mysql", "mariadb"):
            compiles(element, dialect)(function)
        return function

    return register


def bound(
    element: Element,
    compiler: SQLCompiler,
    options: dict[str, object],
    body: Callable[..., str],
    *types: str,
) -> str:
    """Return SQL that uses each operand of an element more than once, but holds it once.

    Args:
        element: The element.
        compiler: Compiles its operands.
        options: Those of the compiler.
        body: Returns the SQL, given that of each operand.
        types: The type of each operand.
    """
    texts = parts_of(element, compiler, options)
    if all(are_short(element)):
        return f"({body(*texts)})"
    # A table of a JSON document is the one kind of table that may depend on the row it is for.
    columns = ", ".join(f"x{at} {types[at]} PATH '$[{at}]'" for at in range(len(texts)))
    table = f"JSON_TABLE(JSON_ARRAY({', '.join(texts)}), '$' COLUMNS ({columns})) AS x"
    return f"(SELECT {body(*(f'x.x{at}' for at in range(len(texts))))} FROM {table})"  # noqa: S608


def text_type(compiler: SQLCompiler) -> str:
    """Return the type of a text of any length."""
    return f"LONGTEXT CHARACTER SET utf8mb4 COLLATE {COLLATIONS[compiler.dialect.name]}"


def finite(number: str) -> str:
    """Return SQL of a number that is not infinite, where it may be the largest."""
    return f"GREATEST(LEAST({number}, {_L}), -{_L})"


def _full(number: str) -> str:
    """Return SQL of a number that is not infinite as it is, if it is the largest."""
    return f"IF(ABS({number}) = {_L}, SIGN({number}) * {_I}, {number})"


def _sum(left: str, right: str) -> str:
    full_left, full_right = _full(left), _full(right)
    return (
        f"CASE WHEN {left} IS NULL OR {right} IS NULL THEN NULL "
        f"WHEN ABS({left}) = {_I} OR ABS({right}) = {_I} THEN CASE WHEN {left} = -({right}) "
        f"THEN NULL WHEN ABS({left}) = {_I} THEN {left} ELSE {right} END "
        f"WHEN ABS({full_left} / 2e0 + {full_right} / 2e0) > {INFINITY / 2!r} "
        f"THEN SIGN({left}) * {_I} ELSE {finite(f'{full_left} + {full_right}')} END"
    )


def _difference(left: str, right: str) -> str:
    return _sum(left, f"(-({right}))")


def _product(left: str, right: str) -> str:
    infinite = f"SIGN({left}) * SIGN({right}) * {_I}"
    full_left, full_right = _full(left), _full(right)
    return (
        f"CASE WHEN {left} IS NULL OR {right} IS NULL THEN NULL "
        f"WHEN ABS({left}) = {_I} OR ABS({right}) = {_I} THEN CASE "
        f"WHEN {left} = 0 OR {right} = 0 THEN NULL ELSE {infinite} END "
        f"WHEN ABS({left}) > 1 AND ABS({right}) > 1 "
        f"AND ABS(({full_left} * {_SMALL}) * ({full_right} * {_SMALL})) >= 1 THEN {infinite} "
        f"ELSE {finite(f'{full_left} * {full_right}')} END"
    )


def _quotient(left: str, right: str) -> str:
    infinite = f"SIGN({left}) * SIGN({right}) * {_I}"
    full_left, full_right = _full(left), _full(right)
    return (
        f"CASE WHEN {left} IS NULL OR {right} IS NULL OR {right} = 0 THEN NULL "
        f"WHEN ABS({right}) = {_I} THEN CASE WHEN ABS({left}) = {_I} THEN NULL ELSE 0e0 END "
        f"WHEN ABS({left}) = {_I} THEN {infinite} "
        f"WHEN ABS({right}) < 1 AND ABS({full_left}) * {_SMALL} >= ABS({right}) * {_GREAT} "
        f"THEN {infinite} ELSE {finite(f'{full_left} / {full_right}')} END"
    )


_ARITHMETIC = {"+": _sum, "-": _difference, "*": _product, "/": _quotient}


@on_both(Arithmetic)
def _arithmetic(element: Arithmetic, compiler: SQLCompiler, **options: Any) -> str:
    return bound(element, compiler, options, _ARITHMETIC[element.sign], "DOUBLE", "DOUBLE")


@on_both(MixedComparison)
def _mixed_comparison(element: MixedComparison, compiler: SQLCompiler, **options: Any) -> str:
    sign = element.sign

    def body(whole: str, real: str) -> str:
        nearest = f"({whole} + 0e0)"
        exact = f"{whole} {sign} CAST({real} AS SIGNED)"
        return (
            f"CASE WHEN {whole} IS NULL OR {real} IS NULL THEN NULL "
            f"WHEN {nearest} <> {real} THEN {nearest} {sign} {real} "
            f"WHEN {real} >= {float(_BOTTOM)!r} AND {real} < {2.0**63!r} THEN {exact} "
            f"WHEN {whole} BETWEEN {_BOTTOM} AND {_TOP} THEN -1 {sign} 0 ELSE 0 {sign} 0 END"
        )

    return bound(element, compiler, options, body, "DECIMAL(65, 0)", "DOUBLE")


@on_both(Wide)
def _wide(element: Wide, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST({parts_of(element, compiler, options)[0]} AS DECIMAL(65, 0))"


@on_both(Absolute)
def _absolute(element: Absolute, compiler: SQLCompiler, **options: Any) -> str:
    return f"ABS({parts_of(element, compiler, options)[0]})"


@on_both(Rounded)
def _rounded(element: Rounded, compiler: SQLCompiler, **options: Any) -> str:
    def body(number: str, decimals: str = "0") -> str:
        exact = f"ROUND(CAST({number} AS DECIMAL(65, 30)), LEAST(GREATEST({decimals}, 0), 30))"
        return (
            f"CASE WHEN {decimals} IS NULL THEN NULL WHEN ABS({number}) >= {2.0**52!r} "
            f"THEN {number} ELSE {exact} + 0e0 END"
        )

    return bound(element, compiler, options, body, "DOUBLE", "DECIMAL(65, 0)")


def _text_of_float(number: str) -> str:
    """Return SQL of the text that Python writes for a number."""
    text = f"CAST({number} AS CHAR CHARACTER SET utf8mb4)"
    plain = f"CAST(CAST({text} AS DECIMAL(50, 25)) AS CHAR CHARACTER SET utf8mb4)"
    plain = f"REGEXP_REPLACE({plain}, '([.][0-9]+?)0+$', '{_B}1')"
    padded = f"REGEXP_REPLACE({text}, 'e-([0-9])$', 'e-0{_B}1')"
    padded = f"REGEXP_REPLACE({padded}, 'e([0-9])', 'e+{_B}1')"
    minus = f"IF({number} < 0, '-', '')"
    return (
        f"CASE WHEN {number} = 0 THEN '0.0' WHEN ABS({number}) = {_I} THEN CONCAT({minus}, 'inf') "
        f"WHEN ABS({number}) = {_L} THEN CONCAT({minus}, '1.7976931348623157e+308') "
        f"WHEN ABS({number}) >= 1e-4 AND ABS({number}) < 1e16 THEN {plain} "
        f"WHEN INSTR({text}, 'e') > 0 THEN {padded} "
        f"ELSE CONCAT({minus}, {_with_exponent(text)}) END"
    )


def _with_exponent(text: str) -> str:
    """Return SQL of a number without its sign, whose text has no exponent, with one."""
    is_small = f"INSTR({text}, '.') > 0"
    small = f"REGEXP_REPLACE({text}, '^-?0[.]0*', '')"
    great = f"TRIM(TRAILING '0' FROM TRIM(LEADING '-' FROM {text}))"
    digits = f"IF({is_small}, {small}, {great})"
    rest = f"IF(CHAR_LENGTH({digits}) > 1, CONCAT('.', SUBSTR({digits}, 2)), '')"
    below = f"CHAR_LENGTH(REGEXP_SUBSTR({text}, '[.]0*'))"
    above = f"CHAR_LENGTH(TRIM(LEADING '-' FROM {text})) - 1"
    exponent = f"IF({is_small}, CONCAT('e-', LPAD({below}, 2, '0')), CONCAT('e+', {above}))"
    return f"LEFT({digits}, 1), {rest}, {exponent}"


def _float_of_text(text: str) -> str:
    """Return SQL of the number that a text begins with, also if that is the largest."""
    largest = f"{text} REGEXP '^[[:space:]]*[+-]?1[.]797693134862315(7[0-9]*|8)[eE][+]?308'"
    return f"IF({largest}, {finite(f'{text} + 0e0')}, {text} + 0e0)"


def _whole_of_text(text: str) -> str:
    digits = f"REGEXP_SUBSTR({text}, '^[[:space:]]*[+-]?[0-9]+')"
    number = f"CAST({digits} AS DECIMAL(65, 0))"
    return f"CAST(LEAST(GREATEST({number}, {_BOTTOM}), {_TOP}) AS SIGNED)"


@on_both(Converted)
def _converted(element: Converted, compiler: SQLCompiler, **options: Any) -> str:
    of, to = element.of, element.type
    if isinstance(of, Double) and isinstance(to, String):
        return bound(element, compiler, options, _text_of_float, "DOUBLE")
    if isinstance(of, String) and isinstance(to, Double):
        return bound(element, compiler, options, _float_of_text, text_type(compiler))
    (operand,) = parts_of(element, compiler, options)
    if isinstance(to, Double):
        return f"({operand} + 0e0)"
    if isinstance(to, BigInteger):
        is_text = isinstance(of, String)
        return _whole_of_text(operand) if is_text else f"CAST(TRUNCATE({operand}, 0) AS SIGNED)"
    return f"CAST({operand} AS CHAR CHARACTER SET utf8mb4)"
