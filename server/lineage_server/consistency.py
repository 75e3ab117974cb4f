"""The revision that a call wants, from its metadata."""

import grpc

from lineage_store.consistency import ANY, Consistency
from lineage_store.wire import AT_KEY, AT_LEAST_KEY, REVISION_KEY

_KEYS = frozenset({AT_KEY, AT_LEAST_KEY, REVISION_KEY})


def consistency_of(context: grpc.ServicerContext) -> Consistency:
    """Return the revision that a call wants; clients of ML Metadata want none."""
    wanted = {key: str(value) for key, value in context.invocation_metadata() or () if key in _KEYS}
    if not wanted:
        return ANY
    return Consistency(
        at=wanted.get(AT_KEY, ""),
        at_least=wanted.get(AT_LEAST_KEY, ""),
        wants_revision=REVISION_KEY in wanted or AT_LEAST_KEY in wanted,
    )
