"""INT64 and FLOAT64 in one operation of a filter."""

from collections.abc import Sequence

from lineage_store.filtering import exact
from lineage_store.filtering.exact import Number
from lineage_store.filtering.typed import Apply, Expression, Value
from lineage_store.filtering.vocabulary import Type

MAX_FACTORS = 3
"""Factors of a product of whole numbers that every database holds; one of more is FLOAT64."""

_NUMBERS = {Type.INT64, Type.FLOAT64}


def are_mixed(operands: Sequence[Expression]) -> bool:
    """Return whether some operands are INT64 and others FLOAT64."""
    return {operand.type for operand in operands} >= _NUMBERS


def as_floats(operands: Sequence[Expression]) -> tuple[Expression, ...]:
    """Return operands, those of INT64 as FLOAT64 if they are mixed."""
    if not are_mixed(operands):
        return tuple(operands)
    return tuple(_as_float(operand) for operand in operands)


def _as_float(operand: Expression) -> Expression:
    is_whole = operand.type is Type.INT64
    return Apply("CAST FLOAT64", (operand,), Type.FLOAT64) if is_whole else operand


def comparison(
    operation: str,
    operands: tuple[Expression, ...],
    literals: Sequence[Number | None],
    values: dict[str, object],
) -> Apply:
    """Return a comparison, or a range, that compares numbers as they are, with no digit lost.

    Args:
        operation: The operator, BETWEEN or NOT BETWEEN.
        operands: Its operands.
        literals: For each operand its number, if it is a literal; else None.
        values: Holds what stands in the slots; that of a literal may be replaced.
    """
    if not are_mixed(operands):
        return Apply(operation, operands, Type.BOOL)
    if operation.endswith("BETWEEN"):
        return _range(operation, operands, literals, values)
    (left, right), (first, second) = operands, literals
    if isinstance(right, Value) and second is not None and _is_in_reach(second, left):
        return _with_literal(operation, left, right, second, values)
    if isinstance(left, Value) and first is not None and _is_in_reach(first, right):
        mirrored = operation.translate(str.maketrans("<>", "><"))
        return _with_literal(mirrored, right, left, first, values)
    return Apply(operation, operands, Type.BOOL)


def _is_in_reach(number: Number, operand: Expression) -> bool:
    """Return whether a number of the type of the other operand can replace a literal.

    What is computed may leave 64 bits, and so be above a number that is above all of INT64.
    """
    return not isinstance(operand, Apply) or None not in exact.neighbours(number, operand.type)


def _with_literal(
    operation: str, operand: Expression, value: Value, number: Number, values: dict[str, object]
) -> Apply:
    same = exact.compared(operation, number, operand.type)
    return Apply(same.operation, (operand, _put(value, same.number, operand.type, values)), _BOOL)


_BOOL = Type.BOOL


def _put(value: Value, number: Number, of: Type, values: dict[str, object]) -> Value:
    """Return the slot of a literal, with another number in it."""
    values[value.slot] = number
    return Value(value.slot, of)


def _range(
    operation: str,
    operands: tuple[Expression, ...],
    literals: Sequence[Number | None],
    values: dict[str, object],
) -> Apply:
    operand, low, high = operands
    of, bounds = operand.type, (low, high)
    others = [
        bound.type
        for bound, number in zip(bounds, literals[1:], strict=True)
        if number is None and bound.type is not Type.NULL
    ]
    reached = [_is_in_reach(each, operand) for each in literals[1:] if each is not None]
    if of not in _NUMBERS or any(other is not of for other in others) or not all(reached):
        return Apply(operation, as_floats(operands), _BOOL)
    exact_bounds = exact.between(literals[1], literals[2], of)
    if exact_bounds is None:
        literal = low if isinstance(low, Value) else high
        return nothing(operand, operation.startswith("NOT"), literal, values)
    new_bounds = tuple(
        _put(bound, number, of, values)
        if literal is not None and isinstance(bound, Value)
        else bound
        for bound, number, literal in zip(bounds, exact_bounds, literals[1:], strict=True)
    )
    return Apply(operation, (operand, *new_bounds), _BOOL)


def nothing(
    operand: Expression, is_negated: bool, literal: Expression, values: dict[str, object]
) -> Apply:
    """Return a comparison that holds for no number, or for each; for NULL it is NULL.

    Args:
        operand: What is compared.
        is_negated: Whether it holds for each.
        literal: A literal, whose slot is used.
        values: Holds what stands in the slots.
    """
    assert isinstance(literal, Value)  # noqa: S101 - only a literal can be out of reach
    slot = _put(literal, exact.TOP[operand.type], operand.type, values)
    return Apply("<=" if is_negated else ">", (operand, slot), _BOOL)


def product(left: Expression, right: Expression) -> tuple[Expression, Expression]:
    """Return the factors of a product; as FLOAT64 if they are whole and too many."""
    if left.type is Type.INT64 is right.type and _factors(left) + _factors(right) > MAX_FACTORS:
        return _as_float(left), _as_float(right)
    return left, right


def _factors(expression: Expression) -> int:
    """Return how many whole numbers of 64 bits a product may be as large as."""
    if not isinstance(expression, Apply) or expression.type is not Type.INT64:
        return 1
    if expression.operation.startswith("CAST") and expression.operands[0].type is not Type.INT64:
        return 1
    factors = [_factors(operand) for operand in expression.operands]
    return sum(factors) if expression.operation == "*" else max(factors)
