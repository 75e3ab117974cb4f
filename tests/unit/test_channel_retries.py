"""Calls that gRPC repeats by itself: those with the same effect when they are made twice."""

import json

from lineage_store.client.channel import _service_config
from lineage_store.wire import CACHE, LINEAGE, SERVICE


def repeated_on(status: str) -> set[tuple[str, str | None]]:
    """Return the calls, or whole services, that are repeated on a status."""
    config = json.loads(_service_config(SERVICE.full_name))
    return {
        (name["service"], name.get("method"))
        for group in config["methodConfig"]
        if status in group["retryPolicy"]["retryableStatusCodes"]
        for name in group["name"]
    }


def test_reads_and_all_calls_of_the_cache_are_repeated_when_the_server_is_away():
    repeated = repeated_on("UNAVAILABLE")
    assert {(CACHE.full_name, None), (LINEAGE.full_name, None)} <= repeated
    methods = {method for service, method in repeated if service == SERVICE.full_name}
    assert methods == {m.name for m in SERVICE.methods if m.name.startswith("Get")}


def test_what_a_server_cancelled_is_repeated_where_unavailable_is():
    assert repeated_on("CANCELLED") == repeated_on("UNAVAILABLE")


def test_all_calls_are_repeated_after_a_conflict():
    repeated = repeated_on("ABORTED")
    assert {(SERVICE.full_name, method.name) for method in SERVICE.methods} <= repeated
    assert {(CACHE.full_name, None), (LINEAGE.full_name, None)} <= repeated
