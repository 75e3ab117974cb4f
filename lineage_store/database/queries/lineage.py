"""Reads of walks: the events of nodes hop by hop, and whole closures."""

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ClauseElement,
    ColumnElement,
    FromClause,
    Select,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
)

from lineage_store.database import tables
from lineage_store.database.connection import Row
from lineage_store.database.queries.lineage_nodes import NodeReader
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.database.statements import ListStatement, Statement, slots
from lineage_store.kinds import ARTIFACT, EXECUTION, NodeKind

Types = tuple[int, ...] | None
"""Event types, ascending; None: all."""

Bound = str | None
"""The column of events that a time bounds; None: no bound."""

BOUNDS = ("happened_at", "recorded_at")

NO_LIMIT = 2**62

_e = tables.events
_ENDS = {
    ARTIFACT: (_e.c.artifact_id, _e.c.execution_id),
    EXECUTION: (_e.c.execution_id, _e.c.artifact_id),
}


_EVENT_BODIES = ListStatement(lambda n: select(_e.c.id, _e.c.body).where(_e.c.id.in_(slots(n))))


def _where(events: FromClause, types: Types, bound: Bound) -> list[ColumnElement[bool]]:
    """Return the conditions on events; the types are a part of the text, for they are few."""
    conditions: list[ColumnElement[bool]] = []
    if types is not None:
        conditions.append(events.c.type.in_([literal_column(str(number)) for number in types]))
    if bound is not None:
        conditions.append(events.c[bound] <= bindparam("as_of"))
    return conditions


def _columns(with_bodies: bool) -> list[Any]:
    body = _e.c.body if with_bodies else literal_column("NULL")
    return [_e.c.id, _e.c.artifact_id, _e.c.execution_id, _e.c.type, body]


@lru_cache(maxsize=512)
def _events_of(kind: NodeKind, types: Types, bound: Bound, with_bodies: bool) -> ListStatement:
    near, far = _ENDS[kind]

    def build(count: int) -> ClauseElement:
        query = select(*_columns(with_bodies)).where(
            near.in_(slots(count)), *_where(_e, types, bound)
        )
        return query.order_by(near, far, _e.c.type).limit(bindparam("most"))

    return ListStatement(build)


@lru_cache(maxsize=512)
def _events_behind(kind: NodeKind, types: Types, bound: Bound, with_bodies: bool) -> Statement:
    """Return the statement for the events of one node behind a position."""
    near, far = _ENDS[kind]
    at_far: Any = bindparam("at_far")
    query = select(*_columns(with_bodies)).where(
        near == bindparam("at_near"),
        and_(far >= at_far, or_(far > at_far, _e.c.type > bindparam("at_type"))),
        *_where(_e, types, bound),
    )
    return Statement(query.order_by(far, _e.c.type).limit(bindparam("most")))


@lru_cache(maxsize=256)
def _closure(kind: NodeKind, up: Types, down: Types, bound: Bound) -> ListStatement:
    """Return the statement for all nodes within reach of some nodes of a kind.

    The sign of an id tells executions from artifacts, so that a row is a node and nothing else:
    with its distance or its way in the row, a node would come once for each way.

    Args:
        kind: The kind of the nodes to start from.
        up: The types of events that lead on from artifacts.
        down: The types of events that lead on from executions.
        bound: The column of events that a time bounds.
    """
    start = tables.nodes[kind]

    def build(count: int) -> ClauseElement:
        signed = start.c.id if kind is ARTIFACT else -start.c.id
        reached: CTE = (
            select(cast(signed, BigInteger).label("node"))
            .where(start.c.id.in_(slots(count)))
            .cte("reached", recursive=True)
        )
        reached = reached.union(_hop(reached, up, down, bound))
        return select(reached.c.node).limit(bindparam("most"))

    return ListStatement(build)


def _hop(reached: CTE, up: Types, down: Types, bound: Bound) -> Select[Any]:
    """Return the query for the next nodes of a closure.

    Of the two joins only the one of the node's own kind can find anything. They are outer joins,
    since a recursive query may name itself only once.
    """
    from_artifact, from_execution = _e.alias("from_artifact"), _e.alias("from_execution")
    next_node = func.coalesce(-from_artifact.c.execution_id, from_execution.c.artifact_id)
    leaving_artifact = and_(
        from_artifact.c.artifact_id == reached.c.node, *_where(from_artifact, up, bound)
    )
    leaving_execution = and_(
        from_execution.c.execution_id == -reached.c.node, *_where(from_execution, down, bound)
    )
    source = reached.outerjoin(from_artifact, leaving_artifact)
    source = source.outerjoin(from_execution, leaving_execution)
    return select(next_node).select_from(source).where(next_node.is_not(None))


class LineageReader(NodeReader):
    """Reads the graph of one snapshot, or as much of it as was known at some time.

    Args:
        snapshot: The snapshot.
        bound: The time of an event that `as_of` bounds, one of BOUNDS; None: events of all times.
        as_of: The last moment, in ms for happened_at and in µs for recorded_at.
        with_bodies: Whether events come with their encoded message, or with None.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        bound: Bound = None,
        as_of: int | None = None,
        with_bodies: bool = True,
    ) -> None:
        super().__init__(snapshot)
        self._bound = bound
        self._as_of: dict[str, Any] = {} if bound is None else {"as_of": as_of}
        self._with_bodies = with_bodies

    def events(
        self,
        kind: NodeKind,
        ids: Sequence[int],
        types: Collection[int] | None,
        after: tuple[int, int, int] | None,
        limit: int,
    ) -> list[Row]:
        """Return events of some nodes as (id, artifact id, execution id, type, body).

        They are ordered by the node, the node at their other end, their type.

        Args:
            kind: The kind of the nodes.
            ids: Their ids, ascending.
            types: Only events of these types; None: of any.
            after: Only events behind this position, which is one of `ids[0]`; None: all.
            limit: At most so many.
        """
        statement_key = (kind, _sorted(types), self._bound, self._with_bodies)
        rows: list[Row] = []
        if after is not None:
            values = dict(zip(("at_near", "at_far", "at_type"), after, strict=True))
            statement = _events_behind(*statement_key)
            rows = self._connection.rows(statement, most=limit, **values, **self._as_of)
            ids = ids[1:]
        return rows + self._whole(_events_of(*statement_key), ids, limit - len(rows))

    def all_events(self, kind: NodeKind, ids: Sequence[int]) -> list[Row]:
        """Return all events of some nodes, as `events` does."""
        statement = _events_of(kind, None, self._bound, self._with_bodies)
        return self._connection.rows_of(statement, ids, most=NO_LIMIT, **self._as_of)

    def _whole(self, statement: ListStatement, ids: Sequence[int], limit: int) -> list[Row]:
        rows: list[Row] = []
        for part, values in statement.chunks(ids):
            if len(rows) == limit:
                break
            arguments = values | self._as_of
            rows += self._connection.rows(part, most=limit - len(rows), **arguments)
        return rows

    def closure(
        self,
        kind: NodeKind,
        ids: Sequence[int],
        types: tuple[Collection[int] | None, Collection[int] | None],
        limit: int,
        seconds: float | None = None,
    ) -> dict[NodeKind, set[int]]:
        """Return all nodes within reach, those to start from included, up to a limit.

        Args:
            kind: The kind of the nodes to start from.
            ids: Their ids.
            types: The types of events that lead on from artifacts, and from executions; None: any.
            limit: Stop soon after so many nodes.
            seconds: How long each statement may take; None: any time.

        Raises:
            DeadlineExceeded: A statement took longer.
        """
        statement = _closure(kind, _sorted(types[0]), _sorted(types[1]), self._bound)
        signed_ids: set[int] = set()
        with self._connection.within(seconds):
            for part, values in statement.chunks(ids):
                rows = self._connection.rows(part, most=limit, **values, **self._as_of)
                signed_ids.update(node for (node,) in rows)
        return {
            ARTIFACT: {i for i in signed_ids if i > 0},
            EXECUTION: {-i for i in signed_ids if i < 0},
        }

    def event_bodies(self, ids: Iterable[int]) -> dict[int, bytes]:
        """Return the encoded events of these ids."""
        return dict(self._connection.rows_of(_EVENT_BODIES, sorted(set(ids))))


def _sorted(types: Collection[int] | None) -> Types:
    return None if types is None else tuple(sorted(types))
