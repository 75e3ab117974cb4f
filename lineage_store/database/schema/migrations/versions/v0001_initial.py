"""The first schema: types, nodes and their versions, property index, events, contexts' edges.

A revision is frozen: it says everything itself and takes nothing from the tables as they are now.
"""

import time
from typing import Any

import sqlalchemy as sa
from alembic import op

from lineage_store.v1 import metadata_pb2 as pb

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_KINDS = ("artifact", "execution", "context")
_COUNTERS = {"types": 10, "artifacts": 1, "executions": 1, "contexts": 1, "events": 1}
_SYSTEM_TYPES: list[tuple[int, Any, str]] = [  # number of the kind, message, name
    (1, pb.ArtifactType, "mlmd.Dataset"),
    (1, pb.ArtifactType, "mlmd.Model"),
    (1, pb.ArtifactType, "mlmd.Metrics"),
    (1, pb.ArtifactType, "mlmd.Statistics"),
    (0, pb.ExecutionType, "mlmd.Train"),
    (0, pb.ExecutionType, "mlmd.Transform"),
    (0, pb.ExecutionType, "mlmd.Process"),
    (0, pb.ExecutionType, "mlmd.Evaluate"),
    (0, pb.ExecutionType, "mlmd.Deploy"),
]


def upgrade() -> None:
    """Create the tables, and the rows that every store has."""
    _create_counters()
    _create_types()
    for kind in _KINDS:
        _create_nodes(kind)
    for kind in _KINDS:
        _create_properties(kind)
    _create_versions()
    _create_events()
    _create_edges("attributions", "context_id", "artifact_id")
    _create_edges("associations", "context_id", "execution_id")
    _create_edges("parent_contexts", "child_id", "parent_id")


def _id() -> sa.Column[int]:
    wide = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", wide, primary_key=True, autoincrement=False)


def _key(name: str, kind: Any = sa.BigInteger) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def _filled(name: str, kind: Any = sa.BigInteger) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _create_counters() -> None:
    table = op.create_table(
        "counters", sa.Column("name", sa.String(32), primary_key=True), _filled("next_id")
    )
    op.bulk_insert(table, [{"name": name, "next_id": first} for name, first in _COUNTERS.items()])


def _create_types() -> None:
    table = op.create_table(
        "types",
        _id(),
        _filled("kind", sa.SmallInteger),
        _filled("name", sa.String(512)),
        _filled("version", sa.String(512)),
        sa.Column("external_id", sa.String(512), unique=True),
        _filled("body", sa.LargeBinary),
        _filled("recorded_at"),
        sa.UniqueConstraint("kind", "name", "version", name="uq_types_name"),
    )
    moment = time.time_ns() // 1_000
    rows = [
        {
            "id": number,
            "kind": kind,
            "name": name,
            "version": "",
            "external_id": None,
            "body": message(id=number, name=name).SerializeToString(deterministic=True),
            "recorded_at": moment,
        }
        for number, (kind, message, name) in enumerate(_SYSTEM_TYPES, start=1)
    ]
    op.bulk_insert(table, rows)


def _create_nodes(kind: str) -> None:
    name = f"{kind}s"
    state = sa.Column("state", sa.SmallInteger)
    own: dict[str, list[sa.Column[Any]]] = {
        "artifact": [_filled("uri", sa.Text), _filled("uri_hash"), state],
        "execution": [state],
        "context": [],
    }
    op.create_table(
        name,
        _id(),
        _filled("type_id"),
        sa.Column("name", sa.String(512)),
        sa.Column("external_id", sa.String(512), unique=True),
        *own[kind],
        _filled("create_time"),
        _filled("update_time"),
        _filled("revision", sa.Integer),
        _filled("recorded_at"),
        _filled("body", sa.LargeBinary),
        sa.UniqueConstraint("type_id", "name", name=f"uq_{name}_name"),
    )
    op.create_index(f"ix_{name}_create_time", name, ["create_time", "id"])
    op.create_index(f"ix_{name}_update_time", name, ["update_time", "id"])
    if kind == "artifact":
        op.create_index("ix_artifacts_uri_hash", name, ["uri_hash"])


def _create_properties(kind: str) -> None:
    name = f"{kind}_properties"
    op.create_table(
        name,
        _key("node_id"),
        sa.Column("is_custom", sa.Boolean(create_constraint=False), primary_key=True),
        sa.Column("name", sa.String(512), primary_key=True),
        sa.Column("int_value", sa.BigInteger),
        sa.Column("double_value", sa.Double),
        sa.Column("string_value", sa.String(255)),
        sa.Column("text_value", sa.Text),
        sa.Column("bool_value", sa.Boolean(create_constraint=False)),
        sqlite_with_rowid=False,
    )
    for value in ("int_value", "double_value", "string_value"):
        where = sa.text(f"{value} IS NOT NULL")
        op.create_index(
            f"ix_{name}_{value}",
            name,
            ["name", "is_custom", value],
            sqlite_where=where,
            postgresql_where=where,
        )


def _create_versions() -> None:
    op.create_table(
        "node_versions",
        _key("kind", sa.SmallInteger),
        _key("node_id"),
        _key("revision", sa.Integer),
        _filled("recorded_at"),
        _filled("replaced_at"),
        _filled("body", sa.LargeBinary),
    )


def _create_events() -> None:
    op.create_table(
        "events",
        _id(),
        _filled("artifact_id"),
        _filled("execution_id"),
        _filled("type", sa.SmallInteger),
        _filled("happened_at"),
        _filled("recorded_at"),
        _filled("body", sa.LargeBinary),
        sa.UniqueConstraint("artifact_id", "execution_id", "type", name="uq_events_edge"),
    )
    op.create_index("ix_events_execution", "events", ["execution_id", "artifact_id", "type"])


def _create_edges(name: str, source: str, target: str) -> None:
    op.create_table(
        name, _key(source), _key(target), _filled("recorded_at"), sqlite_with_rowid=False
    )
    op.create_index(f"ix_{name}_{target}", name, [target, source])
