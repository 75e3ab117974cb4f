"""Fixed filters: the matches of ML Metadata 1.17.1, and ours: the same, or other for a reason."""

from collections.abc import Iterator

import pytest
from google.protobuf import text_format

from tests.differential.conftest import BACKENDS
from tests.differential.filter_cases import AGREED, DIFFERING, UNPRINTABLE, FilterCase, described
from tests.differential.filters import zoo
from tests.differential.filters.comparing import allowing, exchange_of
from tests.differential.filters.differences import FILTER_DIFFERENCES
from tests.differential.peers import OurStore, RealStore, Store, request_of
from tests.real_mlmd import python


@pytest.fixture(scope="module", params=BACKENDS)
def stores(request: pytest.FixtureRequest) -> Iterator[tuple[Store, Store]]:
    """Both stores, full of the nodes that the cases name; ours on each database."""
    both = (RealStore(python()), OurStore(BACKENDS[request.param]))
    for store in both:
        zoo.build(store)
    yield both
    for store in both:
        store.close()


@pytest.mark.parametrize("topic", sorted({case.topic for case in (*AGREED, *UNPRINTABLE)}))
def test_both_find_the_same(stores, topic: str):
    cases = [case for case in (*AGREED, *UNPRINTABLE) if case.topic == topic]
    assert answers_of(stores, cases) == {case.text: (case.real, case.real) for case in cases}


@pytest.mark.parametrize("topic", [difference.name for difference in FILTER_DIFFERENCES])
def test_the_difference_is_deliberate(stores, topic: str):
    cases = [case for case in DIFFERING if case.topic == topic]
    assert cases
    assert answers_of(stores, cases) == {case.text: (case.real, case.ours) for case in cases}
    for case in cases:
        assert allowing(exchange_of(*stores, case.kind, case.text)) == topic, case


def answers_of(stores: tuple[Store, Store], cases: list[FilterCase]) -> dict[str, tuple[str, str]]:
    answers = {}
    for case in cases:
        exchange = exchange_of(*stores, case.kind, case.text)
        both = (exchange.real, exchange.ours)
        answers[case.text] = tuple(described(answer, case.kind) for answer in both)
    return answers


LISTINGS = (
    ("GetArtifactsByType", 'type_name: "A" type_version: "1"', "id > 2", "3 6 7 8"),
    ("GetArtifactsByType", 'type_name: "A"', "id > 2", "none"),
    ("GetArtifactsByType", 'type_name: "A" type_version: "2"', 'type = "A"', "4"),
    ("GetArtifactsByType", 'type_name: "Bee"', 'type = "A"', "none"),
    ("GetArtifactsByType", 'type_name: "none"', "(((", "none"),
    ("GetArtifactsByType", 'type_name: "Bee"', "(((", "INVALID_ARGUMENT"),
    ("GetArtifactsByType", 'type_name: "A" type_version: "1"', "contexts_a.id > 0", "1 2 3"),
    ("GetExecutionsByType", 'type_name: "E"', "last_known_state != NEW", "2 3 4 5 6 7"),
    ("GetContextsByType", 'type_name: "C"', "parent_contexts_a.id = 1", "2 3"),
    ("GetArtifactsByContext", "context_id: 1", "id > 1", "2"),
    ("GetArtifactsByContext", "context_id: 1", "contexts_a.id = 2", "1"),
    ("GetArtifactsByContext", "context_id: 1", "id = 1 OR id = 3", "1"),
    ("GetArtifactsByContext", "context_id: 1", "", "1 2"),
    ("GetArtifactsByContext", "context_id: 1", " ", "INVALID_ARGUMENT"),
    ("GetArtifactsByContext", "context_id: 99", "id = 1", "none"),
    ("GetExecutionsByContext", "context_id: 1", "id >= 1", "1"),
    ("GetExecutionsByContext", "context_id: 1", "contexts_a.id = 1 AND id = 1", "1"),
)


@pytest.mark.parametrize(("method", "fields", "text", "expected"), LISTINGS)
def test_other_listings(stores, method: str, fields: str, text: str, expected: str):
    request = text_format.Parse(fields, request_of(method))
    request.options.filter_query = text
    for store in stores:
        answer = store.call(method, request)
        _, nodes = next(iter(answer.response.ListFields()), (None, []))
        got = answer.status if answer.code else " ".join(str(node.id) for node in nodes) or "none"
        assert got == expected, store.name


@pytest.mark.parametrize("method", ["GetArtifactsByContext", "GetExecutionsByContext"])
@pytest.mark.parametrize("context", [3, 99])
def test_a_malformed_filter_on_an_empty_context(stores, method: str, context: int):
    request = request_of(method)
    request.context_id = context
    request.options.filter_query = "((("
    assert [store.call(method, request).status for store in stores] == ["OK", "OK"]
