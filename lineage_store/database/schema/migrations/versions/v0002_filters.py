"""Support for filters: paths of events, the beginnings of long strings, and more indexes.

A revision is frozen: it says everything itself and takes nothing from the tables as they are now.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from lineage_store.v1 import metadata_pb2 as pb

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KINDS = ("artifact", "execution", "context")
_SHORT_STRING = 255
_BATCH = 10_000

_events = sa.table(
    "events",
    *(sa.column(name) for name in ("id", "body", "path")),  # only what is used
)


def upgrade() -> None:
    """Add the column and the indexes, and fill them from the stored rows."""
    op.add_column("events", sa.Column("path", sa.Text))
    _fill_paths(op.get_bind())
    for kind in _KINDS:
        _fill_beginnings(f"{kind}_properties")
        _create_node_indexes(kind)
        name = f"{kind}_properties"
        _create_index(f"ix_{name}_bool_value", name, ["name", "is_custom", "bool_value"])


def _fill_beginnings(table: str) -> None:
    columns = sa.table(table, sa.column("string_value"), sa.column("text_value"))
    op.execute(
        sa.update(columns)
        .where(columns.c.text_value.is_not(None))
        .values(string_value=sa.func.substr(columns.c.text_value, 1, _SHORT_STRING))
    )


def _create_node_indexes(kind: str) -> None:
    table = f"{kind}s"
    op.create_index(f"ix_{table}_type", table, ["type_id", "id"])
    _create_index(f"ix_{table}_name", table, ["name"])
    if kind != "context":
        _create_index(f"ix_{table}_state", table, ["state"])


def _create_index(name: str, table: str, columns: list[str]) -> None:
    where = sa.text(f"{columns[-1]} IS NOT NULL")
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _fill_paths(connection: sa.Connection) -> None:
    change = (
        sa.update(_events)
        .where(_events.c.id == sa.bindparam("event_id"))
        .values(path=sa.bindparam("pointer"))
    )
    for rows in _batches(connection):
        paths = [{"event_id": event_id, "pointer": _pointer(body)} for event_id, body in rows]
        event_path = [path for path in paths if path["pointer"] is not None]
        if event_path:
            connection.execute(change, event_path)


def _batches(connection: sa.Connection) -> Iterator[list[Any]]:
    last = 0
    while True:
        query = sa.select(_events.c.id, _events.c.body).where(_events.c.id > last)
        rows = list(connection.execute(query.order_by(_events.c.id).limit(_BATCH)))
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def _pointer(body: bytes) -> str | None:
    steps = pb.Event.FromString(body).path.steps
    texts = [str(getattr(step, step.WhichOneof("value") or "key")) for step in steps]
    escaped = [text.replace("~", "~0").replace("/", "~1") for text in texts]
    return "".join(f"/{text}" for text in escaped) or None
