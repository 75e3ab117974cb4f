"""Two values have one fingerprint if and only if no step can tell them apart."""

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage_store.fingerprints import fingerprint

pytestmark = pytest.mark.long

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.integers()
    | st.sampled_from([0.0, -0.0, 1.0, float("nan"), float("inf")])
    | st.text(max_size=3)
    | st.binary(max_size=3)
)
KEYS = st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=2) | st.binary(max_size=2)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.sets(KEYS, max_size=3)
        | st.frozensets(KEYS, max_size=3)
    ),
    max_leaves=8,
)


def visible_text(value: Any) -> str:
    """Return all that a step can tell of a value, as text."""
    kind = type(value).__name__
    if isinstance(value, list | tuple):
        return f"{kind}({','.join(map(visible_text, value))})"
    if isinstance(value, dict):
        return (
            f"{kind}({','.join(f'{visible_text(k)}:{visible_text(v)}' for k, v in value.items())})"
        )
    if isinstance(value, set | frozenset):
        return f"{kind}({','.join(sorted(map(visible_text, value)))})"
    return f"{kind} {value!r}"


@given(VALUES, VALUES)
def test_what_can_be_told_apart_differs(one: Any, other: Any) -> None:
    assert (fingerprint([one]) == fingerprint([other])) == (
        visible_text(one) == visible_text(other)
    )


@given(VALUES)
def test_a_copy_is_equal(value: Any) -> None:
    expected = fingerprint(value)
    assert fingerprint(copy.deepcopy(value)) == expected
    assert fingerprint(pickle.loads(pickle.dumps(value))) == expected
