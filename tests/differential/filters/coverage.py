"""The least that a run of random filters must have exercised to mean anything."""

import pytest

from tests.differential.filters.comparing import FilterTally

# Each of these must have found some nodes and left out others, at least once.
CORE = {
    *("AND", "OR", "NOT", "=", "!=", "<>", "<", "<=", ">", ">=", "IN", "NOT IN", "LIKE"),
    *("NOT LIKE", "BETWEEN", "NOT BETWEEN", "IS NULL", "IS NOT NULL", "IS TRUE", "IS FALSE"),
    *("bare truth value", "times", "quoted property", "properties", "custom_properties"),
    *("int_value", "double_value", "string_value", "bool_value", "CASE", "CAST"),
    *("enumeration =", "enumeration !=", "enumeration IN", "enumeration NOT IN"),
    *("enumeration by number", "contexts.id", "events.type", "unary minus", "double literal"),
}
RARE = {
    *(f"attribute {name}" for name in ("id", "type_id", "type", "name", "external_id", "uri")),
    *("attribute state", "attribute last_known_state", "enumeration type", "contexts.name"),
    *(f"contexts.{name}" for name in ("id", "type")),
    *(f"events.{name}" for name in ("artifact_id", "execution_id", "milliseconds_since_epoch")),
    *(f"{side}_contexts.{name}" for side in ("parent", "child") for name in ("id", "name", "type")),
    *(f"artifacts.{name}" for name in ("id", "name", "type", "uri", "state")),
    *(f"executions.{name}" for name in ("id", "name", "type", "last_known_state")),
    *(f"operator {sign}" for sign in "+-*/"),
    *("ABS", "ROUND", "LENGTH", "LOWER", "UPPER", "SUBSTR", "TRIM", "REPLACE"),
    *("by type", "by context", "COALESCE", "IFNULL", "NULLIF", "IS NOT TRUE", "IS NOT FALSE"),
}


def assert_covered(tally: FilterTally, filters: int) -> None:
    """Fail when a construct never told one node from another, in a run of a useful length."""
    if filters < 400:
        pytest.skip(f"{filters} filters are too few to tell what they cover")
    expected = CORE | RARE if filters >= 4000 else CORE
    never = {name for name in expected if not tally.constructs.get(name, {}).get("some")}
    assert not never, f"never decided anything: {sorted(never)}"
    shares = {name: count / tally.answers.total() for name, count in tally.answers.items()}
    assert shares["some"] > 0.3, shares
    assert shares["all"] < 0.2, shares
