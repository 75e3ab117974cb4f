"""The RPCs of the cache."""

from lineage_store.engine.cache import (
    cached,
    claims,
    explaining,
    invalidation,
    listing,
    lookup,
    reports,
    waiting,
)
from lineage_store.engine.method import Method, Mode, methods

METHODS: dict[str, Method] = {
    "Lookup": Method(lookup.lookup, Mode.READ, claiming=lookup.lookup_and_claim),
    "Invalidate": Method(invalidation.invalidate, Mode.WRITE_ALONE),
    "Wait": Method(waiting.wait, Mode.WAIT),
    **methods(
        Mode.WRITE,
        {
            "Claim": claims.take_claim,
            "Heartbeat": claims.heartbeat,
            "Release": claims.release,
            "RecordCached": cached.record_cached,
            "ReportArtifacts": reports.report_artifacts,
        },
    ),
    **methods(
        Mode.READ,
        {
            "Explain": explaining.explain,
            "ListEntries": listing.list_entries,
            "CacheStats": listing.cache_stats,
        },
    ),
}
