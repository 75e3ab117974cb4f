"""A transaction that writes: its reads include its staged changes."""

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from lineage_store.database.commits import Commit, CommitPoint, write_commit
from lineage_store.database.connection import Connection
from lineage_store.database.facts import FactKey
from lineage_store.database.ids import IdBlocks
from lineage_store.database.lazy import lazy_property
from lineage_store.database.queries.execution_fingerprints import finished_executions
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.database.staging.artifact_reports import Reports
from lineage_store.database.staging.cache_claims import Claims
from lineage_store.database.staging.cache_entries import Entries
from lineage_store.database.staging.edges import Events, Members, Parents
from lineage_store.database.staging.journal import Journal, Staged
from lineage_store.database.staging.nodes import Nodes
from lineage_store.database.staging.types import TypeCache, Types
from lineage_store.database.upkeep.property_index import QueueKey, drain, enqueue
from lineage_store.kinds import KINDS, NodeKind
from lineage_store.limits import NodeBound

DEFAULT = NodeBound()

MS_IN_US = 1_000

_PARTS = ("events", "members", "parents", "entries", "claims", "reports")
"""Parts of a transaction that are made when they are first needed, in the order of their flush."""


class _NodesByKind(dict[NodeKind, Nodes]):
    """The nodes of each kind, made when they are first needed."""

    def __init__(self, connection: Connection, journal: Journal) -> None:
        super().__init__()
        self._connection = connection
        self._journal = journal

    def __missing__(self, kind: NodeKind) -> Nodes:
        nodes = self[kind] = Nodes(self._connection, kind, self._journal)
        return nodes


class _Part(Protocol):
    def facts(self) -> dict[int, Sequence[FactKey]]:
        """Return the facts that it adds."""


class Transaction:
    """Everything that requests read and stage before it is written and committed.

    Attributes:
        node_bound: The most bytes of one node, type, event or cache entry.
        types: Types by id, name and external id.
        nodes: Nodes, by kind.
        committed: The commit, once it is flushed with facts; None: there is none.
    """

    def __init__(
        self,
        connection: Connection,
        ids: IdBlocks,
        cache: TypeCache,
        node_bound: NodeBound = DEFAULT,
        commit: Commit | None = None,
    ) -> None:
        self.node_bound = node_bound
        self._connection = connection
        self._ids = ids
        self._commit = commit
        self._journal = Journal(commit.point.recorded_at if commit is not None else 0)
        self.types = Types(connection, cache, self._journal)
        self.nodes = _NodesByKind(connection, self._journal)
        self._to_index: Staged[QueueKey, None] = Staged(self._journal)
        self.committed: CommitPoint | None = None

    # A transaction needs few of these, and begins sooner if the others are not made.

    @lazy_property
    def events(self) -> Events:
        """Events."""
        return Events(self._connection, self._journal)

    @lazy_property
    def members(self) -> Members:
        """Attributions and associations."""
        return Members(self._connection, self._journal, self._new_ids)

    @lazy_property
    def parents(self) -> Parents:
        """Parent contexts."""
        return Parents(self._connection, self._journal)

    @lazy_property
    def entries(self) -> Entries:
        """Cache entries."""
        return Entries(self._connection, self._journal)

    @lazy_property
    def claims(self) -> Claims:
        """Claims of cache keys."""
        return Claims(self._connection, self._journal)

    @lazy_property
    def reports(self) -> Reports:
        """Reports on the payloads of artifacts."""
        return Reports(self._connection, self._journal)

    def _new_ids(self, kind: NodeKind) -> Collection[int]:
        return self.nodes[kind].new_ids if kind in self.nodes else ()

    @classmethod
    def reading(cls, snapshot: Snapshot) -> "Transaction":
        """Return a transaction that only reads, from a snapshot; it is never flushed."""
        return cls(snapshot.connection, IdBlocks(), TypeCache())

    def new_id(self, counter: str) -> int:
        """Return a new id of the plural of a kind, "types", "events" or "cache_entries"."""
        return self._ids.take(self._connection, counter)

    def by_fingerprints(self, fingerprints: Sequence[str]) -> dict[str, list[int]]:
        """Return the ids of the newest finished executions of each fingerprint, newest first.

        Staged executions are left out: nothing depends on seeing them at once.
        """
        return finished_executions(self._connection, fingerprints)

    def index(self, keys: Iterable[QueueKey]) -> None:
        """Stage the indexing of queued nodes; nothing else may be staged."""
        for key in keys:
            self._to_index.put(key, None)

    @property
    def queued(self) -> int:
        """The number of nodes put into the queue of the property index, once flushed."""
        return sum(len(nodes.unindexed) for nodes in self.nodes.values())

    @property
    def stamp(self) -> int:
        """The `recorded_at` of all that is staged, in µs since the epoch; 0 if it only reads."""
        return self._journal.stamp

    @property
    def revision(self) -> int:
        """The stamp of the last commit of the store once this is written; 0 if it only reads."""
        if self._commit is None:
            return 0
        return (self.committed or self._commit.last).recorded_at

    @property
    def now_ms(self) -> int:
        """The time at which the present request began, in ms since the epoch."""
        return self._journal.moment // MS_IN_US

    def begin_request(self) -> int:
        """Begin a request, which has a time of its own; return the point to undo to."""
        return self._journal.begin_request()

    def mark(self) -> int:
        """Return the present point, to undo to."""
        return self._journal.mark()

    def undo(self, mark: int) -> None:
        """Take back everything staged since `mark`."""
        self._journal.undo(mark)

    @property
    def is_empty(self) -> bool:
        """True if nothing is staged."""
        return self._journal.mark() == 0

    def flush(self) -> None:
        """Write everything that is staged, and the commit if there are facts."""
        self.types.flush()
        staged_nodes = {kind: self.nodes[kind] for kind in KINDS if kind in self.nodes}
        for nodes in staged_nodes.values():
            nodes.flush()
        enqueue(self._connection, {kind: nodes.unindexed for kind, nodes in staged_nodes.items()})
        parts = [self.__dict__[name] for name in _PARTS if name in self.__dict__]
        for part in parts:
            part.flush()
        if self._to_index.items:
            drain(self._connection, self._to_index.items)
        self._write_commit([self.types, *staged_nodes.values(), *parts])

    def _write_commit(self, parts: Iterable[_Part]) -> None:
        facts: dict[int, Sequence[FactKey]] = {}
        for part in parts:
            facts.update(part.facts())
        if facts and self._commit is not None:
            write_commit(self._connection, self._commit, facts)
            self.committed = self._commit.point
