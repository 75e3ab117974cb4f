"""Reads of the nodes that a walk meets, wherever it has their events from."""

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, select

from lineage_store.database import tables
from lineage_store.database.queries.bodies import Bodies, small_body
from lineage_store.database.queries.conditions import Condition
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.database.statements import ListStatement, Statement, slots
from lineage_store.kinds import ARTIFACT, EXECUTION, NodeKind

_t = tables.types


class _NodeStatements:
    def __init__(self, kind: NodeKind) -> None:
        node, members = tables.nodes[kind], tables.members[kind]
        member_id = members.c[f"{kind.name}_id"]
        self.bodies = ListStatement(
            lambda n: select(node.c.id, small_body(node)).where(node.c.id.in_(slots(n)))
        )
        self.existing = ListStatement(lambda n: select(node.c.id).where(node.c.id.in_(slots(n))))
        self.type_names = ListStatement(
            lambda n: (
                select(node.c.id, _t.c.name)
                .join(_t, _t.c.id == node.c.type_id)
                .where(node.c.id.in_(slots(n)))
            )
        )
        self.of_type = Statement(
            select(node.c.id).where(node.c.type_id == bindparam("of_type")).order_by(node.c.id)
        )
        self.members = ListStatement(
            lambda n: select(member_id, members.c.context_id).where(member_id.in_(slots(n)))
        )


_NODES = {kind: _NodeStatements(kind) for kind in (ARTIFACT, EXECUTION)}


class NodeReader:
    """Reads artifacts and executions of one snapshot.

    Args:
        snapshot: The snapshot.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._connection = snapshot.connection

    def matching(self, kind: NodeKind, condition: Condition, ids: Sequence[int]) -> list[int]:
        """Return those of some nodes that a condition holds for."""
        return self._snapshot.matching_ids(kind, condition, among=ids)

    def bodies(self, kind: NodeKind, ids: Iterable[int]) -> dict[int, bytes]:
        """Return the encoded nodes of these ids.

        Raises:
            TooLarge: They have more bytes than an answer may have.
        """
        rows = self._snapshot.with_bodies(kind, _NODES[kind].bodies, sorted(set(ids)))
        return {row[0]: row[-1] for row in rows}

    def bodies_in_order(self, kind: NodeKind, ids: Sequence[int]) -> Bodies:
        """Return the encoded nodes of these ids in their order, the large ones yet to be read."""
        rows = {row[0]: row for row in self._connection.rows_of(_NODES[kind].bodies, ids)}
        return Bodies(self._connection, tables.nodes[kind], [rows[i] for i in ids], 0)

    def existing(self, kind: NodeKind, ids: Iterable[int]) -> set[int]:
        """Return those of some ids that are the id of a node."""
        rows = self._connection.rows_of(_NODES[kind].existing, sorted(set(ids)))
        return {node_id for (node_id,) in rows}

    def type_names(self, kind: NodeKind, ids: Sequence[int]) -> dict[int, str]:
        """Return the name of the type of each of some nodes."""
        return dict(self._connection.rows_of(_NODES[kind].type_names, ids))

    def ids_of_type(self, kind: NodeKind, type_id: int) -> list[int]:
        """Return the ids of all nodes of a type, ascending."""
        rows = self._connection.rows(_NODES[kind].of_type, of_type=type_id)
        return [node_id for (node_id,) in rows]

    def members(self, kind: NodeKind, ids: Iterable[int]) -> list[tuple[int, int]]:
        """Return pairs of node and context for the contexts that some nodes belong to, ordered."""
        rows = self._connection.rows_of(_NODES[kind].members, sorted(set(ids)))
        return sorted((node_id, context_id) for node_id, context_id in rows)
