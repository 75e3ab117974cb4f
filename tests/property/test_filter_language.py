"""The filter language: a printed filter parses back, and any text parses or fails."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lineage_store
from lineage_store import (
    Artifact,
    ArtifactType,
    Context,
    ContextType,
    Execution,
    ExecutionType,
    errors,
)
from lineage_store.filtering import compile_filter
from lineage_store.filtering.parser import parse
from lineage_store.filtering.printer import to_text
from lineage_store.filtering.tree import Literal, Node, Operation, Reference
from lineage_store.kinds import KINDS

pytestmark = pytest.mark.long

thorough = settings(
    max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)

literals = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
).map(Literal)
words = st.from_regex(r"[A-Za-z0-9_]+", fullmatch=True)
anything = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="`"), min_size=1)
names = st.sampled_from(["id", "name", "LIVE", "contexts_", "x1", "Unknown"])
references = st.builds(
    lambda head, rest: Reference((head, *rest)), names, st.lists(words | anything, max_size=3)
)


def operations(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    def of(names: list[str], *counts: int) -> st.SearchStrategy[Node]:
        lists = st.sampled_from(counts).flatmap(lambda n: st.lists(inner, min_size=n, max_size=n))
        return st.builds(Operation, st.sampled_from(names), lists.map(tuple))

    return st.one_of(
        of(["AND", "OR"], 2, 3, 5),
        of(["=", "!=", "<", "<=", ">", ">=", "LIKE", "NOT LIKE", "+", "-", "*", "/"], 2),
        of(["IN", "NOT IN"], 2, 4),
        of(["BETWEEN", "NOT BETWEEN"], 3),
        of(["NOT", "IS NULL", "IS NOT TRUE", "IS FALSE", "IS NOT UNKNOWN", "CAST INT64"], 1),
        of(["LOWER", "COALESCE", "STARTS_WITH", "WHATEVER"], 0, 1, 3),
        of(["CASE"], 2, 4),
        of(["CASE ELSE", "CASE OPERAND"], 3, 5),
        of(["CASE OPERAND ELSE"], 4, 6),
        st.builds(lambda x: Operation("NEGATE", (x,)), inner.filter(lambda x: not is_number(x))),
    )


def is_number(node: Node) -> bool:
    """A sign in front of a number is part of the number."""
    return isinstance(node, Literal) and isinstance(node.value, int | float)


trees = st.recursive(literals | references, operations, max_leaves=20)


@thorough
@given(trees)
def test_what_is_printed_parses_back(tree):
    text = to_text(tree)
    again = parse(text)
    assert again == tree
    assert repr_of_values(again) == repr_of_values(tree)  # 1, 1.0 and TRUE are equal in Python
    assert to_text(again) == text


def repr_of_values(tree: Node) -> list[str]:
    if isinstance(tree, Literal):
        return [repr(tree.value)]
    operands = getattr(tree, "operands", ())
    return [value for operand in operands for value in repr_of_values(operand)]


TOKENS = [
    *(
        "id",
        "name",
        "type",
        "state",
        "LIVE",
        "uri",
        "contexts_a.id",
        "contexts_a.name",
        "events_e.type",
    ),
    *(
        "properties.p.int_value",
        "custom_properties.`a b`.string_value",
        "properties.p",
        "contexts_a",
    ),
    *("=", "!=", "<", ">=", "<>", "+", "-", "*", "/", "(", ")", ",", ".", ";", "`", "'", '"', "\\"),
    *("AND", "OR", "NOT", "IN", "LIKE", "BETWEEN", "IS", "NULL", "TRUE", "CASE", "WHEN", "THEN"),
    *("ELSE", "END", "CAST", "AS", "INT64", "LOWER", "COALESCE", "TIMESTAMP", "'x'", '"%"', "1"),
    *(
        "-5",
        "2.5",
        "custom_properties.d.double_value",
        "1e999",
        "0x1F",
        "1e400",
        "99999999999999999999",
        "--",
        "#",
        "/*",
        "*/",
        "\n",
        "\x00",
        "é",
    ),
    *("r'\\d'", "'''a\nb'''", "b'x'", "'2026-01-31T00:00:00Z'", "'\\q'", "'\\ud800'"),
]
hostile = st.one_of(
    st.text(),
    st.lists(st.sampled_from(TOKENS), max_size=25).map(" ".join),
    st.lists(st.sampled_from(TOKENS), max_size=25).map("".join),
    trees.map(to_text),
)


@thorough
@given(hostile, st.sampled_from(KINDS))
def test_no_text_does_anything_but_mean_something_or_be_refused(text, kind):
    assert meaning(kind, text).startswith(("seconds 30", "Invalid `filter_query`: "))


def meaning(kind, text):
    try:
        return f"seconds {compile_filter(kind, text).seconds}"
    except errors.InvalidArgument as error:
        return error.message


NUMBERS = [math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308, -0.0]


@pytest.fixture(scope="module")
def store():
    """A store with a node of each kind and special numbers, so that filters are evaluated."""
    with lineage_store.connect("sqlite://") as opened:
        for node_type in (ArtifactType(name="A"), ExecutionType(name="E"), ContextType(name="C")):
            getattr(opened, f"put_{node_type.kind.name}_type")(node_type)
        properties = {"p": 1, "a b": "x", "d": 2.5, "b": True}
        opened.record_execution(
            Execution(type="E", state="RUNNING", custom_properties=properties),
            outputs={"o": Artifact(type="A", name="x", state="LIVE", custom_properties=properties)},
            contexts=[Context(type="C", name="c", custom_properties=properties)],
        )
        for number in NUMBERS:
            opened.put_artifact(Artifact(type="A", custom_properties={"p": 2**63 - 1, "d": number}))
        yield opened


@settings(thorough, max_examples=300)
@given(text=hostile, kind=st.sampled_from(KINDS))
def test_what_means_something_can_be_asked(store, text, kind):
    try:
        page = getattr(store, f"list_{kind.plural}")(where=text or "TRUE")
    except errors.InvalidArgument:
        return
    assert len(page.items) <= 1 + len(NUMBERS)
