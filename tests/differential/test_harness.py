"""The differential test can pass, and it can fail: ML Metadata against itself, whole and broken."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings

from tests.differential.duel import Duel, Tally
from tests.differential.operations import Operation
from tests.differential.pages import BY_UPDATE_TIME
from tests.differential.peers import RealStore
from tests.differential.sequences import sequences
from tests.real_mlmd import python

RANDOM = settings(
    max_examples=100,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="session")
def twin():
    store = RealStore(python())
    yield store
    store.close()


def test_a_store_does_not_differ_from_its_twin(real, twin):
    tally = Tally()

    @RANDOM
    @given(sequences())
    def run(sequence: list[Operation]) -> None:
        Duel(real, twin, tally).run(sequence)

    run()
    print(tally.summary())
    assert not +tally.differences - Counter({BY_UPDATE_TIME: 10**6})
