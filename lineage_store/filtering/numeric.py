"""Numbers in filters, as elements that are compiled for each database.

They mean what SQLite makes of them: a result that is too large is infinite, one that is too small
is 0, one that is no number is NULL, and none is an error. A whole number beyond 64 bits is
approximate.
"""

from typing import Any

from sqlalchemy import BigInteger, Double, String, cast
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BindParameter, ClauseElement, ColumnClause, Grouping
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

from lineage_store.filtering.sql import Element, Sql, SqlType

_TRUTH: Any = NullType()  # see portable.py


class Wide(FunctionElement[int]):
    """A whole number with which one can calculate beyond 64 bits."""

    type = BigInteger()
    inherit_cache = True


class Arithmetic(FunctionElement[float]):
    """Two numbers, of which each may be infinite, with `+`, `-`, `*` or `/` between them."""

    type = Double()
    inherit_cache = True

    def __init__(self, sign: str, left: Sql, right: Sql) -> None:
        super().__init__(left, right)
        self.sign = sign


class MixedComparison(FunctionElement[bool]):
    """A whole number compared with one of FLOAT64, as exactly as both are."""

    type = _TRUTH
    inherit_cache = True

    def __init__(self, sign: str, whole: Sql, real: Sql) -> None:
        super().__init__(whole, real)
        self.sign = sign


class Absolute(FunctionElement[Any]):
    """A number without its sign; a whole one may leave 64 bits."""

    inherit_cache = True

    def __init__(self, number: Sql, of: SqlType) -> None:
        super().__init__(number)
        self.type = of


class Rounded(FunctionElement[float]):
    """A number rounded to some decimals, 0 to 30 of them; halves away from zero."""

    type = Double()
    inherit_cache = True


class Converted(FunctionElement[Any]):
    """A value as one of another type; what is no number counts as one as far as it begins so."""

    inherit_cache = True

    def __init__(self, operand: Sql, of: SqlType, to: SqlType) -> None:
        super().__init__(operand)
        self.of = of
        self.type = to


def parts_of(element: Element, compiler: SQLCompiler, options: dict[str, object]) -> list[str]:
    """Return the SQL of each operand of an element."""
    return [compiler.process(part.self_group(), **options) for part in element.clauses]


def are_short(element: Element) -> list[bool]:
    """Return for each operand whether it may be written twice: a column or a value may.

    Anything longer would make a statement grow without bound with the depth of a filter.
    """
    return [_is_short(part) for part in element.clauses]


def _is_short(part: ClauseElement) -> bool:
    while isinstance(part, Grouping):
        part = part.element
    if isinstance(part, Wide) or (isinstance(part, Converted) and isinstance(part.type, Double)):
        [part] = part.clauses
    return isinstance(part, ColumnClause | BindParameter)


@compiles(Wide, "sqlite")
def _wide(element: Wide, compiler: SQLCompiler, **options: Any) -> str:
    return f"({parts_of(element, compiler, options)[0]})"


@compiles(Arithmetic, "sqlite")
def _arithmetic(element: Arithmetic, compiler: SQLCompiler, **options: Any) -> str:
    operands = list(zip(element.clauses, parts_of(element, compiler, options), strict=True))
    sign = element.sign
    # SQLite bounds how many parentheses stand in each other, so they are saved where they can be.
    if sign in "+*" and isinstance(operands[1][0], Arithmetic):
        operands.reverse()
    (first, left), (_, right) = operands
    if isinstance(first, Arithmetic) and (sign in "+-" or first.sign in "*/"):
        left = left[1:-1]
    return f"({left} {sign} {right})"


@compiles(MixedComparison, "sqlite")
def _mixed_comparison(element: MixedComparison, compiler: SQLCompiler, **options: Any) -> str:
    whole, real = parts_of(element, compiler, options)
    return f"({whole} {element.sign} {real})"


@compiles(Absolute, "sqlite")
def _absolute(element: Absolute, compiler: SQLCompiler, **options: Any) -> str:
    name = "abs" if isinstance(element.type, Double) else "exact_absolute"
    return f"{name}({parts_of(element, compiler, options)[0]})"


@compiles(Rounded, "sqlite")
def _rounded(element: Rounded, compiler: SQLCompiler, **options: Any) -> str:
    number, *digits = parts_of(element, compiler, options)
    return f"exact_rounded({number}, {digits[0] if digits else 0})"


@compiles(Converted, "sqlite")
def _converted(element: Converted, compiler: SQLCompiler, **options: Any) -> str:
    between = {type(element.of), type(element.type)}
    if between == {Double, String}:
        name = "nearest_number" if isinstance(element.of, String) else "shortest_text"
        return f"{name}({parts_of(element, compiler, options)[0]})"
    (operand,) = element.clauses
    text: str = compiler.process(cast(operand, element.type), **options)
    return text
