"""Random sequences of operations on ML Metadata 1.17.1 and on our engine: the same answers.

LINEAGE_DIFFERENTIAL_EXAMPLES says how many sequences; 2000 is a thorough local run. With
LINEAGE_DIFFERENTIAL_RANDOM=1 each run tries other sequences than the last.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.differential.conftest import SERVERS
from tests.differential.coverage import assert_covered
from tests.differential.duel import Duel, Tally
from tests.differential.operations import Operation
from tests.differential.sequences import sequences
from tests.differential.writes import FIRST_NODES, FIRST_TYPES, RARELY_DRAWN

pytestmark = pytest.mark.long

EXAMPLES = int(os.environ.get("LINEAGE_DIFFERENTIAL_EXAMPLES", "150"))
RANDOM = os.environ.get("LINEAGE_DIFFERENTIAL_RANDOM", "") == "1"


@pytest.mark.timeout(600 + EXAMPLES)
def test_our_engine_answers_as_ml_metadata_does(real, ours):
    tally = Tally()
    Duel(real, ours, tally).run([FIRST_TYPES, FIRST_NODES, *RARELY_DRAWN])
    compare(real, ours, tally, EXAMPLES)
    assert_covered(tally, EXAMPLES)


@pytest.mark.timeout(600 + EXAMPLES)
@pytest.mark.parametrize("elsewhere", SERVERS, indirect=True)
def test_it_does_on_a_database_server(real, elsewhere):
    tally = Tally()
    compare(real, elsewhere, tally, max(1, EXAMPLES // 5))
    assert sum(tally.calls.values()) > EXAMPLES


def compare(real, ours, tally, examples):
    """Run so many sequences on both."""

    @settings(
        phases=(Phase.generate, Phase.shrink),
        max_examples=examples,
        derandomize=not RANDOM,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(sequences())
    def run(sequence: list[Operation]) -> None:
        Duel(real, ours, tally).run(sequence)

    run()
    print(tally.summary())
