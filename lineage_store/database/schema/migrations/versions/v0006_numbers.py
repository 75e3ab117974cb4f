"""Numbers of the property index that a filter took for others: NaN, and infinities on MySQL.

PostgreSQL takes NaN for the largest number. MySQL has no infinity, so the largest number stood for
both; from now on the number below it stands for the largest.

A revision is frozen: it says everything itself and takes nothing from the tables as they are now.
"""

import sys
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from lineage_store.v1 import metadata_pb2 as pb

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_MESSAGES: dict[str, Any] = {
    "artifact": pb.Artifact,
    "execution": pb.Execution,
    "context": pb.Context,
}
# Literals, for a parameter is written as it is held from now on.
_INFINITY, _LARGEST = "1.7976931348623157e308", "1.7976931348623155e308"
_BATCH = 1_000


def upgrade() -> None:
    """Rewrite the numbers, on the databases that they concern."""
    connection = op.get_bind()
    for kind in _MESSAGES:
        if connection.dialect.name == "postgresql":
            _remove_nan(connection, f"{kind}_properties")
        elif connection.dialect.name in {"mysql", "mariadb"}:
            _mark_largest(connection, kind)


def _remove_nan(connection: sa.Connection, table: str) -> None:
    query = f"UPDATE {table} SET double_value = NULL WHERE double_value = 'NaN'"  # noqa: S608
    connection.execute(sa.text(query))


def _mark_largest(connection: sa.Connection, kind: str) -> None:
    """Lower the largest numbers, which the bodies tell from infinities."""
    query = sa.text(
        f"SELECT n.id, n.body FROM {kind}s AS n WHERE n.id > :after AND EXISTS ("  # noqa: S608 - constants
        f"SELECT 1 FROM {kind}_properties AS p WHERE p.node_id = n.id "
        f"AND ABS(p.double_value) = {_INFINITY}) ORDER BY n.id LIMIT {_BATCH}"
    )
    change = sa.text(
        f"UPDATE {kind}_properties SET double_value = SIGN(double_value) * {_LARGEST} "  # noqa: S608
        "WHERE node_id = :node_id AND is_custom = :is_custom AND name = :name"
    )
    after = 0
    while rows := connection.execute(query, {"after": after}).all():
        for node_id, body in rows:
            for is_custom, name in _largest(_MESSAGES[kind].FromString(body)):
                key = {"node_id": node_id, "is_custom": is_custom, "name": name}
                connection.execute(change, key)
        after = rows[-1][0]


def _largest(message: Any) -> Iterator[tuple[bool, str]]:
    """Yield the properties that have the largest number, or the smallest."""
    for is_custom, values in ((False, message.properties), (True, message.custom_properties)):
        for name, value in values.items():
            if abs(value.double_value) == sys.float_info.max:
                yield is_custom, name
