"""Random sequences of calls on the real ML Metadata leave a database; a store takes it in."""

import os
from contextlib import closing
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from lineage_store.transfer.mlmd.findings import Findings
from lineage_store.transfer.mlmd.importing import import_mlmd
from lineage_store.transfer.mlmd.verifying import verify_mlmd
from tests.differential.duel import Duel, Tally
from tests.differential.operations import Operation
from tests.differential.peers import OurStore, RealStore
from tests.differential.sequences import sequences
from tests.real_mlmd import python
from tests.transfer.answers import ImportedStore, assert_same

pytestmark = pytest.mark.long

EXAMPLES = int(os.environ.get("LINEAGE_DIFFERENTIAL_EXAMPLES", "80")) // 10


@pytest.mark.timeout(300 + 10 * EXAMPLES)
def test_what_random_calls_leave_is_answered_alike(tmp_path):
    python()
    numbers = count()

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(sequences())
    def run(sequence: list[Operation]) -> None:
        number = next(numbers)
        source, target = tmp_path / f"mlmd{number}.db", f"sqlite:///{tmp_path}/ours{number}.db"
        config = f'sqlite {{ filename_uri: "{source}" }}'
        with closing(RealStore(python(), config)) as real, closing(OurStore()) as ours:
            Duel(real, ours, Tally()).run(sequence)
            findings = Findings()
            import_mlmd(f"sqlite:///{source}", target, findings)
            # The sequences avoid what makes ML Metadata write rows that it can't read.
            assert findings.shown == []
            verify_mlmd(f"sqlite:///{source}", target).demand_equal()
            with closing(ImportedStore(target)) as imported:
                assert_same(real, imported)

    run()
    assert next(numbers) == EXAMPLES
