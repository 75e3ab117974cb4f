"""Nodes in the database: looked up by id, name and external id, staged and flushed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ClauseElement, Column, ColumnElement, and_, select, update

from lineage_store.database import tables
from lineage_store.database.connection import Connection
from lineage_store.database.facts import VERSIONS, FactKey
from lineage_store.database.staging.journal import Journal, Staged
from lineage_store.database.staging.node_rows import encoded, node_row
from lineage_store.database.statements import ListStatement, keys_table, slots
from lineage_store.database.upkeep.property_index import clear_index, index_urgent, write_index
from lineage_store.kinds import KINDS, NodeKind, NodeMessage

Name = tuple[int, str]
"""A type id and a name."""


@dataclass(frozen=True, slots=True)
class StoredNode:
    """A node as it is stored or staged.

    Attributes:
        message: The whole node, as it is sent to clients; not to be changed.
        body: The same, encoded.
        revision: 1 for a new node, one more with each update.
        recorded_at: When the store learned this version, in µs.
        stored: The version that the database holds, None for a new node.
    """

    message: Any
    body: bytes
    revision: int
    recorded_at: int
    stored: "StoredNode | None" = None

    @property
    def size(self) -> int:
        """Bytes of its row, in which the uri of an artifact is twice."""
        return len(self.body) + len(getattr(self.message, "uri", "").encode())


class _Statements:
    """The statements over one kind of node."""

    def __init__(self, kind: NodeKind) -> None:
        node = tables.nodes[kind]
        key = (node.c.type_id, node.c.name)
        self.by_id = ListStatement(
            lambda n: select(node.c.body, node.c.revision, node.c.recorded_at).where(
                node.c.id.in_(slots(n))
            )
        )
        self.existing = ListStatement(lambda n: select(node.c.id).where(node.c.id.in_(slots(n))))
        self.by_external_id = ListStatement(
            lambda n: select(node.c.external_id, node.c.id).where(node.c.external_id.in_(slots(n)))
        )
        self.by_name = ListStatement(self._by_name(key, node.c.id), width=2)
        self.free_keys = ListStatement(
            lambda n: (
                update(node).where(node.c.id.in_(slots(n))).values(name=None, external_id=None)
            )
        )

    @staticmethod
    def _by_name(
        key: Sequence[Column[object]], node_id: ColumnElement[int]
    ) -> Callable[[int], ClauseElement]:
        def build(count: int) -> ClauseElement:
            keys = keys_table(key, count)
            match = and_(*(column == keys.c[column.name] for column in key))
            return select(*key, node_id).select_from(keys.join(key[0].table, match))

        return build


_STATEMENTS = {kind: _Statements(kind) for kind in KINDS}


class Nodes:
    """The nodes of one kind within a transaction, staged changes included.

    Attributes:
        kind: The kind.
        unindexed: The ids of new nodes whose properties are yet to be indexed, once flushed.
    """

    def __init__(self, connection: Connection, kind: NodeKind, journal: Journal) -> None:
        self.kind = kind
        self.unindexed: list[int] = []
        self._connection = connection
        self._journal = journal
        self._sql = _STATEMENTS[kind]
        self._loaded: dict[int, StoredNode | None] = {}
        self._existence: dict[int, bool] = {}
        self._stored_names: dict[Name, int | None] = {}
        self._stored_external_ids: dict[str, int | None] = {}
        self._changed: Staged[int, StoredNode] = Staged(journal)
        self._names: Staged[Name, int | None] = Staged(journal)
        self._external_ids: Staged[str, int | None] = Staged(journal)
        self._replaced: Staged[tuple[int, int], StoredNode] = Staged(journal)

    def load(self, ids: Iterable[int]) -> None:
        """Read these nodes with one statement, so that `find` needs none."""
        missing_ids = [i for i in dict.fromkeys(ids) if i not in self._loaded]
        self._loaded.update(dict.fromkeys(missing_ids))
        for body, revision, recorded_at in self._connection.rows_of(self._sql.by_id, missing_ids):
            message = self.kind.message.FromString(body)
            self._loaded[message.id] = StoredNode(message, bytes(body), revision, recorded_at)

    def find(self, node_id: int) -> StoredNode | None:
        """Return the node, or None."""
        if node_id in self._changed.items:
            return self._changed.items[node_id]
        if node_id not in self._loaded:
            self.load([node_id])
        return self._loaded[node_id]

    def check(self, ids: Iterable[int]) -> None:
        """Learn with one statement which of these ids exist, so that `exists` needs none."""
        existence, loaded, changed = self._existence, self._loaded, self._changed.items
        unknown_ids = [
            i
            for i in dict.fromkeys(ids)
            if i not in changed and i not in loaded and i not in existence
        ]
        self._existence.update(dict.fromkeys(unknown_ids, False))
        for (node_id,) in self._connection.rows_of(self._sql.existing, unknown_ids):
            self._existence[node_id] = True

    def exists(self, node_id: int) -> bool:
        """Return whether there is such a node."""
        if node_id in self._changed.items:
            return True
        if node_id in self._loaded:
            return self._loaded[node_id] is not None
        self.check([node_id])
        return self._existence[node_id]

    @property
    def new_ids(self) -> set[int]:
        """The ids of the nodes that this transaction creates."""
        return {i for i, node in self._changed.items.items() if node.stored is None}

    def is_new(self, node_id: int) -> bool:
        """Return whether this transaction creates the node, so that nothing refers to it yet."""
        node = self._changed.items.get(node_id)
        return node is not None and node.stored is None

    def load_names(self, names: Iterable[Name]) -> None:
        """Look these names up with one statement, so that `by_name` needs none."""
        missing_names = [n for n in dict.fromkeys(names) if n not in self._stored_names]
        self._stored_names.update(dict.fromkeys(missing_names))
        texts = [n for n in missing_names if isinstance(n[1], str)]  # as in `load_external_ids`
        for type_id, name, node_id in self._connection.rows_of(self._sql.by_name, texts):
            self._stored_names[type_id, name] = node_id

    def by_name(self, type_id: int, name: str) -> int | None:
        """Return the id of the node of this type and name, or None."""
        key = (type_id, name)
        if key in self._names.items:
            return self._names.items[key]
        if key not in self._stored_names:
            self.load_names([key])
        return self._stored_names[key]

    def load_external_ids(self, external_ids: Iterable[str]) -> None:
        """Look these external ids up with one statement."""
        missing_external_ids = [
            x for x in dict.fromkeys(external_ids) if x not in self._stored_external_ids
        ]
        self._stored_external_ids.update(dict.fromkeys(missing_external_ids))
        # A text that is not UTF-8 comes as bytes; no node has it, and putting it fails later.
        texts = [x for x in missing_external_ids if isinstance(x, str)]
        for external_id, node_id in self._connection.rows_of(self._sql.by_external_id, texts):
            self._stored_external_ids[external_id] = node_id

    def by_external_id(self, external_id: str) -> int | None:
        """Return the id of the node with this external id, or None."""
        if external_id in self._external_ids.items:
            return self._external_ids.items[external_id]
        if external_id not in self._stored_external_ids:
            self.load_external_ids([external_id])
        return self._stored_external_ids[external_id]

    def create(self, message: NodeMessage) -> StoredNode:
        """Stage a new node; return it."""
        new_node = StoredNode(message, encoded(message), 1, self._journal.stamp)
        self._changed.put(message.id, new_node)
        self._claim_keys(message)
        return new_node

    def replace(self, node: StoredNode, message: NodeMessage) -> StoredNode:
        """Stage a new version of a node, and return it; the old one is kept."""
        stored_version = node.stored or (node if message.id not in self._changed.items else None)
        self._replaced.put((message.id, node.revision), node)
        new_version = StoredNode(
            message, encoded(message), node.revision + 1, self._journal.stamp, stored_version
        )
        self._changed.put(message.id, new_version)
        if _name(node.message) != _name(message):
            self._names.put(_name(node.message), None)
        if node.message.external_id and node.message.external_id != message.external_id:
            self._external_ids.put(node.message.external_id, None)
        self._claim_keys(message)
        return new_version

    def _claim_keys(self, message: NodeMessage) -> None:
        if message.HasField("name"):
            self._names.put(_name(message), message.id)
        if message.external_id:
            self._external_ids.put(message.external_id, message.id)

    def flush(self) -> None:
        """Write all staged nodes, with a number of statements that does not grow with theirs."""
        changed_nodes = self._changed.items.values()
        updated_nodes = [node for node in changed_nodes if node.stored is not None]
        if updated_nodes:
            self._flush_updated(updated_nodes)
        new_nodes = [node for node in changed_nodes if node.stored is None]
        self._write(new_nodes, on_conflict="fail")
        self.unindexed = index_urgent(
            self._connection, self.kind, [node.message for node in new_nodes]
        )

    def facts(self) -> dict[int, Sequence[FactKey]]:
        """Return the versions that this transaction adds, those that it replaces included."""
        changed_nodes = self._changed.items
        if not changed_nodes:
            return {}
        keys = [(i, node.revision) for i, node in changed_nodes.items()]
        if self._replaced.items:
            stamp = self._journal.stamp
            replaced = self._replaced.items.items()
            keys += [key for key, old in replaced if old.recorded_at == stamp]
        return {VERSIONS[self.kind]: keys}

    def _flush_updated(self, updated_nodes: Sequence[StoredNode]) -> None:
        self._free_keys(updated_nodes)
        self._write(updated_nodes, on_conflict="update")
        clear_index(self._connection, self.kind, [node.message.id for node in updated_nodes])
        write_index(self._connection, self.kind, [node.message for node in updated_nodes])
        self._write_versions()

    def _free_keys(self, updated_nodes: Sequence[StoredNode]) -> None:
        """Let nodes exchange names: two updates that change keys must not clash on the way."""
        moved_ids = [
            n.message.id for n in updated_nodes if n.stored and _keys(n) != _keys(n.stored)
        ]
        if len(moved_ids) > 1:
            self._connection.execute_on(self._sql.free_keys, moved_ids)

    def _write(self, nodes: Sequence[StoredNode], *, on_conflict: str) -> None:
        rows = [node_row(self.kind, n.message, n.body, n.revision, n.recorded_at) for n in nodes]
        self._connection.insert(tables.nodes[self.kind], rows, on_conflict=on_conflict)

    def _write_versions(self) -> None:
        stamp = self._journal.stamp
        rows = [
            (self.kind.number, i, revision, old.recorded_at, stamp, old.body)
            for (i, revision), old in self._replaced.items.items()
        ]
        self._connection.insert(tables.node_versions, rows)


def _name(message: NodeMessage) -> Name:
    return (message.type_id, message.name)


def _keys(node: StoredNode) -> tuple[str, str]:
    return (node.message.name, node.message.external_id)
