"""The table of writers on several servers: a row that all of them change, and one for each.

A revision is frozen: it says everything itself and takes nothing from the tables as they are now.
"""

import time

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table and its common row."""
    op.create_table(
        "writers",
        sa.Column("id", _ID, primary_key=True, autoincrement=False),
        sa.Column("turn", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        if_not_exists=True,  # where tables are not made in one transaction, it may be there
    )
    writers = sa.table("writers", *(sa.column(name) for name in ("id", "turn", "recorded_at")))
    connection = op.get_bind()
    if connection.execute(sa.select(writers.c.id).where(writers.c.id == 0)).first() is None:
        op.bulk_insert(writers, [{"id": 0, "turn": 0, "recorded_at": time.time_ns() // 1_000}])
