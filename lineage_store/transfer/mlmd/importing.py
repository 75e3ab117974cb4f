"""A database of ML Metadata becomes a store: the same nodes and edges, under the same ids."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from lineage_store.database import tables
from lineage_store.database.bulk.bulk_load import BulkLoad
from lineage_store.database.clock import now_us
from lineage_store.database.connection import Connection, Row
from lineage_store.database.drivers.inserts import in_few_sizes
from lineage_store.database.mlmd.source import LEAST, MlmdSource
from lineage_store.database.schema.revisions import FIRST_USER_TYPE
from lineage_store.database.staging.edges import event_row
from lineage_store.database.staging.node_rows import (
    PROPERTY_COLUMNS,
    encoded,
    node_row,
    property_rows,
)
from lineage_store.database.staging.types import type_row
from lineage_store.kinds import KINDS, NodeKind, NodeMessage
from lineage_store.masking import masked_url
from lineage_store.transfer.mlmd.findings import Findings
from lineage_store.transfer.mlmd.reading import MlmdReading, Page
from lineage_store.v1 import metadata_pb2 as pb

Progress = Callable[[int, int], None]
"""Called after each page with the rows so far and the rows in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The result of an import.

    Attributes:
        schema_version: That of the source.
        is_resumed: Whether it went on where an earlier one was cut off.
        stored: How many types, nodes and edges this run wrote, by the name of their table.
    """

    schema_version: int
    is_resumed: bool
    stored: dict[str, int]


def import_mlmd(
    source_url: str, target_url: str, findings: Findings, progress: Progress = lambda *_: None
) -> Imported:
    """Fill an empty store with a database of ML Metadata, or go on where that was cut off.

    Args:
        source_url: The database of ML Metadata; it is only read.
        target_url: The database of the store, which is empty or missing.
        findings: Receives the values that do not fit; none of them stops the import.
        progress: See `Progress`.

    Raises:
        FailedPrecondition: The target holds something, or the source can't be read as it is.
        LineageError: A database can't be used, and why.
    """
    with (
        closing(MlmdSource(source_url)) as source,
        closing(BulkLoad(target_url, f"mlmd {masked_url(source_url)}")) as filling,
    ):
        run = _Import(source, filling, findings, progress)
        run.fill()
        return Imported(
            schema_version=source.version, is_resumed=filling.is_resumed, stored=run.stored
        )


class _Import:
    """One run of an import."""

    def __init__(
        self, source: MlmdSource, filling: BulkLoad, findings: Findings, progress: Progress
    ) -> None:
        self.stored: dict[str, int] = {}
        self._reading = MlmdReading(source, findings, filling.max_row_bytes)
        self._filling = filling
        self._progress = progress
        self._counts = source.counts()
        self._total = sum(self._counts.values())
        self._rows_so_far = 0

    def fill(self) -> None:
        self._fill_types()
        for kind in KINDS:
            self._fill_nodes(kind)
        self._fill_events()
        for kind, table in tables.members.items():
            pages = self._reading.members(kind, self._filling.existing, self._after_pair(table))
            self._fill_pairs(table, pages)
        parents = tables.parent_contexts
        self._fill_pairs(
            parents, self._reading.parents(self._filling.existing, self._after_pair(parents))
        )
        self._filling.finish(self._counters())

    def _fill_types(self) -> None:
        """Store all types at once: each must be told apart from every other."""
        if self._filling.last(tables.types) is not None:
            return
        moment = now_us()
        rows = [type_row(t.kind, t.message, moment) for t in self._reading.types.values()]
        with self._filling.batch() as connection:
            connection.insert(tables.types, rows)
        self.stored["types"] = len(rows)

    def _fill_nodes(self, kind: NodeKind) -> None:
        table = tables.nodes[kind]

        def write(connection: Connection, nodes: list[NodeMessage]) -> None:
            moment = now_us()
            rows = [node_row(kind, node, encoded(node), 1, moment) for node in nodes]
            _insert(connection, table, rows)
            properties = [row for node in nodes for row in property_rows(node)]
            _insert(connection, tables.properties[kind], properties, PROPERTY_COLUMNS)

        self._fill(table.name, self._reading.nodes(kind, self._after(table)), write)

    def _fill_events(self) -> None:
        table = tables.events

        def write(connection: Connection, events: list[tuple[int, pb.Event]]) -> None:
            moment = now_us()
            _insert(connection, table, [event_row(*event, moment) for event in events])

        self._fill(
            table.name, self._reading.events(self._filling.existing, self._after(table)), write
        )

    def _fill_pairs(self, table: Any, pages: Iterator[Page]) -> None:

        def write(connection: Connection, pairs: list[tuple[int, int]]) -> None:
            moment = now_us()
            _insert(connection, table, [(*pair, moment) for pair in pairs])

        self._fill(table.name, pages, write)

    def _fill(
        self,
        name: str,
        pages: Iterator[Page],
        write: Callable[[Connection, list[Any]], None],
    ) -> None:
        """Store the pages of one table, each in a transaction."""
        stored = 0
        before = self._rows_so_far
        for page in pages:
            if page.items:
                with self._filling.batch() as connection:
                    write(connection, page.items)
            stored += len(page.items)
            self._rows_so_far += page.row_count
            self._progress(self._rows_so_far, self._total)
        self.stored[name] = stored
        # Rows of an earlier run count, too.
        self._rows_so_far = before + self._counts[name]
        self._progress(self._rows_so_far, self._total)

    def _after(self, table: Any) -> int:
        last = self._filling.last(table)
        return LEAST if last is None else int(last[0])

    def _after_pair(self, table: Any) -> tuple[int, int]:
        last = self._filling.last(table)
        return (LEAST, LEAST) if last is None else (int(last[0]), int(last[1]))

    def _counters(self) -> dict[str, int]:
        counted = {"types": tables.types, "events": tables.events} | {
            kind.plural: table for kind, table in tables.nodes.items()
        }
        free = {name: max(self._after(table), 0) + 1 for name, table in counted.items()}
        return free | {"types": max(free["types"], FIRST_USER_TYPE)}


def _insert(
    connection: Connection,
    table: Any,
    rows: Sequence[Row],
    columns: Sequence[str] | None = None,
) -> None:
    for part in in_few_sizes(rows):
        connection.insert(table, part, columns)
