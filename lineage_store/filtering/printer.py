"""A filter as text that parses back to the same tree."""

import math
import re
from collections.abc import Callable

from lineage_store.filtering.functions import CAST_NAMES
from lineage_store.filtering.literals import quoted
from lineage_store.filtering.tree import Literal, Node, Reference

_BARE = re.compile(r"[A-Za-z0-9_]+")


def to_text(tree: Node) -> str:
    """Return a filter in its plainest form: every operation in parentheses of its own."""
    if isinstance(tree, Literal):
        return _literal(tree.value)
    if isinstance(tree, Reference):
        return ".".join(part if _BARE.fullmatch(part) else f"`{part}`" for part in tree.parts)
    parts = [to_text(operand) for operand in tree.operands]
    form = _FORMS.get(tree.name)
    return form(*parts) if form else f"{tree.name}({', '.join(parts)})"


def _literal(value: object) -> str:
    if isinstance(value, str):
        return quoted(value)
    if value is None:
        return "NULL"
    if isinstance(value, float) and math.isinf(value):
        return "1e999" if value > 0 else "-1e999"
    return str(value).upper() if isinstance(value, bool) else repr(value)


def _between_all(word: str) -> Callable[..., str]:
    return lambda *parts: f"({f' {word} '.join(parts)})"


def _membership(word: str) -> Callable[..., str]:
    return lambda operand, *items: f"({operand} {word} ({', '.join(items)}))"


def _range(word: str) -> Callable[..., str]:
    return lambda operand, low, high: f"({operand} {word} {low} AND {high})"


def _behind(word: str) -> Callable[..., str]:
    return lambda operand: f"({operand} {word})"


def _before(word: str) -> Callable[..., str]:
    return lambda operand: f"({word} {operand})"


def _cast(name: str) -> Callable[..., str]:
    return lambda operand: f"CAST({operand} AS {name})"


def _case(name: str) -> Callable[..., str]:
    has_operand, has_else = "OPERAND" in name, "ELSE" in name

    def form(*parts: str) -> str:
        head = [f"CASE {parts[0]}"] if has_operand else ["CASE"]
        tail = [f"ELSE {parts[-1]} END"] if has_else else ["END"]
        middle = parts[has_operand : len(parts) - has_else]
        pairs = zip(middle[::2], middle[1::2], strict=True)
        return " ".join([*head, *(f"WHEN {when} THEN {then}" for when, then in pairs), *tail])

    return form


_FORMS: dict[str, Callable[..., str]] = {
    **{word: _between_all(word) for word in ("AND", "OR", "LIKE", "NOT LIKE")},
    **{sign: _between_all(sign) for sign in ("=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/")},
    **{word: _membership(word) for word in ("IN", "NOT IN")},
    **{word: _range(word) for word in ("BETWEEN", "NOT BETWEEN")},
    **{
        f"IS {negated}{suffix}": _behind(f"IS {negated}{suffix}")
        for negated in ("", "NOT ")
        for suffix in ("NULL", "TRUE", "FALSE", "UNKNOWN")
    },
    "NOT": _before("NOT"),
    "NEGATE": _before("-"),
    "POSITIVE": _before("+"),
    **{f"CAST {name}": _cast(name) for name in CAST_NAMES},
    **{name: _case(name) for name in ("CASE", "CASE ELSE", "CASE OPERAND", "CASE OPERAND ELSE")},
}
