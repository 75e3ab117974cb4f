"""The least that a run must have exercised to mean anything."""

import pytest

from lineage_store.v1 import metadata_service_pb2 as service
from tests.differential.duel import Tally

_SERVICE = service.DESCRIPTOR.services_by_name["MetadataStoreService"]
# Not served by the real core, or compared by the tests of lineage.
_NOT_COMPARED = {
    "GetParentContextsByContexts",
    "GetChildrenContextsByContexts",
    "GetLineageGraph",
    "GetLineageSubgraph",
}
COMPARED = {method.name for method in _SERVICE.methods} - _NOT_COMPARED
STATUSES = {
    *("OK", "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION"),
    *("OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL"),
}


def assert_covered(tally: Tally, examples: int) -> None:
    """Fail when an RPC never succeeded, or a status never came, in a run of a useful length."""
    if examples < 100:
        pytest.skip(f"{examples} sequences are too few to tell what they cover")
    never = COMPARED - {method for method, status in tally.calls if status == "OK"}
    assert not never, f"never succeeded: {sorted(never)}"
    unseen = STATUSES - {status for _, status in tally.calls}
    assert not unseen, f"never answered: {sorted(unseen)}"
