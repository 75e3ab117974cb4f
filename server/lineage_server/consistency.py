"""The revision that a call wants, from its metadata."""

import grpc

from lineage_store.consistency import ANY, Consistency
from lineage_store.wire import AT_KEY, AT_LEAST_KEY, REVISION_KEY

_KEYS = frozenset({AT_KEY, AT_LEAST_KEY, REVISION_KEY})


def consistency_of(context: grpc.ServicerContext) -> Consistency:
    """Return the revision that a call wants; clients of ML Metadata want none."""
    metadata = context.invocation_metadata() or ()
    entries = {key: str(value) for key, value in metadata if key in _KEYS}
    if not entries:
        return ANY
    return Consistency(
        at=entries.get(AT_KEY, ""),
        at_least=entries.get(AT_LEAST_KEY, ""),
        wants_revision=REVISION_KEY in entries or AT_LEAST_KEY in entries,
    )
