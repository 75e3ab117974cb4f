"""Tables of the cache: entries, an index over their components, claims, hits, payload reports.

A revision is frozen: it says everything itself and takes nothing from the tables as they are now.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import BINARY

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NAME = 512
_DIGEST = sa.LargeBinary(32).with_variant(BINARY(32), "mysql", "mariadb")
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables, and the counter of the ids of entries."""
    _create_entries()
    _create_components()
    _create_claims()
    _create_hits()
    _create_reports()
    counters = sa.table("counters", sa.column("name"), sa.column("next_id"))
    op.bulk_insert(counters, [{"name": "cache_entries", "next_id": 1}])


def _key(name: str, kind: Any = sa.BigInteger) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def _filled(name: str, kind: Any = sa.BigInteger) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _create_entries() -> None:
    op.create_table(
        "cache_entries",
        _key("id", _ID),
        _filled("scope", sa.String(_NAME)),
        _filled("digest", _DIGEST),
        _filled("execution_id"),
        _filled("original_execution_id"),
        _filled("published_at"),
        sa.Column("expires_at", sa.BigInteger),
        _filled("recorded_at"),
        _filled("hit_count"),
        sa.Column("last_hit_at", sa.BigInteger),
        sa.Column("invalidated_at", sa.BigInteger),
        sa.Column("invalidated_by", sa.Text),
        sa.Column("invalidated_why", sa.Text),
        _filled("body", sa.LargeBinary),
    )
    for name, columns in (
        ("key", ["scope", "digest", "id"]),
        ("scope", ["scope", "id"]),
        ("execution", ["execution_id"]),
    ):
        op.create_index(f"ix_cache_entries_{name}", "cache_entries", columns)


def _create_components() -> None:
    op.create_table(
        "cache_components", _key("component_hash"), _key("entry_id"), sqlite_with_rowid=False
    )


def _create_claims() -> None:
    op.create_table(
        "cache_claims",
        _key("scope", sa.String(_NAME)),
        _key("digest", _DIGEST),
        _filled("holder", sa.String(_NAME)),
        _filled("token"),
        _filled("expires_at"),
        _filled("ended", sa.SmallInteger),
        _filled("recorded_at"),
        sqlite_with_rowid=False,
    )


def _create_hits() -> None:
    op.create_table(
        "cache_hits",
        _key("execution_id", _ID),
        sa.Column("entry_id", sa.BigInteger),
        _filled("source_execution_id"),
        _filled("original_execution_id"),
        _filled("recorded_at"),
    )
    op.create_index("ix_cache_hits_entry", "cache_hits", ["entry_id"])
    op.create_index("ix_cache_hits_original", "cache_hits", ["original_execution_id"])


def _create_reports() -> None:
    op.create_table(
        "artifact_reports",
        _key("artifact_id", _ID),
        _filled("status", sa.SmallInteger),
        _filled("digest", sa.Text),
        _filled("reported_by", sa.Text),
        _filled("recorded_at"),
    )
