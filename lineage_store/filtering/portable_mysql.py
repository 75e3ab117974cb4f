"""SQL of MySQL and MariaDB that differs, so that they answer as the others do."""

from functools import reduce
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from sqlalchemy import BigInteger, Boolean, Double, Integer
from sqlalchemy.sql.compiler import SQLCompiler

from lineage_store.filtering.numeric_mysql import bound, finite, on_both, text_type
from lineage_store.filtering.portable import (
    MAX_TEXT,
    Among,
    CharLength,
    Like,
    Lower,
    PositionOf,
    Substring,
    Trimmed,
    Upper,
)
from lineage_store.filtering.sql import Element, SqlType

_TRIMS = {"left": "LTRIM", "right": "RTRIM", "both": "TRIM"}
_B = "\\\\"
"""A backslash in a literal of MySQL."""


def _parts(element: Element, compiler: SQLCompiler, options: dict[str, object]) -> list[str]:
    return [compiler.process(part.self_group(), **options) for part in element.clauses]


def _replaced(text: str, letters: str, replacements: str) -> str:
    """Return a text with some letters replaced, one by one: LOWER knows letters beyond ASCII."""
    pairs = zip(letters, replacements, strict=True)
    return reduce(lambda sql, pair: f"REPLACE({sql}, '{pair[0]}', '{pair[1]}')", pairs, text)


def _column_type(of: SqlType, compiler: SQLCompiler) -> str:
    if isinstance(of, Boolean):
        return "TINYINT"
    if isinstance(of, BigInteger | Integer):
        return "BIGINT"
    return "DOUBLE" if isinstance(of, Double) else text_type(compiler)


@on_both(Among)
def _among(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    operand, items = _parts(element, compiler, options)
    columns = f"COLUMNS(item {_column_type(element.of, compiler)} PATH '$')"
    item = finite("item") if isinstance(element.of, Double) else "item"
    return f"({operand} IN (SELECT {item} FROM JSON_TABLE({items}, '$[*]' {columns}) AS items))"  # noqa: S608


@on_both(Like)
def _like(element: Like, compiler: SQLCompiler, **options: Any) -> str:
    text, pattern = (
        _replaced(part, ascii_uppercase, ascii_lowercase)
        for part in _parts(element, compiler, options)
    )
    # An empty escape would be a backslash.
    return f"({text} LIKE REPLACE({pattern}, '|', '||') ESCAPE '|')"


@on_both(Lower)
def _lower(element: Lower, compiler: SQLCompiler, **options: Any) -> str:
    return _replaced(_parts(element, compiler, options)[0], ascii_uppercase, ascii_lowercase)


@on_both(Upper)
def _upper(element: Upper, compiler: SQLCompiler, **options: Any) -> str:
    return _replaced(_parts(element, compiler, options)[0], ascii_lowercase, ascii_uppercase)


@on_both(CharLength)
def _char_length(element: CharLength, compiler: SQLCompiler, **options: Any) -> str:
    return f"CHAR_LENGTH({_parts(element, compiler, options)[0]})"


@on_both(PositionOf)
def _position_of(element: PositionOf, compiler: SQLCompiler, **options: Any) -> str:
    text, part = _parts(element, compiler, options)
    return f"INSTR({text}, {part})"


@on_both(Trimmed)
def _trimmed(element: Trimmed, compiler: SQLCompiler, **options: Any) -> str:
    text, *characters = _parts(element, compiler, options)
    if not characters:
        return f"{_TRIMS[element.side]}({text})"
    escaped = reduce(
        lambda sql, c: f"REPLACE({sql}, '{c}', '{_B}{c}')", (_B, "]", "^", "-"), characters[0]
    )
    left, right = f"'^[', {escaped}, ']+'", f"'[', {escaped}, ']+$'"
    form = {"left": left, "right": right, "both": f"{left}, '|', {right}"}[element.side]
    return f"IF({characters[0]} = '', {text}, REGEXP_REPLACE({text}, CONCAT({form}), ''))"


@on_both(Substring)
def _substring(element: Substring, compiler: SQLCompiler, **options: Any) -> str:
    types = (text_type(compiler), "DECIMAL(65, 0)", "DECIMAL(65, 0)")
    return bound(element, compiler, options, _characters, *types)


def _characters(text: str, start: str, count: str | None = None) -> str:
    start = f"LEAST(GREATEST({start}, -{MAX_TEXT}), {MAX_TEXT})"
    first = f"IF({start} < 0, CHAR_LENGTH({text}) + {start} + 1, {start})"
    if count is None:
        return f"SUBSTR({text}, GREATEST({first}, 1))"
    size = f"LEAST(GREATEST({count}, -{MAX_TEXT}), {MAX_TEXT})"
    begin = f"IF({size} < 0, {first} + {size}, {first})"
    end = f"({begin} + ABS({size}))"
    return f"SUBSTR({text}, GREATEST({begin}, 1), GREATEST({end} - GREATEST({begin}, 1), 0))"
