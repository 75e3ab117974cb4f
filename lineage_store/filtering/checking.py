"""From the tree of a filter to one whose names are known and whose types fit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from lineage_store.filtering import exact, mixing
from lineage_store.filtering.errors import FilterError, nearest
from lineage_store.filtering.functions import CAST_NAMES, CASTS, CHOICES, NAMES, SIGNATURES
from lineage_store.filtering.literals import MAX_INT64
from lineage_store.filtering.names import resolve
from lineage_store.filtering.quoting import is_named_text, with_quotes
from lineage_store.filtering.tree import Literal, Node, Operation, Reference
from lineage_store.filtering.typed import Apply, Expression, Null, Value, ValueList
from lineage_store.filtering.vocabulary import Names, Type
from lineage_store.kinds import NodeKind
from lineage_store.limits import FilterLimits

MAX_PATTERN = 10_000
"""Characters of a pattern behind LIKE; SQLite takes 50,000 bytes."""

_NUMBERS = {Type.INT64, Type.FLOAT64}


@dataclass(frozen=True, slots=True)
class Checked:
    """A checked filter.

    Attributes:
        expression: Its condition, without its values.
        values: Its values by slot; a list is a list.
    """

    expression: Expression
    values: dict[str, object]


def check(kind: NodeKind, tree: Node, limits: FilterLimits) -> Checked:
    """Return a filter on a kind of node, checked.

    Raises:
        FilterError: A name is unknown, types do not fit, or a limit is exceeded.
    """
    checker = _Checker(kind, limits)
    expression = checker.typed(tree, 0)
    if expression.type is not Type.BOOL:
        raise FilterError(f"the filter is {expression.type.value}, but must be BOOL", tree.at)
    return Checked(expression, checker.values)


class _Checker:
    def __init__(self, kind: NodeKind, limits: FilterLimits) -> None:
        self._kind = kind
        self._limits = limits
        self.values: dict[str, object] = {}

    def typed(self, node: Node, depth: int, names: Names = ()) -> Expression:
        """Return a checked node; `names` are those that it may use of an enumeration."""
        if depth > self._limits.depth:
            raise FilterError(
                f"more than {self._limits.depth} expressions within each other", node.at
            )
        if isinstance(node, Literal):
            return self._literal(node)
        if isinstance(node, Reference):
            return self._reference(node, names)
        rule = _RULES.get(node.name.removeprefix("NOT ").partition(" ")[0])
        if rule is None:
            raise FilterError(
                f"Unrecognized function: {node.name}{nearest(node.name, NAMES)}", node.at
            )
        return rule(self, node, depth + 1)

    def _literal(self, node: Literal) -> Expression:
        value = node.value
        if value is None:
            return Null()
        value = _storable(value)
        return self.keep(value, _TYPES[type(value)], node)

    def _reference(self, node: Reference, names: Names) -> Expression:
        numbers = dict(names)
        if len(node.parts) == 1 and node.parts[0] in numbers:
            return self.keep(numbers[node.parts[0]], Type.INT64, node, names)
        try:
            return resolve(self._kind, node)
        except FilterError:
            if names and len(node.parts) == 1:
                raise FilterError(
                    f"Unrecognized name: {node.parts[0]!r}"
                    f"{nearest(node.parts[0], numbers) or '; expected ' + ', '.join(numbers)}",
                    node.at,
                ) from None
            raise

    def keep(self, value: object, of: Type, node: Node, names: Names = ()) -> Value:
        """Return the slot of a value."""
        if len(self.values) >= self._limits.values:
            raise FilterError(f"more than {self._limits.values} values", node.at)
        slot = f"f{len(self.values)}"
        self.values[slot] = value
        return Value(slot, of, names)

    def alike(self, nodes: Sequence[Node], depth: int) -> list[Expression]:
        """Return nodes that are compared with each other: of one type, or all numbers.

        If one is an enumeration, the others may be names of its values.
        """
        names = self._enumeration(nodes)
        if any(is_named_text(self._kind, node) for node in nodes):
            return [self.text(node, depth, names) for node in nodes]
        return [self.typed(node, depth, names) for node in nodes]

    def text(self, node: Node, depth: int, names: Names = ()) -> Expression:
        """Return a checked node that stands where a text is wanted, and may lack its quotes."""
        try:
            return self.typed(node, depth, names)
        except FilterError as error:
            raise with_quotes(error, node) from None

    def _enumeration(self, nodes: Sequence[Node]) -> Names:
        for node in nodes:
            if isinstance(node, Reference):
                try:
                    value_names = resolve(self._kind, node).names
                except FilterError:
                    continue  # a name of the enumeration, or reported when it is checked
                if value_names:
                    return value_names
        return ()

    def lists(self, node: Operation, depth: int) -> Expression:
        """Check IN and NOT IN; a list of nothing but values becomes one."""
        member, items = node.operands[0], node.operands[1:]
        if len(items) > self._limits.list_items:
            raise FilterError(f"more than {self._limits.list_items} items in a list", node.at)
        names = self._enumeration([member])
        operand = self.typed(member, depth)
        if all(isinstance(item, Literal) or _named(item, names) is not None for item in items):
            return self._values_in(node, operand, items, names)
        checked = self.alike([member, *items], depth)[1:]
        for item, source in zip(checked, items, strict=True):
            _demand(_comparable(operand, item), _mismatch(operand, item), source)
        return Apply(node.name, mixing.as_floats((operand, *checked)), Type.BOOL)

    def _values_in(
        self, node: Operation, operand: Expression, items: Sequence[Node], names: Names
    ) -> Apply:
        for item in items:
            if isinstance(item, Literal):
                of = Null() if item.value is None else Null(_TYPES[type(item.value)])
                _demand(_comparable(operand, of), _mismatch(operand, of), item)
                _demand(item.value not in _INFINITE, "the number is too large", item)
        has_names = any(isinstance(item, Reference) for item in items)
        slot = f"f{len(self.values)}"
        values: list[Any] = [
            _storable(item.value) if isinstance(item, Literal) else _named(item, names)
            for item in items
        ]
        if operand.type in _NUMBERS:
            values = exact.listed(values, operand.type)
        self.values[slot] = values
        if not values:
            empty = Value(slot, operand.type)
            return mixing.nothing(operand, node.name == "NOT IN", empty, self.values)
        listed = ValueList(slot, operand.type, names if has_names else ())
        return Apply(node.name, (operand, listed), Type.BOOL)


T = TypeVar("T")

_RANGES = ("BETWEEN", "NOT BETWEEN")
_Rule = Callable[[_Checker, Operation, int], Expression]
_INFINITE = (float("inf"), float("-inf"))
_TYPES = {int: Type.INT64, float: Type.FLOAT64, str: Type.STRING, bool: Type.BOOL}


def _demand(fits: bool, message: str, node: Node) -> None:
    if not fits:
        raise FilterError(message, node.at)


def _storable(value: T) -> T | float:
    """Return a literal as a value of a database, where no whole number is above MAX_INT64."""
    if isinstance(value, int) and not isinstance(value, bool) and value > MAX_INT64:
        return float(value)  # it compares with whole numbers as it should: it is above all of them
    return value


def _typed_null(expression: Expression, of: Type) -> Expression:
    """Return an expression; NULL as one of a type, which some databases must be told."""
    return Null(of) if isinstance(expression, Null) else expression


def _named(node: Node, names: Names) -> int | None:
    """Return the number of a value of an enumeration that is given by its name, or None."""
    if isinstance(node, Reference) and len(node.parts) == 1:
        return dict(names).get(node.parts[0])
    return None


def _comparable(one: Expression, other: Expression) -> bool:
    types = {one.type, other.type} - {Type.NULL}
    return len(types) <= 1 or types == _NUMBERS


def _mismatch(one: Expression, other: Expression) -> str:
    hint = ""
    if one.names or other.names:
        hint = "; write the names of its values without quotes"
    return f"{one.type.value} can't be compared with {other.type.value}{hint}"


def _is(expression: Expression, of: Type) -> bool:
    """Return whether an expression can stand where a type is wanted."""
    if expression.type is Type.NULL or expression.type is of:
        return True
    return of is Type.FLOAT64 and expression.type is Type.INT64


def _logic(checker: _Checker, node: Operation, depth: int) -> Expression:
    operands = tuple(checker.typed(operand, depth) for operand in node.operands)
    for operand, source in zip(operands, node.operands, strict=True):
        message = f"{node.name} takes BOOL, not {operand.type.value}"
        fits = _is(operand, Type.BOOL) and not (node.name == "NOT" and _is_null(operand))
        _demand(fits, message, source)
    return Apply(node.name, operands, Type.BOOL)


def _is_null(expression: Expression) -> bool:
    return expression.type is Type.NULL


def _comparison(checker: _Checker, node: Operation, depth: int) -> Expression:
    operands = tuple(checker.alike(node.operands, depth))
    for operand in operands:
        hint = f"{node.name} NULL is never true; write IS NULL or IS NOT NULL"
        _demand(not _is_null(operand) or node.name in _RANGES, hint, node)
        _demand(_comparable(operands[0], operand), _mismatch(operands[0], operand), node)
    literals = [_number(operand) for operand in node.operands]
    return mixing.comparison(node.name, operands, literals, checker.values)


def _number(node: Node) -> int | float | None:
    """Return the number that a literal is, or None."""
    value = node.value if isinstance(node, Literal) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _storable(value)
    return None


def _like(checker: _Checker, node: Operation, depth: int) -> Expression:
    operands = tuple(checker.text(operand, depth) for operand in node.operands)
    for operand in operands:
        message = f"{node.name} takes STRING, not {operand.type.value}"
        _demand(operand.type is Type.STRING, message, node)
    pattern = node.operands[1]
    size = len(str(pattern.value)) if isinstance(pattern, Literal) else 0
    _demand(size <= MAX_PATTERN, f"a pattern has at most {MAX_PATTERN} characters", pattern)
    return Apply(node.name, operands, Type.BOOL)


def _test(checker: _Checker, node: Operation, depth: int) -> Expression:
    operand = checker.typed(node.operands[0], depth)
    if not node.name.endswith(" NULL"):
        message = f"{node.name} takes BOOL, not {operand.type.value}"
        _demand(_is(operand, Type.BOOL), message, node)
    return Apply(node.name, (operand,), Type.BOOL)


def _arithmetic(checker: _Checker, node: Operation, depth: int) -> Expression:
    operands = tuple(checker.typed(operand, depth) for operand in node.operands)
    for operand in operands:
        message = f"{node.name} takes numbers, not {operand.type.value}"
        _demand(operand.type in _NUMBERS, message, node)
    if node.name == "*":
        operands = mixing.product(*operands)
    whole = node.name != "/" and all(operand.type is not Type.FLOAT64 for operand in operands)
    return Apply(node.name, operands, Type.INT64 if whole else Type.FLOAT64)


def _call(checker: _Checker, node: Operation, depth: int) -> Expression:
    signature = SIGNATURES[node.name]
    most = len(signature.takes)
    least = most - signature.optional
    if not least <= len(node.operands) <= most:
        expected = str(most) if least == most else f"{least} to {most}"
        raise FilterError(
            f"{node.name} takes {expected} arguments, not {len(node.operands)}", node.at
        )
    operands = tuple(
        (checker.text if of is Type.STRING else checker.typed)(operand, depth)
        for operand, of in zip(node.operands, signature.takes, strict=False)
    )
    for operand, of in zip(operands, signature.takes, strict=False):
        expected = "a number" if of is Type.FLOAT64 else of.value
        _demand(_is(operand, of), f"{node.name} takes {expected}, not {operand.type.value}", node)
    pairs = zip(operands, signature.takes, strict=False)
    operands = tuple(_typed_null(operand, of) for operand, of in pairs)
    return Apply(node.name, operands, signature.returns or operands[0].type)


def _choice(checker: _Checker, node: Operation, depth: int) -> Expression:
    least, most = CHOICES[node.name]
    if not least <= len(node.operands) <= (most or len(node.operands)):
        raise FilterError(f"{node.name} takes {least} arguments, not {len(node.operands)}", node.at)
    expressions = [checker.typed(operand, depth) for operand in node.operands]
    of = _common(expressions, node)
    alike = mixing.as_floats(expressions)
    return Apply(node.name, tuple(_typed_null(operand, of) for operand in alike), of)


def _common(operands: Sequence[Expression], node: Operation) -> Type:
    """Return the type that all operands have or can be made; NULL alone counts as INT64."""
    types = {operand.type for operand in operands} - {Type.NULL}
    if types == _NUMBERS:
        return Type.FLOAT64
    names = ", ".join(sorted(of.value for of in types))
    _demand(len(types) <= 1, f"{node.name} can't choose between {names}", node)
    return types.pop() if types else Type.INT64


def _cast(checker: _Checker, node: Operation, depth: int) -> Expression:
    type_name = node.name.removeprefix("CAST ")
    target = CAST_NAMES.get(type_name)
    if target is None:
        names = ", ".join(of.value for of in CASTS)
        raise FilterError(f"Type not found: {type_name}; a value can be cast to {names}", node.at)
    operand = checker.typed(node.operands[0], depth)
    fits = operand.type in CASTS[target] | {Type.NULL}
    _demand(fits, f"{operand.type.value} can't be cast to {type_name}", node)
    return Apply(node.name, (operand,), target)


def _case(checker: _Checker, node: Operation, depth: int) -> Expression:
    has_operand, has_else = "OPERAND" in node.name, node.name.endswith("ELSE")
    pairs = node.operands[has_operand : len(node.operands) - has_else]
    if has_operand:
        compared = checker.alike([node.operands[0], *pairs[::2]], depth)
        fits = all(_comparable(compared[0], when) for when in compared)
        _demand(fits, "CASE compares values of one type", node)
        first, *whens = mixing.as_floats(compared)
        operand = [first]
    else:
        operand, whens = [], [checker.typed(when, depth) for when in pairs[::2]]
        _demand(all(_is(when, Type.BOOL) for when in whens), "WHEN takes BOOL", node)
    results = [checker.typed(then, depth) for then in pairs[1::2]]
    otherwise = [checker.typed(node.operands[-1], depth)] if has_else else []
    of = _common([*results, *otherwise], node)
    alike = [_typed_null(result, of) for result in mixing.as_floats([*results, *otherwise])]
    results, otherwise = alike[: len(results)], alike[len(results) :]
    paired = [part for pair in zip(whens, results, strict=True) for part in pair]
    return Apply(node.name, (*operand, *paired, *otherwise), of)


def _timestamp(checker: _Checker, node: Operation, _: int) -> Expression:
    """Check TIMESTAMP('...'), which is the number of milliseconds since the epoch."""
    operand = node.operands[0] if len(node.operands) == 1 else None
    text = operand.value if isinstance(operand, Literal) else None
    form = "TIMESTAMP takes one string such as '2026-01-31T00:00:00Z'"
    if not isinstance(text, str):
        raise FilterError(form, node.at)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise FilterError(f"{form}, not {text!r}", node.at) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return checker.keep(round(moment.timestamp() * 1000), Type.INT64, node)


_RULES: dict[str, _Rule] = {
    **dict.fromkeys(("AND", "OR"), _logic),
    **dict.fromkeys(("=", "!=", "<", "<=", ">", ">=", "BETWEEN"), _comparison),
    **dict.fromkeys(("+", "-", "*", "/", "NEGATE", "POSITIVE"), _arithmetic),
    **dict.fromkeys(SIGNATURES, _call),
    **dict.fromkeys(CHOICES, _choice),
    "IN": _Checker.lists,
    "LIKE": _like,
    "IS": _test,
    "CAST": _cast,
    "CASE": _case,
    "TIMESTAMP": _timestamp,
    "NOT": _logic,
}
