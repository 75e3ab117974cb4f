"""SQL of PostgreSQL that differs, so that it answers as the others do.

Texts compare byte by byte, and only the letters of ASCII have two cases.
"""

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from lineage_store.filtering.numeric_postgresql import bound
from lineage_store.filtering.portable import (
    MAX_TEXT,
    Among,
    CharLength,
    Like,
    Lower,
    PositionOf,
    Substring,
    Trimmed,
    TypedNull,
    Upper,
)
from lineage_store.filtering.sql import Element


def _parts(element: Element, compiler: SQLCompiler, options: dict[str, object]) -> list[str]:
    return [compiler.process(part.self_group(), **options) for part in element.clauses]


@compiles(Among, "postgresql")
def _among(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    operand, items = _parts(element, compiler, options)
    of = compiler.dialect.type_compiler_instance.process(element.of)
    array = f"jsonb_array_elements_text(CAST({items} AS jsonb))"
    return f"({operand} IN (SELECT CAST(item AS {of}) FROM {array} AS item))"  # noqa: S608


@compiles(Like, "postgresql")
def _like(element: Like, compiler: SQLCompiler, **options: Any) -> str:
    text, pattern = _parts(element, compiler, options)
    return f'(lower({text} COLLATE "C") LIKE lower({pattern} COLLATE "C") ESCAPE \'\')'


@compiles(Lower, "postgresql")
def _lower(element: Lower, compiler: SQLCompiler, **options: Any) -> str:
    (text,) = _parts(element, compiler, options)
    return f'lower({text} COLLATE "C")'


@compiles(Upper, "postgresql")
def _upper(element: Upper, compiler: SQLCompiler, **options: Any) -> str:
    (text,) = _parts(element, compiler, options)
    return f'upper({text} COLLATE "C")'


@compiles(CharLength, "postgresql")
def _char_length(element: CharLength, compiler: SQLCompiler, **options: Any) -> str:
    (text,) = _parts(element, compiler, options)
    return f"char_length({text})"


@compiles(PositionOf, "postgresql")
def _position_of(element: PositionOf, compiler: SQLCompiler, **options: Any) -> str:
    text, part = _parts(element, compiler, options)
    return f"strpos({text}, {part})"


@compiles(Trimmed, "postgresql")
def _trimmed(element: Trimmed, compiler: SQLCompiler, **options: Any) -> str:
    name = {"left": "ltrim", "right": "rtrim", "both": "btrim"}[element.side]
    return f"{name}({', '.join(_parts(element, compiler, options))})"


@compiles(TypedNull, "postgresql")
def _typed_null(element: TypedNull, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ARG001
    return f"CAST(NULL AS {compiler.dialect.type_compiler_instance.process(element.type)})"


@compiles(Substring, "postgresql")
def _substring(element: Substring, compiler: SQLCompiler, **options: Any) -> str:
    return bound(element, compiler, options, _characters)


def _characters(text: str, start: str, count: str | None = None) -> str:
    first = _within_text(start)
    first = f"CASE WHEN {start} < 0 THEN char_length({text}) + {first} + 1 ELSE {first} END"
    if count is None:
        return f"CASE WHEN {start} IS NOT NULL THEN substr({text}, {first}) END"
    size = _within_text(count)
    before = f"substr({text}, {first} + {size}, -({size}))"
    return (
        f"CASE WHEN {start} IS NULL OR {count} IS NULL THEN NULL "
        f"WHEN {count} < 0 THEN {before} ELSE substr({text}, {first}, {size}) END"
    )


def _within_text(number: str) -> str:
    """Return SQL of a number of characters, so small that sums of them are in range."""
    return f"CAST(least(greatest({number}, -{MAX_TEXT}), {MAX_TEXT}) AS integer)"
