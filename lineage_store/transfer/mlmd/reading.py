"""The part of a database of ML Metadata that a store takes, page by page."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

from lineage_store.database.mlmd.records import EventRecord, NodeRecord
from lineage_store.database.mlmd.source import LEAST, MlmdSource, Pair
from lineage_store.database.staging.types import StoredType
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION, KINDS, NodeKind, NodeMessage
from lineage_store.transfer.mlmd.findings import Findings
from lineage_store.transfer.mlmd.nodes import LEFT_OUT, NodeDecoder, decode_event
from lineage_store.transfer.mlmd.sizes import Fit
from lineage_store.transfer.mlmd.types import decode_types
from lineage_store.v1 import metadata_pb2 as pb

R = TypeVar("R", NodeRecord, EventRecord)
T = TypeVar("T")

Existing = Callable[[NodeKind, Iterable[int]], set[int]]
"""Given a kind of node and some ids, which of them are there."""


class Page(NamedTuple):
    """Some rows of the source, in their order.

    Attributes:
        row_count: The number of rows that were read.
        items: Those that a store takes: messages, (id, event) or pairs.
    """

    row_count: int
    items: list[Any]


class MlmdReading:
    """The contents of a database of ML Metadata as a store keeps them.

    Args:
        source: The database.
        findings: Receives the values that do not fit.
        max_bytes: The largest row that the target takes.
    """

    def __init__(self, source: MlmdSource, findings: Findings, max_bytes: int) -> None:
        self._source = source
        self._findings = findings
        self._fit = Fit(max_bytes, findings)
        self.types: dict[int, StoredType] = decode_types(source.types(), findings)

    def nodes(self, kind: NodeKind, after: int = LEAST) -> Iterator[Page]:
        """Yield the nodes of a kind behind an id."""
        decoder = NodeDecoder(kind, self.types, self._findings)

        def decode(record: NodeRecord) -> NodeMessage | None:
            node = decoder.decode(record)
            return None if node is None else self._fit.node(node, f"{kind.name} {record.id}")

        while records := self._source.nodes(kind, after):
            decoded = (self._readable(kind.name, record, decode) for record in records)
            yield Page(len(records), [message for message in decoded if message is not None])
            after = records[-1].id

    def events(self, existing: Existing, after: int = LEAST) -> Iterator[Page]:
        """Yield events behind an id, each with its id."""
        while records := self._source.events(after):
            decoded = [
                (record.id, self._readable("event", record, self._event)) for record in records
            ]
            events = [(event_id, event) for event_id, event in decoded if event is not None]
            yield Page(len(records), self._tied_events(events, existing))
            after = records[-1].id

    def members(
        self, kind: NodeKind, existing: Existing, after: Pair = (LEAST, LEAST)
    ) -> Iterator[Page]:
        """Yield pairs of a context and a node in it, behind a pair."""
        edge = {ARTIFACT: "attribution", EXECUTION: "association"}[kind]
        while pairs := self._source.members(kind, after):
            yield Page(len(pairs), self._tied(edge, pairs, (CONTEXT, kind), existing))
            after = pairs[-1]

    def parents(self, existing: Existing, after: Pair = (LEAST, LEAST)) -> Iterator[Page]:
        """Yield pairs of a child and a parent context, behind a pair."""
        while pairs := self._source.parents(after):
            yield Page(
                len(pairs), self._tied("parent context", pairs, (CONTEXT, CONTEXT), existing)
            )
            after = pairs[-1]

    def _event(self, record: EventRecord) -> pb.Event | None:
        event = decode_event(record, self._findings)
        return None if event is None else self._fit.event(event, f"event {record.id}")

    def _readable(self, noun: str, record: R, decode: Callable[[R], T | None]) -> T | None:
        try:
            return decode(record)
        except (ValueError, TypeError, OverflowError):
            self._findings.add(f"{noun} {record.id}", "holds a value that is none", LEFT_OUT)
            return None

    def _tied_events(
        self, events: list[tuple[int, pb.Event]], existing: Existing
    ) -> list[tuple[int, pb.Event]]:
        there = {
            ARTIFACT: existing(ARTIFACT, (event.artifact_id for _, event in events)),
            EXECUTION: existing(EXECUTION, (event.execution_id for _, event in events)),
        }
        return [
            (event_id, event)
            for event_id, event in events
            if self._ends(
                f"event {event_id}",
                there,
                ((ARTIFACT, event.artifact_id), (EXECUTION, event.execution_id)),
            )
        ]

    def _tied(
        self, edge: str, pairs: list[Pair], kinds: tuple[NodeKind, NodeKind], existing: Existing
    ) -> list[Pair]:
        end_ids: dict[NodeKind, set[int]] = {kind: set() for kind in KINDS}
        for pair in pairs:
            for kind, node_id in zip(kinds, pair, strict=True):
                end_ids[kind].add(node_id)
        there = {kind: existing(kind, end_ids[kind]) for kind in set(kinds)}
        return [
            pair
            for pair in pairs
            if self._ends(f"{edge} {pair}", there, tuple(zip(kinds, pair, strict=True)))
        ]

    def _ends(
        self,
        where: str,
        there: dict[NodeKind, set[int]],
        ends: tuple[tuple[NodeKind, int], ...],
    ) -> bool:
        """Return whether both ends of an edge are there."""
        for kind, node_id in ends:
            if node_id not in there[kind]:
                self._findings.add(where, f"points at no {kind.name}: {node_id}", LEFT_OUT)
                return False
        return True
