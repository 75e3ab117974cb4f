"""Filters on numbers that ML Metadata can store and write: it finds the nodes that we expect."""

import math
from collections.abc import Iterator
from itertools import product

import pytest

from tests.conformance.number_filters import FILTERS, WHOLES, NumberFilter, nodes
from tests.differential.peers import RealStore, request_of
from tests.real_mlmd import python

FLOATS = [0.0, 1.0, 2.5, -2.5, 0.25, 1e-5, 1e16, 1e300, 1e308, -1e308, 123456.789]
"""Numbers of 15 digits at most: ML Metadata loses the others, and makes the largest infinite."""

PAIRS = list(product([0.5, 1.0, -1.0, 1e300], WHOLES[:5]))


@pytest.fixture(scope="module")
def real() -> Iterator[RealStore]:
    """ML Metadata with a node for each number and pair."""
    store = RealStore(python())
    store.reset()
    types = request_of("PutArtifactType")
    types.artifact_type.name = "A"
    assert store.call("PutArtifactType", types).code == 0
    put = request_of("PutArtifacts")
    for name, numbers in nodes(FLOATS, PAIRS).items():
        add(put, name, numbers)
    assert store.call("PutArtifacts", put).code == 0
    yield store
    store.close()


def add(put, name: str, numbers: dict) -> None:
    artifact = put.artifacts.add(type_id=10, name=name)
    for key, number in numbers.items():
        field = "double_value" if isinstance(number, float) else "int_value"
        setattr(artifact.custom_properties[key], field, number)


def answer_of(real: RealStore, text: str) -> tuple[str, ...] | str:
    request = request_of("GetArtifacts")
    request.options.filter_query = text
    request.options.max_result_size = 100
    answer = real.call("GetArtifacts", request)
    names = sorted(artifact.name for artifact in answer.response.artifacts)
    return answer.status if answer.code else tuple(names)


# ML Metadata writes literals with 15 digits, too, and the infinite and smallest ones as 0.
_ALTERED = ("e999", "5e-324", "1.7976931348623157e+308", "9.223372036854776e+18")
_REASONS = {
    "compared as FLOAT64": ("9007199254740992.0", "(1.5, 9007199254740993)", "+ 0.5 <", "- 0.5 <"),
    "compared as FLOAT64, too": ("i.int_value + 10.0 <", "i.int_value - 10.0 <"),
    "more than MLMD can name": ("9223372036854775808)",),
    "fails inside": ("ABS(custom_properties.i",),
    "32 bits of a place": (
        "SUBSTR('abc', custom_properties.i",
        "SUBSTR('abc', 2, custom_properties.i",
    ),
}


def is_comparable(each: NumberFilter) -> bool:
    """Return True if no deliberate difference concerns a filter: casts, and the reasons above."""
    return each.topic not in {"texts", "casts"} and not any(part in each.text for part in _ALTERED)


def reason(each: NumberFilter) -> str | None:
    """Return why ML Metadata finds something else, by the list of deliberate differences."""
    reasons = (r for r, parts in _REASONS.items() if any(part in each.text for part in parts))
    return next(reasons, None) if each.of == "i" else None


COMPARED = [each for each in FILTERS if is_comparable(each)]


def test_ml_metadata_finds_the_same(real):
    alike = [each for each in COMPARED if reason(each) is None]
    assert len(alike) > 300
    wrong = {
        each.text: (got, expected)
        for each in alike
        if (got := answer_of(real, each.text)) != (expected := each.names(FLOATS, PAIRS))
    }
    assert wrong == {}


def test_what_ml_metadata_finds_otherwise_has_a_reason(real):
    differing = {
        reason(each) for each in COMPARED if answer_of(real, each.text) != each.names(FLOATS, PAIRS)
    }
    assert differing == set(_REASONS)


@pytest.mark.parametrize("number", [math.nan, math.inf, 5e-324, 1 / 3, 2.0**53])
def test_numbers_that_ml_metadata_does_not_keep(real, number: float):
    put = request_of("PutArtifacts")
    add(put, f"lost {number!r}", {"lost": number})
    answer = real.call("PutArtifacts", put)
    if answer.code:
        assert answer.status == "INTERNAL"
        return
    request = request_of("GetArtifactsByID")
    request.artifact_ids.extend(answer.response.artifact_ids)
    [artifact] = real.call("GetArtifactsByID", request).response.artifacts
    assert artifact.custom_properties["lost"].double_value != number
