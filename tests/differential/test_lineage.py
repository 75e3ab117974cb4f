"""Random queries of GetLineageSubgraph on ML Metadata 1.17.1 and on our engine: the same graphs.

LINEAGE_DIFFERENTIAL_QUERIES says how many; 1000 is a thorough local run. With
LINEAGE_DIFFERENTIAL_RANDOM=1 each run tries other queries, on other graphs, than the last.
"""

import os
import random

import pytest

from tests.differential.filters.population import Population
from tests.differential.lineage.comparing import LineageTally, agrees, exchange_of
from tests.differential.lineage.queries import query

pytestmark = pytest.mark.long

QUERIES = int(os.environ.get("LINEAGE_DIFFERENTIAL_QUERIES", "150"))
RANDOM = os.environ.get("LINEAGE_DIFFERENTIAL_RANDOM", "") == "1"
# Sparse graphs have depth, dense ones have cycles and diamonds. At most 100 nodes of a kind: the
# real store starts from no more.
SHAPES = (
    ({"artifact": 34, "execution": 20, "context": 16}, 60),
    ({"artifact": 90, "execution": 90, "context": 5}, 170),
    ({"artifact": 12, "execution": 8, "context": 6}, 60),
)
ESSENTIAL = {
    *("starting artifacts", "starting executions", "ending artifacts", "ending executions"),
    *("including ending artifacts", "including ending executions", "read mask"),
    *(f"hops {hops}" for hops in (1, 2, 3, 4, 5, 6, 100)),
    *(f"direction {direction}" for direction in range(4)),
}


@pytest.mark.timeout(300 + QUERIES // 4)
def test_our_engine_walks_as_ml_metadata_does(real, anywhere):
    ours = anywhere
    seed = random.SystemRandom().randrange(10**6) if RANDOM else 1
    tally = LineageTally()
    for number, (sizes, events) in enumerate(SHAPES):
        population = Population(seed + number, sizes, events)
        for store in (real, ours):
            population.build(store)
        chance = random.Random(seed + number)
        for _ in range(QUERIES // len(SHAPES)):
            used: set[str] = set()
            exchange = exchange_of(real, ours, query(chance, sizes, used))
            if not agrees(exchange, tally, used):
                pytest.fail(f"seed {seed}, shape {number}: the stores differ:\n{exchange}")
    print(f"the graphs and queries of seed {seed}")
    print(tally.summary())
    assert_covered(tally)


def assert_covered(tally: LineageTally) -> None:
    if QUERIES < 150:
        pytest.skip(f"{QUERIES} queries are too few to tell what they cover")
    never = {part for part in ESSENTIAL if not tally.used.get(part, {}).get("with events")}
    assert not never, f"never found an event: {sorted(never)}"
    assert tally.answers["with events"] > QUERIES / 4
    for status in ("NOT_FOUND", "INVALID_ARGUMENT"):
        assert tally.answers[status], status
