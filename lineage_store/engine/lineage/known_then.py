"""Walks as of a time: whether it can be told from the rows, and whether their start was known."""

from collections.abc import Iterable
from typing import Any

from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.database.queries.past_nodes import existed_since, known_since
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.lineage.selection import SHOWN_IDS, Find
from lineage_store.engine.requests import US_IN_MS, iso_time
from lineage_store.kinds import NodeKind
from lineage_store.v1 import audit_pb2
from lineage_store.v1 import lineage_pb2 as pb


def recorded_bound_of_values(request: Message) -> int | None:
    """Return the time of a request that needs the values that nodes had then, or None.

    A walk from some ids needs the versions of the nodes that it meets. A filter, a name or a
    comparison needs the index over the nodes as they were.
    """
    bounded: Any = request
    walk = bounded.walk if isinstance(request, pb.TraceRequest | pb.SummarizeRequest) else None
    if walk is None and not (isinstance(request, pb.CompareRequest) or _is_audit(request)):
        return None
    as_of = bounded.as_of if walk is None else walk.as_of
    if as_of.WhichOneof("bound") != "recorded_by_microseconds":
        return None
    if walk is not None and _is_by_ids(walk):
        return None
    return int(as_of.recorded_by_microseconds)


def _is_audit(request: Message) -> bool:
    """Return whether a request is a question of an audit that has a bound in time."""
    of_audit = request.DESCRIPTOR.file is audit_pb2.DESCRIPTOR
    return of_audit and "as_of" in request.DESCRIPTOR.fields_by_name


def _is_by_ids(walk: pb.Walk) -> bool:
    has_filter = walk.HasField("ending_artifacts") or walk.HasField("ending_executions")
    return walk.start.WhichOneof("by") == "ids" and not has_filter


def known_then(kind: NodeKind, find: Find, as_of: pb.AsOf) -> Find:
    """Return a finder that refuses nodes which were not known at a time."""

    def find_known(snapshot: Snapshot) -> list[int]:
        ids = find(snapshot)
        check_known(snapshot, kind, ids, as_of)
        return ids

    return find_known


def check_known(snapshot: Snapshot, kind: NodeKind, ids: Iterable[int], as_of: pb.AsOf) -> None:
    """Check that nodes that exist existed at a time already, as far as the store knows.

    Raises:
        NotFound: Some did not, and since when the first of them is known.
    """
    bound = as_of.WhichOneof("bound")
    if bound is None:
        return
    is_recorded = bound == "recorded_by_microseconds"
    since = (known_since if is_recorded else existed_since)(snapshot.connection, kind, ids)
    moment = getattr(as_of, bound)
    late_ids = sorted(i for i, first in since.items() if first > moment)
    if late_ids:
        shown = ", ".join(map(str, late_ids[:SHOWN_IDS]))
        first = min(since[i] for i in late_ids) * (1 if is_recorded else US_IN_MS)
        raise errors.NotFound(
            f"not known then: {kind.name} {shown}; the first that the store knows of it is of "
            f"{iso_time(first)}"
        )
