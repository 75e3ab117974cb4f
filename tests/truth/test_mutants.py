"""Random changes of random packages: none leaves a step with its key and another outcome."""

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lineage_store import connect
from tests.truth.mutants import Judge, judging, mutants, rewrites
from tests.truth.mutations import mutate
from tests.truth.random_packages import Package

pytestmark = pytest.mark.long

MUTANTS = int(os.environ.get("LINEAGE_MUTANTS", "200"))
REWRITES = max(30, MUTANTS // 20)
SAMPLE = max(2, MUTANTS // 500)
SEED = int(os.environ.get("LINEAGE_MUTANTS_SEED", "1"))


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with judging() as process:
        yield process


@pytest.mark.timeout(60 + MUTANTS)
def test_no_mutant_is_served_what_it_was(judge: Judge) -> None:
    tally = mutants(judge, SEED, MUTANTS)
    assert tally.faults == [], "\n".join(tally.faults)
    assert tally.counts["mutants"] == MUTANTS
    assert tally.counts["skipped"] <= 0.4 * MUTANTS
    assert tally.counts["changed"] >= 0.2 * MUTANTS


@pytest.mark.timeout(60 + MUTANTS)
def test_what_means_the_same_keeps_its_key(judge: Judge) -> None:
    tally = rewrites(judge, SEED, REWRITES)
    assert tally.faults == [], "\n".join(tally.faults)
    assert tally.counts["rewrites"] == REWRITES


def test_keys_are_those_by_which_a_store_serves(judge: Judge, tmp_path: Path) -> None:
    """What the judge says of a key is what a store does with it."""
    connect(f"sqlite:///{tmp_path / 'empty.db'}").close()
    for seed in range(SEED, SEED + SAMPLE):
        store = Path(shutil.copy(tmp_path / "empty.db", tmp_path / f"{seed}.db"))
        files = Package(seed).files()
        before = judge.ask(files)
        judge.ask(files, store)
        changed = next(_mutants_that_run(judge, files, seed))
        keys, after = judge.ask(changed), judge.ask(changed, store)
        assert after["result"] == f"[{', '.join(step[2] for step in keys['steps'])}]"
        hits = [state == "CACHED" for state, _ in after["steps"]]
        pairs = zip(before["steps"], keys["steps"], strict=True)
        assert hits == [old[1] == new[1] for old, new in pairs], after["steps"]


def _mutants_that_run(judge: Judge, files: dict[str, str], seed: int) -> Iterator[dict[str, str]]:
    for at in range(100):
        changed = mutate(files, random.Random(f"{seed} {at}"))[1]
        if "error" not in judge.ask(changed):
            yield changed
