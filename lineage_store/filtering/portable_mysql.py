"""What MySQL and MariaDB write in their own way, so that they answer as the others do."""

from collections.abc import Callable
from functools import reduce
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from sqlalchemy import BigInteger, Boolean, Double, Integer
from sqlalchemy.ext.compiler import compiles

from lineage_store.database.tables import COLLATIONS
from lineage_store.filtering.portable import (
    Among,
    CharLength,
    Converted,
    Like,
    Lower,
    PositionOf,
    Rounded,
    Substring,
    Trimmed,
    Upper,
    Wide,
)

_TRIMS = {"left": "LTRIM", "right": "RTRIM", "both": "TRIM"}
_B = "\\\\"
"""A backslash in a literal of MySQL."""

Compile = Callable[..., str]


def _on_both(element: Any) -> Callable[[Compile], Compile]:
    def register(function: Compile) -> Compile:
        for dialect in ("mysql", "mariadb"):
            compiles(element, dialect)(function)
        return function

    return register


def _parts(element: Any, compiler: Any, options: dict[str, Any]) -> list[str]:
    return [compiler.process(part.self_group(), **options) for part in element.clauses]


def _replaced(text: str, given: str, wanted: str) -> str:
    """Return a text with some letters replaced, one by one: LOWER knows letters beyond ASCII."""
    pairs = zip(given, wanted, strict=True)
    return reduce(lambda sql, pair: f"REPLACE({sql}, '{pair[0]}', '{pair[1]}')", pairs, text)


def _column_type(of: Any, dialect: str) -> str:
    if isinstance(of, Boolean):
        return "TINYINT"
    if isinstance(of, BigInteger | Integer):
        return "BIGINT"
    text = f"LONGTEXT CHARACTER SET utf8mb4 COLLATE {COLLATIONS[dialect]}"
    return "DOUBLE" if isinstance(of, Double) else text


@_on_both(Among)
def _among(element: Any, compiler: Any, **options: Any) -> str:
    operand, items = _parts(element, compiler, options)
    columns = f"COLUMNS(item {_column_type(element.of, compiler.dialect.name)} PATH '$')"
    return f"({operand} IN (SELECT item FROM JSON_TABLE({items}, '$[*]' {columns}) AS items))"  # noqa: S608


@_on_both(Like)
def _like(element: Any, compiler: Any, **options: Any) -> str:
    text, pattern = (
        _replaced(part, ascii_uppercase, ascii_lowercase)
        for part in _parts(element, compiler, options)
    )
    # An empty escape would be a backslash.
    return f"({text} LIKE REPLACE({pattern}, '|', '||') ESCAPE '|')"


@_on_both(Lower)
def _lower(element: Any, compiler: Any, **options: Any) -> str:
    return _replaced(_parts(element, compiler, options)[0], ascii_uppercase, ascii_lowercase)


@_on_both(Upper)
def _upper(element: Any, compiler: Any, **options: Any) -> str:
    return _replaced(_parts(element, compiler, options)[0], ascii_lowercase, ascii_uppercase)


@_on_both(CharLength)
def _char_length(element: Any, compiler: Any, **options: Any) -> str:
    return f"CHAR_LENGTH({_parts(element, compiler, options)[0]})"


@_on_both(PositionOf)
def _position_of(element: Any, compiler: Any, **options: Any) -> str:
    text, part = _parts(element, compiler, options)
    return f"INSTR({text}, {part})"


@_on_both(Trimmed)
def _trimmed(element: Any, compiler: Any, **options: Any) -> str:
    text, *given = _parts(element, compiler, options)
    if not given:
        return f"{_TRIMS[element.side]}({text})"
    escaped = reduce(
        lambda sql, c: f"REPLACE({sql}, '{c}', '{_B}{c}')", (_B, "]", "^", "-"), given[0]
    )
    left, right = f"'^[', {escaped}, ']+'", f"'[', {escaped}, ']+$'"
    form = {"left": left, "right": right, "both": f"{left}, '|', {right}"}[element.side]
    return f"IF({given[0]} = '', {text}, REGEXP_REPLACE({text}, CONCAT({form}), ''))"


@_on_both(Wide)
def _wide(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST({_parts(element, compiler, options)[0]} AS DECIMAL(65, 0))"


@_on_both(Rounded)
def _rounded(element: Any, compiler: Any, **options: Any) -> str:
    number, *digits = _parts(element, compiler, options)
    places = f"GREATEST({digits[0]}, 0)" if digits else "0"
    return f"(ROUND(CAST({number} AS DECIMAL(65, 20)), {places}) + 0e0)"


@_on_both(Substring)
def _substring(element: Any, compiler: Any, **options: Any) -> str:
    text, start, *count = _parts(element, compiler, options)
    first = f"IF({start} < 0, CHAR_LENGTH({text}) + {start} + 1, {start})"
    if not count:
        return f"SUBSTR({text}, GREATEST({first}, 1))"
    size = count[0]
    begin = f"IF({size} < 0, {first} + {size}, {first})"
    end = f"({begin} + ABS({size}))"
    return f"SUBSTR({text}, GREATEST({begin}, 1), GREATEST({end} - GREATEST({begin}, 1), 0))"


@_on_both(Converted)
def _converted(element: Any, compiler: Any, **options: Any) -> str:
    (operand,) = _parts(element, compiler, options)
    of, to = element.of, element.type
    if isinstance(to, BigInteger):
        whole = f"TRUNCATE({operand}, 0)" if isinstance(of, Double) else operand
        return f"CAST({whole} AS SIGNED)"
    if isinstance(to, Double):
        return f"({operand} + 0e0)"
    text = f"CAST({operand} AS CHAR CHARACTER SET utf8mb4)"
    if isinstance(of, Double):  # "2.0" and "1.0e+20", as SQLite has it
        text = f"REGEXP_REPLACE({text}, '^(-?[0-9]+)(e|$)', '{_B}1.0{_B}2')"
        return f"REGEXP_REPLACE({text}, 'e([0-9])', 'e+{_B}1')"
    return text
