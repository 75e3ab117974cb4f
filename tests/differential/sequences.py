"""Random sequences of operations."""

from hypothesis import strategies as st

from tests.differential.operations import Operation
from tests.differential.reads import READS
from tests.differential.writes import FIRST_NODES, FIRST_TYPES, WRITES

_writes, _reads = st.one_of(WRITES), st.one_of(READS)
# Reads are fewer than their number suggests: every put is followed by a read of all nodes.
operations = st.integers(0, 9).flatmap(lambda chance: _reads if chance < 4 else _writes)


# Most sequences start with something to build upon. The first is what shrinking tends to.
starts = st.sampled_from(([FIRST_TYPES], *[[FIRST_TYPES, FIRST_NODES]] * 6, [FIRST_TYPES], []))


@st.composite
def sequences(draw: st.DrawFn) -> list[Operation]:
    """Return a sequence of up to about fifty operations."""
    start = draw(starts)
    # Several short lists: hypothesis makes one list long only when it must not become short again.
    parts = [draw(st.lists(operations, max_size=16)) for _ in range(4)]
    return start + [operation for part in parts for operation in part]
