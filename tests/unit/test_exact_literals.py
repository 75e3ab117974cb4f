"""A literal is replaced by a number of another type without changing any comparison."""

import math
import operator
from itertools import product

import pytest

from lineage_store.filtering import exact
from lineage_store.filtering.vocabulary import Type

WHOLES = [0, 1, -1, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1025, 2**63 - 1, -(2**63), -(2**63) + 1]
FLOATS = [-math.inf, -1e300, -(2.0**63), -1.5, -0.0, 5e-324, 0.5, 1.0, 2.0**53, 2.0**63, math.inf]
OPERATORS = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@pytest.mark.parametrize("sign", OPERATORS)
@pytest.mark.parametrize("of", [Type.INT64, Type.FLOAT64])
def test_a_comparison_stays_what_it_is(sign, of):
    numbers, literals = (WHOLES, FLOATS) if of is Type.INT64 else (FLOATS, [*WHOLES, 2**64 - 1])
    for number, literal in product(numbers, literals):
        same = exact.compared(sign, literal, of)
        assert type(same.number) is (int if of is Type.INT64 else float)
        assert OPERATORS[same.operation](number, same.number) == OPERATORS[sign](number, literal)


@pytest.mark.parametrize(("low", "high"), list(product([*FLOATS, None], repeat=2)))
def test_a_range_holds_what_it_held(low, high):
    bounds = exact.between(low, high, Type.INT64)
    for number in WHOLES:
        within = (low is None or low <= number) and (high is None or number <= high)
        assert (bounds is not None and bounds[0] <= number <= bounds[1]) == within


def test_a_list_keeps_what_can_be_equal():
    assert exact.listed([1, 1.0, 1.5, None, 1e300], Type.INT64) == [1, 1, None]
    assert exact.listed([1, 2**53 + 1, None], Type.FLOAT64) == [1.0, None]
