"""The last stamps of a store: the clock of a process that opens it goes on from them."""

from sqlalchemy import select

from lineage_store.database import tables
from lineage_store.database.connection import Connection
from lineage_store.database.statements import Statement
from lineage_store.kinds import KINDS

_NEWEST = [
    Statement(select(table.c.recorded_at).order_by(table.c.id.desc()).limit(1))
    for table in (tables.events, *(tables.nodes[kind] for kind in KINDS))
]


def last_stamp(connection: Connection) -> int | None:
    """Return when the newest event or node was recorded, in µs; None: there is none."""
    stamps = [moment for newest in _NEWEST for (moment,) in connection.rows(newest)]
    return max(stamps, default=None)
