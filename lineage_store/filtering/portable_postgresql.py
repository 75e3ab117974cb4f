"""What PostgreSQL writes in its own way, so that it answers as the others do.

Texts compare byte by byte, only the letters of ASCII have two cases, a number rounds away from
zero, and a text counts as a number as far as it begins like one.
"""

from typing import Any

from sqlalchemy import BigInteger, Double, String
from sqlalchemy.ext.compiler import compiles

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
    TypedNull,
    Upper,
    Wide,
)

_WHOLE = r"'^\s*([+-]?[0-9]+)'"
_DECIMAL = r"'^\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)'"


def _parts(element: Any, compiler: Any, options: dict[str, Any]) -> list[str]:
    return [compiler.process(part.self_group(), **options) for part in element.clauses]


@compiles(Among, "postgresql")
def _among(element: Any, compiler: Any, **options: Any) -> str:
    operand, items = _parts(element, compiler, options)
    of = compiler.dialect.type_compiler_instance.process(element.of)
    array = f"jsonb_array_elements_text(CAST({items} AS jsonb))"
    return f"({operand} IN (SELECT CAST(item AS {of}) FROM {array} AS item))"  # noqa: S608


@compiles(Like, "postgresql")
def _like(element: Any, compiler: Any, **options: Any) -> str:
    text, pattern = _parts(element, compiler, options)
    return f'(lower({text} COLLATE "C") LIKE lower({pattern} COLLATE "C") ESCAPE \'\')'


@compiles(Lower, "postgresql")
def _lower(element: Any, compiler: Any, **options: Any) -> str:
    (text,) = _parts(element, compiler, options)
    return f'lower({text} COLLATE "C")'


@compiles(Upper, "postgresql")
def _upper(element: Any, compiler: Any, **options: Any) -> str:
    (text,) = _parts(element, compiler, options)
    return f'upper({text} COLLATE "C")'


@compiles(CharLength, "postgresql")
def _char_length(element: Any, compiler: Any, **options: Any) -> str:
    (text,) = _parts(element, compiler, options)
    return f"char_length({text})"


@compiles(PositionOf, "postgresql")
def _position_of(element: Any, compiler: Any, **options: Any) -> str:
    text, part = _parts(element, compiler, options)
    return f"strpos({text}, {part})"


@compiles(Trimmed, "postgresql")
def _trimmed(element: Any, compiler: Any, **options: Any) -> str:
    name = {"left": "ltrim", "right": "rtrim", "both": "btrim"}[element.side]
    return f"{name}({', '.join(_parts(element, compiler, options))})"


@compiles(TypedNull, "postgresql")
def _typed_null(element: Any, compiler: Any, **options: Any) -> str:  # noqa: ARG001
    return f"CAST(NULL AS {compiler.dialect.type_compiler_instance.process(element.type)})"


@compiles(Wide, "postgresql")
def _wide(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST({_parts(element, compiler, options)[0]} AS numeric)"


@compiles(Rounded, "postgresql")
def _rounded(element: Any, compiler: Any, **options: Any) -> str:
    number, *digits = _parts(element, compiler, options)
    places = f"greatest(CAST({digits[0]} AS integer), 0)" if digits else "0"
    return f"CAST(round(CAST({number} AS numeric), {places}) AS double precision)"


@compiles(Substring, "postgresql")
def _substring(element: Any, compiler: Any, **options: Any) -> str:
    text, start, *count = _parts(element, compiler, options)
    first = f"CASE WHEN {start} < 0 THEN char_length({text}) + {start} + 1 ELSE {start} END"
    first = f"CAST(({first}) AS integer)"
    if not count:
        return f"substr({text}, {first})"
    size = f"CAST({count[0]} AS integer)"
    before = f"substr({text}, {first} + {size}, -{size})"
    return f"CASE WHEN {size} < 0 THEN {before} ELSE substr({text}, {first}, {size}) END"


@compiles(Converted, "postgresql")
def _converted(element: Any, compiler: Any, **options: Any) -> str:
    (operand,) = _parts(element, compiler, options)
    of, to = element.of, element.type
    if isinstance(of, String) and isinstance(to, BigInteger | Double):
        form, name = (_WHOLE, "bigint") if isinstance(to, BigInteger) else (_DECIMAL, "float8")
        number = f"coalesce(substring({operand} from {form}), '0')"
        return f"CASE WHEN {operand} IS NOT NULL THEN CAST({number} AS {name}) END"
    if isinstance(of, Double) and isinstance(to, BigInteger):
        top, bottom = f"{operand} >= 9223372036854775807", f"{operand} <= -9223372036854775808"
        return (
            f"CASE WHEN {top} THEN 9223372036854775807 "
            f"WHEN {bottom} THEN -9223372036854775808 ELSE CAST(trunc({operand}) AS bigint) END"
        )
    if isinstance(of, Double) and isinstance(to, String):  # "2.0" and "1.0e+20", as SQLite has it
        return f"regexp_replace(CAST({operand} AS text), '^(-?[0-9]+)(e|$)', '\\1.0\\2')"
    return f"CAST({operand} AS {compiler.dialect.type_compiler_instance.process(to)})"
