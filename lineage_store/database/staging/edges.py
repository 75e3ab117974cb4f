"""Edges in the database: events, memberships of contexts, parents of contexts."""

from collections.abc import Callable, Collection, Iterable, Sequence

from sqlalchemy import ClauseElement, Column, Table, and_, select

from lineage_store.database import tables
from lineage_store.database.connection import Connection, Row
from lineage_store.database.facts import MEMBERSHIPS, FactKey, FactKind
from lineage_store.database.staging.journal import Journal, Staged
from lineage_store.database.statements import ListStatement, keys_table, slots
from lineage_store.kinds import CONTEXT, NodeKind
from lineage_store.v1 import metadata_pb2 as pb

EventKey = tuple[int, int, int]
"""Artifact id, execution id, event type."""

Pair = tuple[int, int]


def _existing(table: Table, columns: Sequence[Column[object]]) -> ListStatement:
    """Return the query for those of some keys that are in a table."""

    def build(count: int) -> ClauseElement:
        keys = keys_table(columns, count)
        match = and_(*(column == keys.c[column.name] for column in columns))
        return select(*columns).select_from(keys.join(table, match))

    return ListStatement(build, width=len(columns))


_e = tables.events
_EXISTING_EVENTS = _existing(_e, (_e.c.artifact_id, _e.c.execution_id, _e.c.type))
_OF_EXECUTIONS = ListStatement(
    lambda n: select(_e.c.id, _e.c.type, _e.c.body).where(_e.c.execution_id.in_(slots(n)))
)
_EXISTING_MEMBERS = {
    kind: _existing(table, (table.c.context_id, table.c[f"{kind.name}_id"]))
    for kind, table in tables.members.items()
}
_p = tables.parent_contexts
_EXISTING_PARENTS = _existing(_p, (_p.c.child_id, _p.c.parent_id))
_PARENTS = ListStatement(
    lambda n: select(_p.c.child_id, _p.c.parent_id).where(_p.c.child_id.in_(slots(n)))
)


def path_text(event: pb.Event) -> str | None:
    """Return the path of an event as a JSON pointer (RFC 6901), or None if it has none."""
    if not event.HasField("path"):
        return None
    text = ""
    for step in event.path.steps:
        if step.HasField("index"):
            text += f"/{step.index}"
        else:
            text += "/" + step.key.replace("~", "~0").replace("/", "~1")
    return text or None


def event_row(event_id: int, message: pb.Event, recorded_at: int) -> Row:
    """Return the row of an event."""
    return (
        event_id,
        message.artifact_id,
        message.execution_id,
        message.type,
        message.milliseconds_since_epoch,
        recorded_at,
        message.SerializeToString(deterministic=True),
        path_text(message),
    )


class Events:
    """Events within a transaction."""

    def __init__(self, connection: Connection, journal: Journal) -> None:
        self._journal = journal
        self._connection = connection
        self._stored: dict[EventKey, bool] = {}
        self._new: Staged[EventKey, Row] = Staged(journal)
        self._new_of: Staged[int, tuple[Row, ...]] = Staged(journal)

    def check(self, keys: Iterable[EventKey]) -> None:
        """Learn with one statement which events exist, so that `exists` needs none."""
        unknown_keys = [key for key in dict.fromkeys(keys) if key not in self._stored]
        self._stored.update(dict.fromkeys(unknown_keys, False))
        for event_key in self._connection.rows_of(_EXISTING_EVENTS, unknown_keys):
            self._stored[tuple(event_key)] = True

    def exists(self, key: EventKey) -> bool:
        """Return whether there is such an event, staged or among those that `check` found."""
        return key in self._new.items or self._stored.get(key, False)

    def of_executions(self, ids: Iterable[int], types: Collection[int]) -> list[pb.Event]:
        """Return the events of some executions that have one of some types, as recorded."""
        wanted_ids = dict.fromkeys(ids)
        rows = self._connection.rows_of(_OF_EXECUTIONS, list(wanted_ids))
        stored = [(event_id, body) for event_id, of, body in rows if of in types]
        staged = [
            (row[0], row[6])
            for execution_id in wanted_ids
            for row in self._new_of.items.get(execution_id, ())
            if row[3] in types
        ]
        return [pb.Event.FromString(body) for _, body in sorted(stored + staged)]

    def create(self, event_id: int, message: pb.Event) -> int:
        """Stage an event; return the bytes of what its row holds."""
        row = event_row(event_id, message, self._journal.stamp)
        self._new.put((message.artifact_id, message.execution_id, message.type), row)
        others = self._new_of.items.get(message.execution_id, ())
        self._new_of.put(message.execution_id, (*others, row))
        path = row[7] or ""
        return len(row[6]) + len(path if path.isascii() else path.encode())

    def flush(self) -> None:
        """Write all staged events."""
        self._connection.insert(_e, list(self._new.items.values()))

    def facts(self) -> dict[int, Sequence[FactKey]]:
        """Return the staged events."""
        rows = self._new.items.values()
        return {FactKind.EVENT: [(row[0], row[2], row[1], row[3]) for row in rows]} if rows else {}


class Members:
    """Attributions and associations within a transaction; adding one twice is no error.

    Args:
        connection: Reads and writes.
        journal: Of the transaction.
        new_ids: Return the nodes of a kind that the transaction creates: nothing is tied to them.

    Attributes:
        kinds: The kinds of nodes that are members.
    """

    kinds = tuple(tables.members)

    def __init__(
        self,
        connection: Connection,
        journal: Journal,
        new_ids: Callable[[NodeKind], Collection[int]],
    ) -> None:
        self._journal = journal
        self._connection = connection
        self._new_ids = new_ids
        self._stored: dict[NodeKind, dict[Pair, bool]] = {kind: {} for kind in self.kinds}
        self._new: dict[NodeKind, Staged[Pair, int]] = {
            kind: Staged(journal) for kind in self.kinds
        }
        self._added: dict[NodeKind, list[Pair]] = {}

    def add(self, kind: NodeKind, pairs: Iterable[Pair]) -> None:
        """Stage memberships of artifacts or executions: pairs of a context and a node."""
        self._new[kind].put_all(pairs, self._journal.stamp)

    def check(self, kind: NodeKind, pairs: Iterable[Pair]) -> None:
        """Learn with one statement which pairs are tied, so that `untied` needs none."""
        stored, unknown_pairs = self._stored[kind], self._unknown(kind, pairs)
        stored.update(dict.fromkeys(unknown_pairs, False))
        for pair in self._connection.rows_of(_EXISTING_MEMBERS[kind], unknown_pairs):
            stored[tuple(pair)] = True

    def _unknown(self, kind: NodeKind, pairs: Iterable[Pair]) -> list[Pair]:
        """Return those pairs that may be tied, as far as nobody has looked."""
        stored, new_contexts, new_nodes = (
            self._stored[kind],
            self._new_ids(CONTEXT),
            self._new_ids(kind),
        )
        return [
            pair
            for pair in dict.fromkeys(pairs)
            if pair not in stored and pair[0] not in new_contexts and pair[1] not in new_nodes
        ]

    def untied(self, kind: NodeKind, pairs: Iterable[Pair]) -> list[Pair]:
        """Return those pairs of context and node that are not tied."""
        staged = self._new[kind].items
        unstaged_pairs = [pair for pair in dict.fromkeys(pairs) if pair not in staged]
        return self._absent(kind, unstaged_pairs)

    def _absent(self, kind: NodeKind, pairs: Iterable[Pair]) -> list[Pair]:
        """Return those pairs that the database does not hold."""
        self.check(kind, pairs)
        stored = self._stored[kind]
        return [pair for pair in pairs if not stored.get(pair, False)]

    def flush(self) -> None:
        """Write the staged memberships that are new."""
        for kind, table in tables.members.items():
            stored = self._stored[kind]
            pairs = [pair for pair in self._new[kind].items if not stored.get(pair, False)]
            if pairs:
                self._added[kind] = self._insert(kind, table, pairs)

    def _insert(self, kind: NodeKind, table: Table, pairs: list[Pair]) -> list[Pair]:
        """Insert pairs, some of which may be there; return those that are new."""
        stamp = self._journal.stamp
        has_unknown = bool(self._unknown(kind, pairs))
        if has_unknown and self._connection.returns_inserted:
            rows = [(*pair, stamp) for pair in pairs]
            return self._connection.insert_returning(table, rows, 2)
        if has_unknown:
            pairs = self._absent(kind, pairs)
        # A cluster may be faster than the look.
        self._connection.insert(table, [(*pair, stamp) for pair in pairs], on_conflict="ignore")
        return pairs

    def facts(self) -> dict[int, Sequence[FactKey]]:
        """Return the memberships that are new, once they are flushed."""
        return {MEMBERSHIPS[kind]: pairs for kind, pairs in self._added.items() if pairs}


class Parents:
    """Parent contexts within a transaction."""

    def __init__(self, connection: Connection, journal: Journal) -> None:
        self._journal = journal
        self._connection = connection
        self._stored: dict[Pair, bool] = {}
        self._new: Staged[Pair, int] = Staged(journal)

    def check(self, keys: Iterable[Pair]) -> None:
        """Learn with one statement which edges exist, so that `exists` needs none."""
        unknown_keys = [key for key in dict.fromkeys(keys) if key not in self._stored]
        self._stored.update(dict.fromkeys(unknown_keys, False))
        for child, parent in self._connection.rows_of(_EXISTING_PARENTS, unknown_keys):
            self._stored[child, parent] = True

    def exists(self, child_id: int, parent_id: int) -> bool:
        """Return whether there is such an edge; `check` must have come before."""
        key = (child_id, parent_id)
        return key in self._new.items or self._stored[key]

    def is_ancestor(self, context_id: int, of: int) -> bool:
        """Return whether `context_id` is `of` itself or lies above it."""
        visited_ids = {of}
        frontier = [of]
        while frontier and context_id not in visited_ids:
            above = set(self._above(frontier)) - visited_ids
            visited_ids |= above
            frontier = list(above)
        return context_id in visited_ids

    def _above(self, children: list[int]) -> list[int]:
        stored = self._connection.rows_of(_PARENTS, children)
        wanted_children = set(children)
        staged = [pair for pair in self._new.items if pair[0] in wanted_children]
        return [parent for _, parent in [*stored, *staged]]

    def create(self, child_id: int, parent_id: int) -> None:
        """Stage an edge."""
        self._new.put((child_id, parent_id), self._journal.stamp)

    def flush(self) -> None:
        """Write all staged edges."""
        rows = [(*pair, stamp) for pair, stamp in self._new.items.items()]
        self._connection.insert(_p, rows)

    def facts(self) -> dict[int, Sequence[FactKey]]:
        """Return the staged edges."""
        return {FactKind.PARENT: list(self._new.items)} if self._new.items else {}
