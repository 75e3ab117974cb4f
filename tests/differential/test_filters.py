"""Random filters on ML Metadata 1.17.1 and on our engine: the same nodes.

LINEAGE_DIFFERENTIAL_FILTERS says how many; 5000 is a thorough local run. With
LINEAGE_DIFFERENTIAL_RANDOM=1 each run tries other filters, on other nodes, than the last.
"""

import os
import random

import pytest
from google.protobuf.message import Message

from tests.differential.filters.comparing import Comparison, FilterTally
from tests.differential.filters.coverage import assert_covered
from tests.differential.filters.listings import listing
from tests.differential.filters.population import SIZES, Population
from tests.differential.filters.shrinking import shortest
from tests.differential.filters.writing import Writer

pytestmark = pytest.mark.long

FILTERS = int(os.environ.get("LINEAGE_DIFFERENTIAL_FILTERS", "400"))
RANDOM = os.environ.get("LINEAGE_DIFFERENTIAL_RANDOM", "") == "1"


@pytest.mark.timeout(300 + FILTERS // 10)
def test_our_engine_finds_what_ml_metadata_finds(real, anywhere):
    ours = anywhere
    seed = random.SystemRandom().randrange(10**6) if RANDOM else 1
    population = Population(seed)
    for store in (real, ours):
        population.build(store)
    tally = FilterTally()
    comparison = Comparison(real, ours, tally, population.sizes)
    # Not drawn by hypothesis: it prefers extremes, of which such filters are mostly malformed.
    chance = random.Random(seed)
    for _ in range(FILTERS):
        writer = Writer(chance, chance.choice(list(SIZES)), population.sizes)
        text = writer.filter()
        nodes = listing(chance, writer.kind, population.sizes, writer.used)
        if not comparison.agrees(writer.kind, text, writer.used, nodes):
            pytest.fail(f"seed {seed}: {report(comparison, writer.kind, text, nodes)}")
    print(f"the nodes and filters of seed {seed}")
    print(tally.summary())
    assert_covered(tally, FILTERS)


def report(comparison: Comparison, kind: str, text: str, nodes: Message) -> str:
    """Return a filter that the stores disagree on, made short, and both answers."""
    short = shortest(text, lambda part: not comparison.is_explained(kind, part, nodes))
    return f"the stores differ on {text!r}; in short:\n{comparison.exchange(kind, short, nodes)}"
