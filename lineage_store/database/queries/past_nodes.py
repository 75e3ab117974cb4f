"""Nodes as they were at a time: their versions then, and since when they are known."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from sqlalchemy import BindParameter, bindparam, func, literal_column, select

from lineage_store.database import tables
from lineage_store.database.connection import Connection
from lineage_store.database.queries.bodies import Bodies
from lineage_store.database.queries.lineage import LineageReader
from lineage_store.database.statements import ListStatement, slots
from lineage_store.kinds import NodeKind

_e, _v = tables.events, tables.node_versions.c


class PastLineageReader(LineageReader):
    """Reads a graph, events and nodes, as the store had recorded it by a time."""

    def bodies(self, kind: NodeKind, ids: Iterable[int]) -> dict[int, bytes]:
        """Return the encoded nodes of these ids as they were then."""
        unique_ids = sorted(set(ids))
        replaced = self._replaced(kind, unique_ids)
        present_ids = [i for i in unique_ids if i not in replaced]
        return super().bodies(kind, present_ids) | replaced

    def bodies_in_order(self, kind: NodeKind, ids: Sequence[int]) -> Bodies:
        """Return the encoded nodes of these ids as they were then, in their order."""
        bodies = self.bodies(kind, ids)
        rows = [(i, bodies[i]) for i in ids]
        return Bodies(self._connection, tables.nodes[kind], rows, 0)

    def existing(self, kind: NodeKind, ids: Iterable[int]) -> set[int]:
        """Return those of some ids that are the id of a node that was known then."""
        [moment] = self._as_of.values()
        first_times = known_since(self._connection, kind, ids)
        return {i for i, since in first_times.items() if since <= moment}

    def _replaced(self, kind: NodeKind, ids: Sequence[int]) -> dict[int, bytes]:
        """Return the versions that were current then, of those nodes that have a newer one."""
        rows = self._connection.rows_of(_versions_at(kind), ids, **self._as_of)
        return {node_id: bytes(body) for node_id, body in rows}


def known_since(connection: Connection, kind: NodeKind, ids: Iterable[int]) -> dict[int, int]:
    """Return when the store learned of each of some nodes that exist, in µs since the epoch."""
    unique_ids = sorted(set(ids))
    present: dict[int, int] = dict(connection.rows_of(_present(kind), unique_ids))
    return present | dict(connection.rows_of(_first_versions(kind), list(present)))


def existed_since(connection: Connection, kind: NodeKind, ids: Iterable[int]) -> dict[int, int]:
    """Return the first time in ms at which each of some nodes that exist is known to have existed.

    That is when it was created, or its first event if it happened before.
    """
    unique_ids = sorted(set(ids))
    created: dict[int, int] = dict(connection.rows_of(_created(kind), unique_ids))
    for node_id, happened_at in connection.rows_of(_first_events(kind), list(created)):
        created[node_id] = min(created[node_id], happened_at)
    return created


@lru_cache(maxsize=8)
def _versions_at(kind: NodeKind) -> ListStatement:
    moment: BindParameter[int] = bindparam("as_of")
    return ListStatement(
        lambda n: select(_v.node_id, _v.body).where(
            _v.kind == literal_column(str(kind.number)),
            _v.node_id.in_(slots(n)),
            _v.recorded_at <= moment,
            _v.replaced_at > moment,
        )
    )


@lru_cache(maxsize=8)
def _present(kind: NodeKind) -> ListStatement:
    c = tables.nodes[kind].c
    return ListStatement(lambda n: select(c.id, c.recorded_at).where(c.id.in_(slots(n))))


@lru_cache(maxsize=8)
def _first_versions(kind: NodeKind) -> ListStatement:
    return ListStatement(
        lambda n: (
            select(_v.node_id, func.min(_v.recorded_at))
            .where(_v.kind == literal_column(str(kind.number)), _v.node_id.in_(slots(n)))
            .group_by(_v.node_id)
        )
    )


@lru_cache(maxsize=8)
def _created(kind: NodeKind) -> ListStatement:
    c = tables.nodes[kind].c
    return ListStatement(lambda n: select(c.id, c.create_time).where(c.id.in_(slots(n))))


@lru_cache(maxsize=8)
def _first_events(kind: NodeKind) -> ListStatement:
    end = _e.c[f"{kind.name}_id"]
    return ListStatement(
        lambda n: select(end, func.min(_e.c.happened_at)).where(end.in_(slots(n))).group_by(end)
    )
