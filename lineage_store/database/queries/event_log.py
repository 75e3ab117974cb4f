"""The events as a log: a greater id was committed later.

That holds because writers take turns, and a writer takes ids from none but the newest block
(`ids.IdBlocks`). So the events since a given one are those with greater ids, and the last event
identifies a state of the database.
"""

from sqlalchemy import bindparam, func, select

from lineage_store.database.connection import Row
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.database.statements import Statement
from lineage_store.database.tables import events as _e

_FROM = Statement(
    select(_e.c.id, _e.c.artifact_id, _e.c.execution_id, _e.c.type, _e.c.body, _e.c.recorded_at)
    .where(_e.c.id >= bindparam("first"))
    .order_by(_e.c.id)
    .limit(bindparam("most"))
)
_LAST = Statement(
    select(_e.c.id, _e.c.recorded_at)
    .where(_e.c.id <= bindparam("last"))
    .order_by(_e.c.id.desc())
    .limit(1)
)
_COUNT = Statement(
    select(func.count()).select_from(select(_e.c.id).limit(bindparam("most")).subquery())
)
_COUNT_UP_TO = Statement(select(func.count()).select_from(_e).where(_e.c.id <= bindparam("last")))


def events_from(snapshot: Snapshot, first: int, most: int) -> list[Row]:
    """Return the events from an id on, in the order of the log, at most so many.

    Each is (id, artifact id, execution id, type, body, recorded_at).
    """
    return snapshot.connection.rows(_FROM, first=first, most=most)


def last_event(snapshot: Snapshot, up_to: int) -> tuple[int, int] | None:
    """Return id and recorded_at of the last event whose id is not greater; None: there is none."""
    rows = snapshot.connection.rows(_LAST, last=up_to)
    return (rows[0][0], rows[0][1]) if rows else None


def count_events(snapshot: Snapshot, most: int) -> int:
    """Return how many events there are, or `most` if there are more."""
    [(count,)] = snapshot.connection.rows(_COUNT, most=most)
    return int(count)


def count_events_up_to(snapshot: Snapshot, last: int) -> int:
    """Return how many events have an id that is not greater."""
    [(count,)] = snapshot.connection.rows(_COUNT_UP_TO, last=last)
    return int(count)
