"""Expressions that databases write in different ways, compiled for each of them."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Integer, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

from lineage_store.filtering.sql import Element, Sql, SqlType

# Not Boolean, for which SQLAlchemy writes `= 1` behind an expression in a chain of AND, which
# keeps SQLite from its indexes.
_TRUTH: Any = NullType()


SOME = "0.001"
"""Share of rows of properties that have one name: searching by it costs more than by a context."""

MAX_TEXT = 500_000_000
"""Characters, more than any text has."""

MANY = "0.01"
"""Share of nodes in one state, of one type, or in a span of time."""


class Among(FunctionElement[bool]):
    """A condition: a value is an item of a JSON array; NULL items are as in IN.

    One parameter instead of one for each item: a list of any length is the same statement.
    """

    type = _TRUTH
    inherit_cache = True

    def __init__(self, operand: Sql, items: Sql, of: SqlType) -> None:
        super().__init__(operand, items)
        self.of = of


class Like(FunctionElement[bool]):
    """LIKE with % and _, without an escape; the letters A to Z match in both cases."""

    type = _TRUTH
    inherit_cache = True


class Likelihood(FunctionElement[bool]):
    """A condition, with the share of rows for which it is expected to hold.

    SQLite has no statistics of a store that grows, and would take every index for as good as any
    other; the other databases keep their own.
    """

    type = _TRUTH
    inherit_cache = True

    def __init__(self, condition: Sql, share: str) -> None:
        super().__init__(condition)
        self.share = share


class Chain(FunctionElement[bool]):
    """Conditions between AND, or between OR, as a tree of little depth: SQLite bounds the depth."""

    type = _TRUTH
    inherit_cache = True

    def __init__(self, word: str, *conditions: Sql) -> None:
        super().__init__(*conditions)
        self.word = word


class Lower(FunctionElement[str]):
    """A text with the letters A to Z in lower case, and no others."""

    type = String()
    inherit_cache = True


class Upper(FunctionElement[str]):
    """A text with the letters a to z in upper case, and no others."""

    type = String()
    inherit_cache = True


class Substring(FunctionElement[str]):
    """Some characters of a text from a place on, counted from 1, or from the end if negative.

    A negative number of characters takes those in front of the place.
    """

    type = String()
    inherit_cache = True


class Trimmed(FunctionElement[str]):
    """A text without blanks, or without some characters, at its left end, its right, or both."""

    type = String()
    inherit_cache = True

    def __init__(self, side: str, *operands: Sql) -> None:
        super().__init__(*operands)
        self.side = side


class TypedNull(FunctionElement[Any]):
    """NULL where a database must know of which type."""

    inherit_cache = True

    def __init__(self, of: SqlType) -> None:
        super().__init__()
        self.type = of


class CharLength(FunctionElement[int]):
    """The number of code points in a text."""

    type = Integer()
    inherit_cache = True


class PositionOf(FunctionElement[int]):
    """The position of a text in another, counted from 1; 0 if it is not in it."""

    type = Integer()
    inherit_cache = True


def _parts(element: Element, compiler: SQLCompiler, options: dict[str, object]) -> list[str]:
    return [compiler.process(part.self_group(), **options) for part in element.clauses]


@compiles(Among, "sqlite")
def _among(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    operand, items = _parts(element, compiler, options)
    return f"({operand} IN (SELECT value FROM json_each({items})))"  # noqa: S608 - both are compiled


@compiles(Like, "sqlite")
def _like(element: Like, compiler: SQLCompiler, **options: Any) -> str:
    operand, pattern = _parts(element, compiler, options)
    return f"({operand} LIKE {pattern})"


@compiles(TypedNull)
def _typed_null(element: TypedNull, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ARG001
    return "NULL"


@compiles(Likelihood)
def _condition(element: Likelihood, compiler: SQLCompiler, **options: Any) -> str:
    (condition,) = _parts(element, compiler, options)
    return condition


@compiles(Likelihood, "sqlite")
def _likelihood(element: Likelihood, compiler: SQLCompiler, **options: Any) -> str:
    return f"likelihood({_condition(element, compiler, **options)}, {element.share})"


@compiles(Chain)
def _chain(element: Chain, compiler: SQLCompiler, **options: Any) -> str:
    parts = _parts(element, compiler, options)
    while len(parts) > 1:
        pairs = [parts[at : at + 2] for at in range(0, len(parts), 2)]
        parts = [f"({f' {element.word} '.join(pair)})" for pair in pairs]
    return parts[0]


@compiles(CharLength, "sqlite")
def _char_length(element: CharLength, compiler: SQLCompiler, **options: Any) -> str:
    (text,) = _parts(element, compiler, options)
    return f"length({text})"


@compiles(PositionOf, "sqlite")
def _position_of(element: PositionOf, compiler: SQLCompiler, **options: Any) -> str:
    text, part = _parts(element, compiler, options)
    return f"instr({text}, {part})"


def _call(name: str) -> Callable[..., str]:
    """Return a compiler of an element into a call of a function."""

    def compile_call(element: Element, compiler: SQLCompiler, **options: Any) -> str:
        return f"{name}({', '.join(_parts(element, compiler, options))})"

    return compile_call


for _element, _name in ((Lower, "lower"), (Upper, "upper")):
    compiles(_element, "sqlite")(_call(_name))


@compiles(Substring, "sqlite")
def _substring(element: Substring, compiler: SQLCompiler, **options: Any) -> str:
    text, *places = _parts(element, compiler, options)
    # SQLite looks at 32 bits of them.
    small = (f"max(min({place}, {MAX_TEXT}), -{MAX_TEXT})" for place in places)
    return f"substr({', '.join((text, *small))})"


@compiles(Trimmed, "sqlite")
def _trimmed(element: Trimmed, compiler: SQLCompiler, **options: Any) -> str:
    name = {"left": "ltrim", "right": "rtrim", "both": "trim"}[element.side]
    return f"{name}({', '.join(_parts(element, compiler, options))})"
