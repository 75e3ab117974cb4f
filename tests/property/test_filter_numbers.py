"""Random arithmetic in filters is that of IEEE 754 on every database, and never an error."""

import math
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage_store.client.embedded import EmbeddedTransport
from tests.backends import mariadb, postgresql
from tests.conformance.conftest import Call
from tests.conformance.number_filters import (
    ARITHMETIC,
    COMPARISONS,
    FLOAT,
    FLOATS,
    LARGEST,
    literal,
    nodes,
    rounded,
    strict,
)

pytestmark = pytest.mark.long

Part = tuple[str, Callable[[Any], Any]]
"""A text of the filter language, and what it is for a number of the column."""

literals = st.sampled_from(
    [2.0, 0.5, 1e308, -LARGEST, 5e-324, 2.2e-308, math.inf, 0.0, -1.0, 1 / 3]
)
leaves = st.one_of(
    st.just((FLOAT, lambda v: None if math.isnan(v) else v)),
    literals.map(lambda number: (literal(number), lambda _: number)),
)


def combined(sign: str, left: Part, right: Part) -> Part:
    apply = ARITHMETIC[sign]
    return f"({left[0]} {sign} {right[0]})", lambda v: apply(left[1](v), right[1](v))


def coalesced(left: Part, right: Part) -> Part:
    def choose(number: float) -> Any:
        first = left[1](number)
        return right[1](number) if first is None else first

    return f"COALESCE({left[0]}, {right[0]})", choose


def called(name: str, part: Part) -> Part:
    apply = {
        "ABS": strict(abs),
        "-": strict(lambda v: -v),
        "ROUND": lambda v: rounded(v, 0),
    }[name]
    return f"{name}({part[0]})", lambda v: apply(part[1](v))


def grown(parts: st.SearchStrategy[Part]) -> st.SearchStrategy[Part]:
    return st.one_of(
        st.builds(combined, st.sampled_from(sorted(ARITHMETIC)), parts, parts),
        st.builds(called, st.sampled_from(["ABS", "-", "ROUND"]), parts),
        st.builds(coalesced, parts, parts),
    )


parts = st.recursive(leaves, grown, max_leaves=6)


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mariadb"])
def call(request) -> Iterator[Call]:
    if request.param == "sqlite":
        with closing(EmbeddedTransport("sqlite://")) as transport:
            yield filled(transport)
        return
    backend = {"postgresql": postgresql, "mariadb": mariadb}[request.param]
    with backend.new_store() as url, closing(EmbeddedTransport(url)) as transport:
        yield filled(transport)


def filled(transport: EmbeddedTransport) -> Call:
    call = Call(transport, dict)
    type_id = call.type()
    named = nodes(pairs=[])
    artifacts = ({"type_id": type_id, "name": n, "custom_properties": p} for n, p in named.items())
    call.put("artifact", *artifacts)
    return call


@settings(
    max_examples=200,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(part=parts, sign=st.sampled_from(sorted(COMPARISONS)), bound=literals)
def test_arithmetic_is_that_of_ieee(call, part, sign, bound):
    text, model = part
    # The first condition names the column, so that only nodes that have it are found.
    query = f"({FLOAT} IS NULL OR TRUE) AND {text} {sign} {literal(bound)}"
    answer = call("GetArtifacts", options={"filter_query": query, "max_result_size": 100})
    holds = COMPARISONS[sign]
    expected = {f"d {v!r}" for v in FLOATS if holds(model(v), bound) is True}
    assert {artifact.name for artifact in answer.artifacts} == expected
