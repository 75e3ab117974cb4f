"""From a checked filter to SQL: an expression over joined tables, its values as parameters."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Double,
    String,
    and_,
    bindparam,
    case,
    func,
    null,
    or_,
    true,
)
from sqlalchemy.sql.elements import Case, Cast, Grouping
from sqlalchemy.sql.functions import FunctionElement

from lineage_store.database.queries.conditions import Shape
from lineage_store.database.staging.node_rows import uri_hash
from lineage_store.database.tables import SHORT_STRING
from lineage_store.filtering import portable_mysql as _mysql  # noqa: F401 - registers
from lineage_store.filtering import portable_postgresql as _postgresql  # noqa: F401 - registers
from lineage_store.filtering.functions import CAST_NAMES
from lineage_store.filtering.joins import Joins
from lineage_store.filtering.numeric import (
    Absolute,
    Arithmetic,
    Converted,
    MixedComparison,
    Rounded,
    Wide,
)
from lineage_store.filtering.portable import (
    MANY,
    Among,
    Chain,
    CharLength,
    Like,
    Likelihood,
    Lower,
    PositionOf,
    Substring,
    Trimmed,
    TypedNull,
    Upper,
)
from lineage_store.filtering.sql import Sql, SqlType
from lineage_store.filtering.typed import (
    Apply,
    Column,
    Expression,
    Itself,
    Null,
    Property,
    Value,
    ValueList,
)
from lineage_store.filtering.vocabulary import Type
from lineage_store.kinds import ARTIFACT, NodeKind

Derive = Callable[[Any], object]
_Values = list[Value | ValueList]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A filter in SQL.

    Attributes:
        shape: The SQL.
        derived: Parameters that an index needs: for each the slot that it is made from, and how.
    """

    shape: Shape
    derived: tuple[tuple[str, str, Derive], ...]


_SQL_TYPES: dict[Type, SqlType] = {
    Type.INT64: BigInteger(),
    Type.FLOAT64: Double(),
    Type.STRING: String(),
    Type.BOOL: Boolean(),
}


@lru_cache(maxsize=256)
def compiled(kind: NodeKind, expression: Expression) -> Compiled:
    """Return the SQL of a checked filter on a kind of node.

    Filters that differ only in their values share it, and so the statements made with it.
    """
    compiler = _Compiler(kind)
    holds = compiler.compile(expression, positive=True)
    joins = compiler.joins
    shape = Shape(tuple(joins.joins), _enclosed(holds), joins.repeats)
    return Compiled(shape, tuple(compiler.derived))


class _Compiler:
    def __init__(self, kind: NodeKind) -> None:
        self._kind = kind
        self.joins = Joins(kind)
        self.derived: list[tuple[str, str, Derive]] = []

    def compile(self, node: Expression, *, positive: bool = False) -> Sql:
        """Return the SQL of an expression.

        Args:
            node: The expression.
            positive: It is only asked whether this is true, never whether it is false or NULL, so
                a condition that follows from it may be added for the sake of an index.
        """
        if isinstance(node, Column):
            column = self.joins.column(node)
            is_indexed = positive and isinstance(node.source, Property)
            return Grouping(column == true()) if is_indexed else column
        if isinstance(node, Value):
            return bindparam(node.slot, type_=_SQL_TYPES[node.type])
        if isinstance(node, ValueList):
            return bindparam(node.slot, type_=String())
        if isinstance(node, Null):
            return null() if node.type is Type.NULL else TypedNull(_SQL_TYPES[node.type])
        if node.operation in {"AND", "OR"}:
            parts = [self.compile(part, positive=positive) for part in node.operands]
            return Chain(node.operation, *parts)
        exact = _OPERATIONS[node.operation](self, node)
        return _enclosed(self._for_index(node, exact) if positive else exact)

    def operands(self, node: Apply) -> list[Sql]:
        """Return the SQL of the operands of an operation."""
        return [self.compile(operand) for operand in node.operands]

    def _for_index(self, node: Apply, exact: Sql) -> Sql:
        """Return a condition so that the database sees which index serves it."""
        indexed = _column_and_values(node)
        if indexed is None:
            return exact
        operation, column, values = indexed
        if isinstance(column.source, Property) and column.name == "string_value":
            hint = self._string_hint(operation, column.source, values)
            return exact if hint is None else and_(hint, exact)
        if operation not in _SEARCHES:
            return exact
        if (self._kind, column.source, column.name) == (ARTIFACT, Itself(), "uri"):
            hint = self._uri_hint(operation, column, values)
            return exact if hint is None else and_(hint, exact)
        is_shared = isinstance(column.source, Itself) and column.name in _SHARED_BY_MANY
        return Likelihood(exact, MANY) if is_shared else exact

    def _string_hint(self, operation: str, source: Property, values: _Values) -> Sql | None:
        """Return a condition on the first characters of a string property."""
        short = self.joins.short_string(source)
        if operation == "IN":
            return Among(
                short, self._derive(values[0], _short_strings, String()), String(SHORT_STRING)
            )
        bounds = [func.substr(self.compile(value), 1, SHORT_STRING) for value in values]
        if operation == "=":
            return short == bounds[0]
        if operation in {">", ">="}:
            return short >= bounds[0]
        if operation in {"<", "<="}:
            return short <= bounds[0]
        if operation == "BETWEEN":
            return and_(short >= bounds[0], short <= bounds[1])
        return short.is_not(None) if operation in _NEEDS_STRING else None

    def _uri_hint(self, operation: str, column: Column, values: _Values) -> Sql | None:
        hashes = self.joins.column(Column(column.source, "uri_hash", Type.INT64))
        if operation == "=":
            return hashes == self._derive(values[0], uri_hash, BigInteger())
        if operation == "IN":
            return Among(hashes, self._derive(values[0], _uri_hashes, String()), BigInteger())
        return None

    def _derive(self, value: Value | ValueList, how: Derive, of: SqlType) -> Sql:
        slot = f"{value.slot}_{how.__name__}"
        self.derived.append((slot, value.slot, how))
        return bindparam(slot, type_=of)


def _enclosed(sql: Sql) -> Sql:
    """Return SQL in parentheses, if it needs any: SQLite bounds how many stand in each other."""
    return sql if isinstance(sql, Grouping | FunctionElement | Case | Cast) else Grouping(sql)


def _negated(sql: Sql) -> Sql:
    return ~_enclosed(sql)


def _short_strings(texts: list[str | None]) -> list[str | None]:
    return [None if text is None else text[:SHORT_STRING] for text in texts]


def _uri_hashes(uris: list[str | None]) -> list[int | None]:
    return [None if uri is None else uri_hash(uri) for uri in uris]


def _column_and_values(node: Apply) -> tuple[str, Column, list[Value | ValueList]] | None:
    """Return an operation on a column and values as if the column stood first, or None."""
    operation, operands = node.operation, list(node.operands)
    if operation in _MIRRORED and isinstance(operands[1], Column):
        operation, operands = _MIRRORED[operation], operands[::-1]
    column, *others = operands
    values = [other for other in others if isinstance(other, Value | ValueList)]
    if not isinstance(column, Column) or len(values) < len(others):
        return None
    return operation, column, values


_SHARED_BY_MANY = {"state", "create_time", "update_time"}
_MIRRORED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SEARCHES = {"=", "<", "<=", ">", ">=", "BETWEEN", "IN"}
_NEEDS_STRING = {"LIKE", "STARTS_WITH", "ENDS_WITH", "CONTAINS", "!=", "IS NOT NULL"}

_Build = Callable[[_Compiler, Apply], Sql]

_COMPARISONS: dict[str, Callable[[Sql, Sql], Sql]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SIGNS: dict[str, Callable[[Sql, Sql], Sql]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


def _on(build: Callable[..., Sql]) -> _Build:
    return lambda compiler, node: build(*compiler.operands(node))


def _comparison(compiler: _Compiler, node: Apply) -> Sql:
    return _compared(node, *compiler.operands(node))


def _compared(node: Apply, left: Sql, right: Sql) -> Sql:
    types = [operand.type for operand in node.operands]
    if types == [Type.INT64, Type.FLOAT64]:
        return MixedComparison(_sql_word(node.operation), left, right)
    if types == [Type.FLOAT64, Type.INT64]:
        return MixedComparison(_sql_word(_MIRRORED[node.operation]), right, left)
    return _COMPARISONS[node.operation](left, right)


def _sql_word(operation: str) -> str:
    return "<>" if operation == "!=" else operation


def _not_equal(compiler: _Compiler, node: Apply) -> Sql:
    left, right = compiler.operands(node)
    return _or_unset(node, left, right, _compared(node, left, right))


def _or_unset(node: Apply, left: Sql, right: Sql | None, differs: Sql) -> Sql:
    """A state that is not set differs from every state that is given by its name."""
    if isinstance(node.operands[0], Column) and _is_named(node.operands[1]):
        return or_(left.is_(None), differs)
    is_mirrored = isinstance(node.operands[1], Column) and _is_named(node.operands[0])
    if is_mirrored and right is not None:
        return or_(right.is_(None), differs)
    return differs


def _is_named(node: Expression) -> bool:
    return isinstance(node, Value | ValueList) and bool(node.names)


def _in(compiler: _Compiler, node: Apply) -> Sql:
    return _membership(node, *compiler.operands(node))


def _membership(node: Apply, operand: Sql, *items: Sql) -> Sql:
    if isinstance(node.operands[1], ValueList):
        [item] = items
        return Among(operand, item, _SQL_TYPES.get(node.operands[1].type, String()))
    return operand.in_(items)


def _not_in(compiler: _Compiler, node: Apply) -> Sql:
    left, *items = compiler.operands(node)
    return _or_unset(node, left, None, _negated(_membership(node, left, *items)))


def _wide(node: Apply, sql: Sql) -> Sql:
    """Return an operand so that a whole result may exceed 64 bits, as no error to anyone."""
    is_wide = isinstance(node.operands[0], Apply) and node.operands[0].operation in _SIGNS
    return Wide(sql) if node.type is Type.INT64 and not is_wide else sql


def _arithmetic(compiler: _Compiler, node: Apply) -> Sql:
    if node.type is Type.FLOAT64:
        floats = zip(compiler.operands(node), node.operands, strict=True)
        return Arithmetic(node.operation, *(_as_float(sql, operand) for sql, operand in floats))
    left, right = compiler.operands(node)
    first = node.operands[0]
    if isinstance(first, Apply) and {first.operation, node.operation} <= {"+", "-"}:
        left = left.element  # a chain, which needs no parentheses from the left
    return _SIGNS[node.operation](_wide(node, left), right)


def _as_float(sql: Sql, operand: Expression) -> Sql:
    if operand.type is Type.FLOAT64:
        return sql
    return Converted(sql, _SQL_TYPES[operand.type], Double())


def _absolute(compiler: _Compiler, node: Apply) -> Sql:
    (number,) = compiler.operands(node)
    return Absolute(_wide(node, number), _SQL_TYPES[node.type])


def _rounded(compiler: _Compiler, node: Apply) -> Sql:
    number, *decimals = compiler.operands(node)
    return Rounded(_as_float(number, node.operands[0]), *decimals)


def _ends_with(text: Sql, end: Sql) -> Sql:
    start = CharLength(text) - CharLength(end) + 1
    return and_(start > 0, func.substr(text, start) == end)


def _case(compiler: _Compiler, node: Apply) -> Sql:
    parts = compiler.operands(node)
    operand = parts.pop(0) if "OPERAND" in node.operation else None
    otherwise = parts.pop() if node.operation.endswith("ELSE") else None
    pairs = list(zip(parts[::2], parts[1::2], strict=True))
    if operand is not None:
        # Not `==`, which would turn a NULL into IS NULL.
        pairs = [(operand.op("=")(when), then) for when, then in pairs]
    return case(*pairs, else_=otherwise)


def _cast(compiler: _Compiler, node: Apply) -> Sql:
    (operand,) = compiler.operands(node)
    of, to = node.operands[0].type, node.type
    if to is of or of is Type.NULL:
        return operand
    if to is Type.BOOL:
        return operand != 0
    if of is Type.BOOL:
        yes, no = ("true", "false") if to is Type.STRING else (1, 0)
        return case((operand.is_(true()), yes), (operand.is_not(None), no), else_=null())
    return Converted(operand, _SQL_TYPES[of], _SQL_TYPES[to])


_OPERATIONS: dict[str, _Build] = {
    "NOT": _on(_negated),
    **dict.fromkeys(("=", "<", "<=", ">", ">="), _comparison),
    "!=": _not_equal,
    "BETWEEN": _on(lambda operand, low, high: operand.between(low, high)),
    "NOT BETWEEN": _on(lambda operand, low, high: _negated(operand.between(low, high))),
    "IN": _in,
    "NOT IN": _not_in,
    "LIKE": _on(Like),
    "NOT LIKE": _on(lambda text, pattern: _negated(Like(text, pattern))),
    "IS NULL": _on(lambda operand: operand.is_(None)),
    "IS NOT NULL": _on(lambda operand: operand.is_not(None)),
    "IS UNKNOWN": _on(lambda operand: operand.is_(None)),
    "IS NOT UNKNOWN": _on(lambda operand: operand.is_not(None)),
    "IS TRUE": _on(lambda operand: func.coalesce(operand, False)),
    "IS NOT TRUE": _on(lambda operand: ~func.coalesce(operand, False)),
    "IS FALSE": _on(lambda operand: ~func.coalesce(operand, True)),
    "IS NOT FALSE": _on(lambda operand: func.coalesce(operand, True)),
    **dict.fromkeys("+-*/", _arithmetic),
    "NEGATE": lambda compiler, node: -_wide(node, *compiler.operands(node)),
    "POSITIVE": _on(lambda operand: operand),
    "ABS": _absolute,
    "CHAR_LENGTH": _on(CharLength),
    "LENGTH": _on(CharLength),
    "CONTAINS": _on(lambda text, part: PositionOf(text, part) > 0),
    "ENDS_WITH": _on(_ends_with),
    "STARTS_WITH": _on(lambda text, start: func.substr(text, 1, CharLength(start)) == start),
    "LOWER": _on(Lower),
    "UPPER": _on(Upper),
    "REPLACE": _on(func.replace),
    "ROUND": _rounded,
    "SUBSTR": _on(Substring),
    "TRIM": _on(partial(Trimmed, "both")),
    "LTRIM": _on(partial(Trimmed, "left")),
    "RTRIM": _on(partial(Trimmed, "right")),
    "COALESCE": _on(lambda *choices: func.coalesce(*choices) if choices[1:] else choices[0]),
    "IFNULL": _on(func.coalesce),
    "NULLIF": _on(func.nullif),
    **dict.fromkeys(("CASE", "CASE ELSE", "CASE OPERAND", "CASE OPERAND ELSE"), _case),
    **dict.fromkeys((f"CAST {name}" for name in CAST_NAMES), _cast),
}
