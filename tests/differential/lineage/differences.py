"""The deliberate differences from ML Metadata in lineage queries."""

from tests.differential.comparison import Exchange
from tests.differential.difference import Difference
from tests.differential.peers import NAMES

_CODES = {name: code for code, name in NAMES.items()}


def _malformed_ending(exchange: Exchange) -> bool:
    """Return True if we refuse the filter of ending nodes, which the real store did not reach."""
    return (
        exchange.method == "GetLineageSubgraph"
        and exchange.real.code in (0, _CODES["NOT_FOUND"])
        and exchange.ours.code == _CODES["INVALID_ARGUMENT"]
        and ".ending_" in exchange.ours.message
    )


LINEAGE_DIFFERENCES = (
    Difference(
        "malformed filter of ending nodes",
        "MLMD reads it when the walk meets a node of that kind, and never if there is none. Here "
        "it is INVALID_ARGUMENT whatever is stored.",
        explains=_malformed_ending,
    ),
    Difference(
        "more than 101 starting nodes",
        "MLMD starts from the 101 with the lowest ids and drops the others. Here all are starts.",
    ),
    Difference(
        "more than 100 hops",
        "MLMD ends a walk without a limit, or with a larger one, after 100 hops and does not say "
        "so. Here a limit is what it says, and none is none.",
    ),
)
