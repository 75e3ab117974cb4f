"""A store becomes a database of ML Metadata: the same nodes and edges, under the same ids."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from lineage_store.database.bulk.store_pages import Pair, StorePages
from lineage_store.database.mlmd.source import LEAST
from lineage_store.database.mlmd.target import Item, MlmdTarget
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION, KINDS, NodeKind
from lineage_store.transfer.mlmd.findings import Findings
from lineage_store.transfer.mlmd.fitting import LEFT_OUT, Fitting
from lineage_store.transfer.mlmd.rows import (
    event_item,
    node_item,
    parent_type_rows,
    type_property_rows,
    type_row,
)
from lineage_store.v1 import metadata_pb2 as pb

Progress = Callable[[int, int], None]

_STORED = (
    *("types", "artifacts", "executions", "contexts", "events"),
    *("attributions", "associations", "parent_contexts"),
)
_BEHIND = (
    *("node_versions", "type_versions"),
    *("cache_entries", "cache_claims", "cache_hits"),
    *("artifact_reports", "artifact_report_versions"),
)
_REFUSED = "is refused by the database: it can't tell it from another, or not index it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """The result of an export.

    Attributes:
        stored: The number of types, nodes and edges written, by table.
        left_behind: The number of rows for which ML Metadata has no place, by table.
    """

    stored: dict[str, int]
    left_behind: dict[str, int]


def export_mlmd(
    source_url: str, target_url: str, findings: Findings, progress: Progress = lambda *_: None
) -> Exported:
    """Write a store into a new database of ML Metadata.

    Args:
        source_url: The database of the store; it is only read.
        target_url: The new database: missing, empty, or left by an export that did not end.
        findings: Receives the values that ML Metadata can't hold; none of them stops the export.
        progress: Called after each page with the rows so far and the rows in all.

    Raises:
        FailedPrecondition: The target holds something, or the source is no complete store.
        LineageError: A database can't be used, and why.
    """
    with closing(StorePages(source_url)) as store, closing(MlmdTarget(target_url)) as target:
        run = _Export(store, target, findings, progress)
        run.write()
        counts = store.counts()
        behind = {name: counts[name] for name in _BEHIND if counts[name]}
        return Exported(stored=run.stored, left_behind=behind)


class _Export:
    """One run of an export."""

    def __init__(
        self, store: StorePages, target: MlmdTarget, findings: Findings, progress: Progress
    ) -> None:
        self.stored = dict.fromkeys(_STORED, 0)
        self._store = store
        self._target = target
        self._findings = findings
        self._progress = progress
        self._fitting = Fitting(target.capacity, findings)
        self._types = store.types()
        counts = store.counts()
        self._total = len(self._types) + sum(counts[name] for name in _STORED[1:])
        self._rows_so_far = 0
        # Nodes that could not be written: no edge may point at them.
        self._unwritten: dict[NodeKind, set[int]] = {kind: set() for kind in KINDS}

    def write(self) -> None:
        self._write_types()
        for kind in KINDS:
            self._write_nodes(kind)
        self._write_events()
        for kind, edge in ((ARTIFACT, "attribution"), (EXECUTION, "association")):
            self._write_members(kind, edge)
        self._write_parents()
        self._target.finish()

    def _write_types(self) -> None:
        tables = self._target.tables
        rows = [type_row(stored_type, self._fitting) for stored_type in self._types]
        places = [f"type {row[0]}, external id" for row in rows]
        # Nothing but its external id can be in the way of a type, and nodes can't do without it.
        refused_rows = self._put("types", tables.types, [(row, []) for row in rows], places=places)
        self._put("types", tables.types, [((*rows[at][:-1], None), []) for at in refused_rows])
        properties = [row for t in self._types for row in type_property_rows(t, self._fitting)]
        for at, _ in self._target.write(tables.type_properties, [(row, []) for row in properties]):
            where = f"type {properties[at][0]}, property {properties[at][1]!r}"
            self._findings.add(where, _REFUSED, LEFT_OUT)
        parents = parent_type_rows(self._types)
        self._target.write(tables.parent_types, [(row, []) for row in parents])

    def _write_nodes(self, kind: NodeKind) -> None:
        tables = self._target.tables
        after = LEAST
        while page := self._store.nodes(kind, after):
            messages = [kind.message.FromString(body) for _, body in page]
            nodes = [m for m in messages if self._has_place(kind, m.id, f"{kind.name} {m.id}")]
            items = [node_item(kind, message, self._fitting) for message in nodes]
            places = [f"{kind.name} {message.id}" for message in nodes]
            refused_items = self._put(
                kind.plural, tables.nodes[kind], items, tables.properties[kind], places
            )
            self._unwritten[kind] |= {nodes[at].id for at in refused_items}
            after = page[-1][0]

    def _write_events(self) -> None:
        tables = self._target.tables
        after = LEAST
        while page := self._store.events(after):
            events = [(number, pb.Event.FromString(body)) for number, body in page]
            tied_events = [
                (number, event)
                for number, event in events
                if number in self._target.capacity.ints
                and self._is_tied(
                    f"event {number}",
                    (ARTIFACT, event.artifact_id),
                    (EXECUTION, event.execution_id),
                )
            ]
            items = [event_item(number, event, self._fitting) for number, event in tied_events]
            places = [f"event {number}" for number, _ in tied_events]
            self._put("events", tables.events, items, tables.event_paths, places)
            after = page[-1][0]

    def _write_members(self, kind: NodeKind, edge: str) -> None:
        number = 0
        after: Pair = (LEAST, LEAST)
        while page := self._store.members(kind, after):
            pairs = [p for p in page if self._is_tied(f"{edge} {p}", (CONTEXT, p[0]), (kind, p[1]))]
            items: list[Item] = [((number + at, *pair), []) for at, pair in enumerate(pairs, 1)]
            self._put(f"{edge}s", self._target.tables.members[kind], items)
            number += len(pairs)
            after = page[-1]

    def _write_parents(self) -> None:
        after: Pair = (LEAST, LEAST)
        while page := self._store.parents(after):
            items: list[Item] = [
                (pair, [])
                for pair in page
                if self._is_tied(f"parent context {pair}", (CONTEXT, pair[0]), (CONTEXT, pair[1]))
            ]
            self._put("parent_contexts", self._target.tables.parent_contexts, items)
            after = page[-1]

    def _put(
        self,
        name: str,
        table: Any,
        items: Sequence[Item],
        side: Any = None,
        places: Sequence[str] = (),
    ) -> list[int]:
        """Write one page; return the places of the items that the database refused."""
        refused = self._target.write(table, items, side)
        for at, number in refused:
            where = places[at] if places else f"{name}: {items[at][0]!r}"
            if number is not None:
                where = f"{where}: {items[at][1][number][1]!r}"
            self._findings.add(where, _REFUSED, LEFT_OUT)
        refused_items = [at for at, number in refused if number is None]
        self.stored[name] += len(items) - len(refused_items)
        self._rows_so_far += len(items)
        self._progress(self._rows_so_far, self._total)
        return refused_items

    def _has_place(self, kind: NodeKind, node_id: int, where: str) -> bool:
        if node_id in self._target.capacity.ints:
            return True
        self._findings.add(where, "has an id beyond 32 bits", LEFT_OUT)
        self._unwritten[kind].add(node_id)
        return False

    def _is_tied(self, where: str, *ends: tuple[NodeKind, int]) -> bool:
        """Return whether both ends of an edge were written."""
        for kind, node_id in ends:
            if node_id in self._unwritten[kind]:
                message = f"points at {kind.name} {node_id}, which is left out"
                self._findings.add(where, message, LEFT_OUT)
                return False
        return True
