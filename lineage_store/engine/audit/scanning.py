"""Reads of all nodes of a kind or of a type, page by page, within a budget."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from lineage_store.database.queries.listing import PageQuery
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.lineage.budget import Meter
from lineage_store.lineage.verdict import Limit, Verdict
from lineage_store.v1 import lineage_pb2


def scan(
    snapshot: Snapshot,
    queries: Iterable[PageQuery],
    meter: Meter,
    take: Callable[[list[bytes]], int],
) -> Verdict:
    """Read the pages of some listings; return whether all of them were read.

    Args:
        snapshot: The store.
        queries: The listings.
        meter: The budget: its time, and the nodes that an answer has.
        take: Gets the bodies of each page, and returns how many of the nodes an answer will have.
    """
    count = 0
    for query in queries:
        page = snapshot.page(query)
        while True:
            count += len(page.bodies)
            meter.spend(take(page.bodies), 0)
            if page.last is None:
                break
            reason = _reason(meter)
            if reason is not None:
                return Verdict(complete=False, reason=reason, by_server=True, node_count=count)
            page = snapshot.page(replace(query, after=page.last))
    return Verdict(complete=True, node_count=count)


def _reason(meter: Meter) -> Limit | None:
    if meter.nodes < 0:
        return Limit.MAX_NODES
    exhausted = meter.exhausted
    return None if exhausted is None else Limit(lineage_pb2.Verdict.Reason.Name(exhausted))
