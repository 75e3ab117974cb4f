"""Random sequences of operations."""

from hypothesis import strategies as st

from .operations import Operation
from .reads import READS
from .writes import SETUP, WRITES

_writes, _reads = st.one_of(WRITES), st.one_of(READS)
# Reads are fewer than their number suggests: every put is followed by a read of all nodes.
operations = st.integers(0, 9).flatmap(lambda chance: _writes if chance < 6 else _reads)


@st.composite
def sequences(draw: st.DrawFn) -> list[Operation]:
    """Return a sequence, nearly always one that starts with types to put nodes of."""
    start = [] if draw(st.integers(0, 9)) == 9 else [SETUP]
    # Several short lists: hypothesis makes one list long only when it must not become short again.
    parts = [draw(st.lists(operations, max_size=16)) for _ in range(4)]
    return start + [operation for part in parts for operation in part]
