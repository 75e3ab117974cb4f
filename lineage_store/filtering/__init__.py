"""The filter language: ML Metadata's `filter_query`, and more.

`compile_filter` turns a text into a condition on the nodes of a kind:

    text -> parser -> tree -> checking -> typed -> compiler -> SQL with bound values
"""

import json
from functools import lru_cache

from lineage_store.callers import check_caller
from lineage_store.database.queries.conditions import Condition
from lineage_store.errors import InvalidArgument
from lineage_store.filtering.checking import check
from lineage_store.filtering.compiler import Compiled, compiled
from lineage_store.filtering.errors import FilterError
from lineage_store.filtering.size import is_larger
from lineage_store.filtering.turns import Turns
from lineage_store.kinds import NodeKind
from lineage_store.limits import FilterLimits

__all__ = ["compile_filter"]

_DEFAULTS = FilterLimits()

_REPEATED_TEXT = 2_000
"""Characters up to which a filter is remembered: long ones are mostly lists that differ."""

_LARGE = 1_000
"""Tokens from which on a filter waits for its turn."""

_turns = Turns(at_once=2, max_waiting=4)


def compile_filter(kind: NodeKind, text: str, limits: FilterLimits = _DEFAULTS) -> Condition:
    """Return the condition that a filter sets on the nodes of a kind.

    Raises:
        InvalidArgument: The filter is malformed or exceeds a limit; says where and why.
    """
    if len(text) > limits.characters:
        raise InvalidArgument(
            f"Invalid `filter_query`: {len(text)} characters; "
            f"at most {limits.characters} are allowed"
        )
    if len(text) <= _REPEATED_TEXT:
        return _remembered(kind, text, limits)
    if not is_larger(text, _LARGE):
        return _compiled(kind, text, limits)
    if is_larger(text, limits.tokens):
        raise InvalidArgument(
            f"Invalid `filter_query`: more than {limits.tokens} tokens; lists of literals behind "
            "IN count as one"
        )
    with _turns.one(limits.seconds):
        return _compiled(kind, text, limits)


def _compiled(kind: NodeKind, text: str, limits: FilterLimits) -> Condition:
    from lineage_store.filtering.parser import parse  # noqa: PLC0415 - it loads Lark

    try:
        checked = check(kind, parse(text, check_caller), limits)
    except FilterError as error:
        raise error.as_error(text) from None
    query = compiled(kind, checked.expression)
    if len(query.shape.joins) >= limits.tables:
        raise InvalidArgument(
            f"Invalid `filter_query`: it joins {len(query.shape.joins) + 1} tables; at most "
            f"{limits.tables} are allowed: name fewer properties, contexts and events"
        )
    return Condition(query.shape, _arguments(query, checked.values), limits.seconds)


def _arguments(query: Compiled, values: dict[str, object]) -> dict[str, object]:
    """Return the values as parameters; a list becomes one JSON array."""
    slot_values = values | {slot: how(values[of]) for slot, of, how in query.derived}
    return {
        slot: json.dumps(value) if isinstance(value, list) else value
        for slot, value in slot_values.items()
    }


_remembered = lru_cache(maxsize=1024)(_compiled)
